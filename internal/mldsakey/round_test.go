package mldsakey

import (
	"crypto/mldsa"
	"testing"
)

// TestRounding compares with the definitions of FIPS 204 algorithms 35 and 36, for every
// element of the field.
func TestRounding(t *testing.T) {
	t.Parallel()
	for _, std := range []mldsa.Parameters{mldsa.MLDSA44(), mldsa.MLDSA65()} {
		p, err := paramsFor(std)
		if err != nil {
			t.Fatal(err)
		}
		for r := range uint32(q) {
			if high, low := p.decompose(r); !matchesDecompose(p, r, high, low) {
				t.Fatalf("%v: decompose(%d) = %d, %d", std, r, high, low)
			}
		}
	}
	for r := range uint32(q) {
		high, low := power2Round(r)
		if signed := centered(low); signed <= -(1<<(d-1)) || signed > 1<<(d-1) || int(high)<<d+signed != int(r) {
			t.Fatalf("power2Round(%d) = %d, %d", r, high, low)
		}
	}
}

func matchesDecompose(p *params, r, high, low uint32) bool {
	alpha := 2 * int(p.gamma2)
	r0 := int(r) % alpha
	if r0 > alpha/2 {
		r0 -= alpha
	}
	r1 := (int(r) - r0) / alpha
	if int(r)-r0 == q-1 {
		r1, r0 = 0, r0-1
	}
	return int(high) == r1 && centered(low) == r0
}

func centered(a uint32) int {
	if a > q/2 {
		return int(a) - q
	}
	return int(a)
}
