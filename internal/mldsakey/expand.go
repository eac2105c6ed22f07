package mldsakey

import "crypto/sha3"

// hash is H of FIPS 204 3.7: SHAKE256 of the parts, size bytes of it.
func hash(size int, parts ...[]byte) []byte {
	h := sha3.NewSHAKE256()
	for _, part := range parts {
		h.Write(part)
	}
	out := make([]byte, size)
	h.Read(out)
	return out
}

// matrix is ExpandA, FIPS 204 algorithm 32. It depends on public data only.
func (p *params) matrix(rho []byte) [][]poly {
	a := make([][]poly, p.k)
	for r := range a {
		a[r] = make([]poly, p.l)
		for s := range a[r] {
			a[r][s] = rejNTTPoly(rho, byte(s), byte(r))
		}
	}
	return a
}

// rejNTTPoly is FIPS 204 algorithm 30.
func rejNTTPoly(rho []byte, s, r byte) (a poly) {
	g := sha3.NewSHAKE128()
	g.Write(rho)
	g.Write([]byte{s, r})
	var buf [168]byte // the rate of SHAKE128, a multiple of 3
	for filled := 0; filled < n; {
		g.Read(buf[:])
		for i := 0; i < len(buf) && filled < n; i += 3 {
			c := uint32(buf[i]) | uint32(buf[i+1])<<8 | uint32(buf[i+2]&0x7f)<<16
			if c < q {
				a[filled] = c
				filled++
			}
		}
	}
	return a
}

// secrets is ExpandS, FIPS 204 algorithm 33.
func (p *params) secrets(rho []byte) (s1, s2 []poly) {
	s := make([]poly, p.l+p.k)
	for r := range s {
		s[r] = p.rejBoundedPoly(rho, r)
	}
	return s[:p.l], s[p.l:]
}

// rejBoundedPoly is FIPS 204 algorithm 31; which half bytes it rejects is all its time tells.
func (p *params) rejBoundedPoly(rho []byte, r int) (a poly) {
	h := sha3.NewSHAKE256()
	h.Write(rho)
	h.Write([]byte{byte(r), byte(r >> 8)})
	var buf [136]byte // the rate of SHAKE256
	for filled := 0; filled < n; {
		h.Read(buf[:])
		for i := 0; i < 2*len(buf) && filled < n; i++ {
			half := uint32(buf[i/2]>>(4*(i%2))) & 15
			if p.eta == 2 && half < 15 {
				a[filled] = sub(2, half-5*(half*205>>10)) // half mod 5
				filled++
			}
			if p.eta == 4 && half < 9 {
				a[filled] = sub(4, half)
				filled++
			}
		}
	}
	return a
}

// masks is ExpandMask, FIPS 204 algorithm 34.
func (p *params) masks(rho []byte, kappa int) []poly {
	y := make([]poly, p.l)
	for r := range y {
		counter := kappa + r
		packed := hash(packedSize(p.maskBits), rho, []byte{byte(counter), byte(counter >> 8)})
		unpack(&y[r], packed, p.maskBits)
		for i := range y[r] {
			y[r][i] = sub(p.gamma1, y[r][i])
		}
	}
	return y
}

// sampleInBall is FIPS 204 algorithm 29. The challenge is made public, except in rejected
// rounds, where it tells nothing of the key (FIPS 204 3.2 and the security proof).
func (p *params) sampleInBall(seed []byte) (c poly) {
	h := sha3.NewSHAKE256()
	h.Write(seed)
	var signs [8]byte
	h.Read(signs[:])
	var j [1]byte
	for i := n - p.tau; i < n; i++ {
		h.Read(j[:])
		for int(j[0]) > i {
			h.Read(j[:])
		}
		bit := i + p.tau - n
		c[i] = c[j[0]]
		c[j[0]] = sub(1, 2*uint32(signs[bit/8]>>(bit%8)&1))
	}
	return c
}
