package mldsakey

import (
	"crypto/mldsa"
	"encoding/asn1"
	"fmt"
)

// Sizes in bytes that all parameter sets share.
const (
	seedSize = 32
	rhoSize  = 32
	kSize    = 32
	trSize   = 64
	muSize   = 64
)

// params is a row of FIPS 204 table 1, with the sizes and widths that follow from it.
type params struct {
	std       mldsa.Parameters
	oid       asn1.ObjectIdentifier // RFC 9881 2
	k, l      int                   // rows and columns of A
	eta       uint32                // largest coefficient of s1 and s2
	etaBits   int                   // width of a packed coefficient of them
	tau       int                   // nonzero coefficients of the challenge
	beta      uint32                // tau * eta
	gamma1    uint32                // range of the mask
	maskBits  int                   // width of a packed coefficient of it
	gamma2    uint32                // half the rounding range
	w1Bits    int                   // width of a packed high part
	omega     int                   // most ones in a hint
	challenge int                   // bytes of the challenge's hash, lambda/4
}

func paramsFor(std mldsa.Parameters) (*params, error) {
	oid := func(last int) asn1.ObjectIdentifier {
		return asn1.ObjectIdentifier{2, 16, 840, 1, 101, 3, 4, 3, last}
	}
	switch std {
	case mldsa.MLDSA44():
		return &params{
			std: std, oid: oid(17), k: 4, l: 4, eta: 2, etaBits: 3, tau: 39, beta: 78, gamma1: 1 << 17, maskBits: 18,
			gamma2: (q - 1) / 88, w1Bits: 6, omega: 80, challenge: 32,
		}, nil
	case mldsa.MLDSA65():
		return &params{
			std: std, oid: oid(18), k: 6, l: 5, eta: 4, etaBits: 4, tau: 49, beta: 196, gamma1: 1 << 19, maskBits: 20,
			gamma2: (q - 1) / 32, w1Bits: 4, omega: 55, challenge: 48,
		}, nil
	case mldsa.MLDSA87():
		return &params{
			std: std, oid: oid(19), k: 8, l: 7, eta: 2, etaBits: 3, tau: 60, beta: 120, gamma1: 1 << 19, maskBits: 20,
			gamma2: (q - 1) / 32, w1Bits: 4, omega: 75, challenge: 64,
		}, nil
	}
	return nil, fmt.Errorf("unknown ML-DSA parameter set %v", std)
}

// expandedSize is the length of skEncode's output (FIPS 204 table 2): 2560, 4032, 4896.
func (p *params) expandedSize() int {
	return rhoSize + kSize + trSize + (p.k+p.l)*packedSize(p.etaBits) + p.k*packedSize(t0Bits)
}
