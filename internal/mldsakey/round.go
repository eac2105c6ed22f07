package mldsakey

import "math/bits"

// power2Round is FIPS 204 algorithm 35, with r0 mod q.
func power2Round(r uint32) (r1, r0 uint32) {
	r1 = (r + 1<<(d-1) - 1) >> d
	return r1, sub(r, r1<<d)
}

// decompose is FIPS 204 algorithm 36, with r0 mod q. The quotient comes from a
// multiplication, since the time of a division may depend on its operands.
func (p *params) decompose(r uint32) (r1, r0 uint32) {
	alpha := 2 * p.gamma2
	reciprocal := p.alphaReciprocal()
	high, _ := bits.Mul64(uint64(r+p.gamma2-1), reciprocal)
	r1 = uint32(high)
	wrapped := ^mask(r1, (q-1)/alpha) // r - r0 = q-1: r1 becomes 0, r0 one less
	r0 = sub(r, r1*alpha+wrapped&1)
	return r1 &^ wrapped, r0
}

// alphaReciprocal is 2^64/(2 gamma2) rounded up, exact for every dividend below 2^24. Both
// values are constants, so nothing is divided at run time.
func (p *params) alphaReciprocal() uint64 {
	if p.gamma2 == (q-1)/88 {
		return (1<<64)/((q-1)/44) + 1
	}
	return (1<<64)/((q-1)/16) + 1
}

func (p *params) highBits(v []poly) []poly {
	high := make([]poly, len(v))
	for i := range v {
		for j := range v[i] {
			high[i][j], _ = p.decompose(v[i][j])
		}
	}
	return high
}

// lowBitsExceed reports whether some low part is bound or more away from zero.
func (p *params) lowBitsExceed(v []poly, bound uint32) bool {
	var over uint32
	for i := range v {
		for _, r := range v[i] {
			_, r0 := p.decompose(r)
			over |= ^mask(abs(r0), bound)
		}
	}
	return over != 0
}

// makeHint is FIPS 204 algorithm 39 over vectors: ones where adding ct0 to r changes its
// high part, and their number.
func (p *params) makeHint(r, ct0 []poly) (hint []poly, ones int) {
	hint = make([]poly, len(r))
	for i := range r {
		for j := range r[i] {
			before, _ := p.decompose(r[i][j])
			after, _ := p.decompose(add(r[i][j], ct0[i][j]))
			differ := before ^ after
			hint[i][j] = (differ | -differ) >> 31
			ones += int(hint[i][j])
		}
	}
	return hint, ones
}
