package mldsakey

import (
	"crypto/subtle"
	"errors"
	"fmt"
)

const (
	d      = 13     // bits dropped from t
	t0Bits = d      // width of a packed coefficient of t0
	t1Bits = 23 - d // and of t1
)

func packedSize(width int) int { return n * width / 8 }

// appendPacked is FIPS 204 algorithm 16: width bits of each coefficient, lowest first.
func appendPacked(dst []byte, a *poly, width int) []byte {
	var buf uint64
	filled := 0
	for _, c := range a {
		buf |= uint64(c) << filled
		for filled += width; filled >= 8; filled -= 8 {
			dst = append(dst, byte(buf))
			buf >>= 8
		}
	}
	return dst
}

// unpack is FIPS 204 algorithm 18, without its bound.
func unpack(a *poly, packed []byte, width int) {
	var buf uint64
	filled, next := 0, 0
	for i := range a {
		for ; filled < width; filled += 8 {
			buf |= uint64(packed[next]) << filled
			next++
		}
		a[i] = uint32(buf) & (1<<width - 1)
		buf >>= width
		filled -= width
	}
}

// appendSigned is FIPS 204 algorithm 17: it packs top - c, for small c of either sign.
func appendSigned(dst []byte, v []poly, top uint32, width int) []byte {
	for i := range v {
		var shifted poly
		for j, c := range v[i] {
			shifted[j] = sub(top, c)
		}
		dst = appendPacked(dst, &shifted, width)
	}
	return dst
}

// unpackSigned is the inverse of appendSigned, and reports whether a value was above largest.
func unpackSigned(v []poly, packed []byte, width int, top, largest uint32) (rest []byte, ok bool) {
	var over uint32
	for i := range v {
		unpack(&v[i], packed, width)
		packed = packed[packedSize(width):]
		for j, c := range v[i] {
			over |= mask(largest, c)
			v[i][j] = sub(top, c)
		}
	}
	return packed, over == 0
}

// publicBytes is pkEncode, FIPS 204 algorithm 22.
func publicBytes(rho []byte, t1 []poly) []byte {
	out := append([]byte(nil), rho...)
	for i := range t1 {
		out = appendPacked(out, &t1[i], t1Bits)
	}
	return out
}

// bytes is skEncode, FIPS 204 algorithm 24.
func (sk *secret) bytes() []byte {
	p := sk.params
	out := make([]byte, 0, p.expandedSize())
	out = append(out, sk.rho...)
	out = append(out, sk.key...)
	out = append(out, sk.tr...)
	out = appendSigned(out, sk.s1, p.eta, p.etaBits)
	out = appendSigned(out, sk.s2, p.eta, p.etaBits)
	return appendSigned(out, sk.t0, 1<<(d-1), t0Bits)
}

// decodeSecret is skDecode, FIPS 204 algorithm 25, with the checks of what it decodes.
func decodeSecret(p *params, expanded []byte) (*secret, error) {
	if len(expanded) != p.expandedSize() {
		return nil, fmt.Errorf("%v expanded key of %d bytes, must be %d", p.std, len(expanded), p.expandedSize())
	}
	sk := &secret{params: p, s1: make([]poly, p.l), s2: make([]poly, p.k), t0: make([]poly, p.k)}
	rest := append([]byte(nil), expanded...)
	sk.rho, rest = rest[:rhoSize:rhoSize], rest[rhoSize:]
	sk.key, rest = rest[:kSize:kSize], rest[kSize:]
	sk.tr, rest = rest[:trSize:trSize], rest[trSize:]
	rest, ok1 := unpackSigned(sk.s1, rest, p.etaBits, p.eta, 2*p.eta)
	rest, ok2 := unpackSigned(sk.s2, rest, p.etaBits, p.eta, 2*p.eta)
	if !ok1 || !ok2 {
		return nil, fmt.Errorf("%v expanded key: a secret coefficient is out of range", p.std)
	}
	unpackSigned(sk.t0, rest, t0Bits, 1<<(d-1), 1<<d-1)
	return sk, nil
}

// check computes the public key anew and compares what the expanded key says about it. A key
// whose parts come from different keys would sign, but nothing could verify it.
func (sk *secret) check(t0 []poly) error {
	given := appendSigned(nil, sk.t0, 1<<(d-1), t0Bits)
	computed := appendSigned(nil, t0, 1<<(d-1), t0Bits)
	sameT0 := subtle.ConstantTimeCompare(given, computed)
	sameHash := subtle.ConstantTimeCompare(sk.tr, hash(trSize, sk.public))
	if sameT0&sameHash != 1 {
		return errors.New("expanded ML-DSA key: its parts do not belong together")
	}
	return nil
}

// appendHint is FIPS 204 algorithm 20.
func (p *params) appendHint(dst []byte, hint []poly) []byte {
	packed := make([]byte, p.omega+p.k)
	index := 0
	for i := range hint {
		for j, bit := range hint[i] {
			if bit != 0 { // the hint is part of the signature
				packed[index] = byte(j)
				index++
			}
		}
		packed[p.omega+i] = byte(index)
	}
	return append(dst, packed...)
}
