package mldsakey

import "math/bits"

// The ring Z_q[X]/(X^256+1) of FIPS 204 2.3. Coefficients are kept in [0, q). Nothing here
// branches, indexes or divides by a coefficient, so its time says nothing of the key.
const (
	n     = 256
	q     = 8380417 // 2^23 - 2^13 + 1
	zeta  = 1753    // a 512th root of unity mod q
	nInv  = 8347681 // 256^-1 mod q
	recip = (1 << 64) / q
)

type poly [n]uint32

// mask is all ones where a < b and zero elsewhere, for a and b below 2^31.
func mask(a, b uint32) uint32 { return -((a - b) >> 31) }

// reduceOnce brings a in [0, 2q) to [0, q).
func reduceOnce(a uint32) uint32 {
	a -= q
	return a + (-(a >> 31) & q)
}

func add(a, b uint32) uint32 { return reduceOnce(a + b) }
func sub(a, b uint32) uint32 { return reduceOnce(a + q - b) }

// mul multiplies by Barrett's reduction: for a product under 2^46 the estimated quotient is
// the true one or one less.
func mul(a, b uint32) uint32 {
	product := uint64(a) * uint64(b)
	quotient, _ := bits.Mul64(product, recip)
	return reduceOnce(uint32(product - quotient*q))
}

// abs is the distance of a from zero, taking a as a number in (-q/2, q/2].
func abs(a uint32) uint32 {
	negative := mask((q-1)/2, a)
	return a ^ (negative & (a ^ (q - a)))
}

func (a *poly) add(b *poly) {
	for i := range a {
		a[i] = add(a[i], b[i])
	}
}

func (a *poly) sub(b *poly) {
	for i := range a {
		a[i] = sub(a[i], b[i])
	}
}

// exceeds reports whether some coefficient's distance from zero is bound or more.
func (a *poly) exceeds(bound uint32) bool {
	var over uint32
	for i := range a {
		over |= ^mask(abs(a[i]), bound)
	}
	return over != 0
}

// zetas holds the powers of zeta in bit-reversed order (FIPS 204 appendix B).
type zetas [n]uint32

func newZetas() *zetas {
	var z zetas
	power := uint32(1)
	for i := range n {
		z[bits.Reverse8(uint8(i))] = power
		power = mul(power, zeta)
	}
	return &z
}

// ntt is FIPS 204 algorithm 41, in place.
func (z *zetas) ntt(w *poly) {
	m := 0
	for length := n / 2; length >= 1; length /= 2 {
		for start := 0; start < n; start += 2 * length {
			m++
			low, high := w[start:start+length], w[start+length:start+2*length]
			for j := range low {
				t := mul(z[m], high[j])
				low[j], high[j] = add(low[j], t), sub(low[j], t)
			}
		}
	}
}

// inverse is FIPS 204 algorithm 42, in place.
func (z *zetas) inverse(w *poly) {
	m := n
	for length := 1; length < n; length *= 2 {
		for start := 0; start < n; start += 2 * length {
			m--
			low, high := w[start:start+length], w[start+length:start+2*length]
			for j := range low {
				t := low[j]
				low[j], high[j] = add(t, high[j]), mul(z[m], sub(high[j], t))
			}
		}
	}
	for i := range w {
		w[i] = mul(w[i], nInv)
	}
}

// times returns the inverse transform of c∘a for transformed c and a.
func (z *zetas) times(c, a *poly) (product poly) {
	for i := range product {
		product[i] = mul(c[i], a[i])
	}
	z.inverse(&product)
	return product
}

// matrixTimes returns the inverse transform of A∘v for transformed A and v.
func (z *zetas) matrixTimes(a [][]poly, v []poly) []poly {
	product := make([]poly, len(a))
	for i, row := range a {
		for j := range row {
			for c := range product[i] {
				product[i][c] = add(product[i][c], mul(row[j][c], v[j][c]))
			}
		}
		z.inverse(&product[i])
	}
	return product
}

// transformed returns the transforms of the polynomials.
func (z *zetas) transformed(v []poly) []poly {
	hat := make([]poly, len(v))
	copy(hat, v)
	for i := range hat {
		z.ntt(&hat[i])
	}
	return hat
}
