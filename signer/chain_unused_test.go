package signer

import (
	"crypto/x509"
	"strings"
	"testing"
	"time"
)

func until(t time.Time) func(*x509.Certificate) {
	return func(c *x509.Certificate) { c.NotAfter = t }
}

// Each certificate that is not sent has its reason; the first is that of the certificate in question.
func TestIdentity_Unused(t *testing.T) {
	rootA, rootB := mint(t, "root A", nil, asCA), mint(t, "root B", nil, asCA)
	byA := mint(t, "ca", rootA, asCA)
	again := func(issuer *minted, change ...func(*x509.Certificate)) *minted {
		return mintFor(t, byA.key, "ca", issuer, append([]func(*x509.Certificate){asCA}, change...)...)
	}
	byB, expired := again(rootB, years(1)), again(rootB, until(noon.Add(-time.Hour)))
	early := again(rootB, func(c *x509.Certificate) { c.NotBefore = noon.Add(time.Hour) })
	deep := []*minted{rootA}
	for i := range 5 {
		deep = append(deep, mint(t, strings.Repeat("i", i+1), deep[i], asCA))
	}
	tooFar := again(deep[5], years(9))
	leafOfByA := mint(t, "leaf", byA)
	deadEnd := mint(t, "middle", rootB, asCA, until(noon.Add(-time.Hour)))
	low := mintFor(t, deadEnd.key, "middle", rootB, asCA, func(c *x509.Certificate) { c.MaxPathLenZero = true; c.NotAfter = noon.AddDate(2, 0, 0) })
	for _, tt := range []struct {
		name    string
		leaf    *minted
		given   []*minted
		want    string // empty for nothing
		related bool
	}{
		{"all is sent", leafOfByA, []*minted{byA}, "", false},
		{"the root at the end", leafOfByA, []*minted{byA, rootA}, "", false},
		{"given twice", leafOfByA, []*minted{byA, byA, leafOfByA}, "", false},
		{"another path is valid longer", leafOfByA, []*minted{byA, byB}, "the path that is sent is valid longer, until 2027-11-01T12:00:00Z", true},
		{"another path is as good", leafOfByA, []*minted{byA, again(rootB)}, "the path that is sent is as good", true},
		{"another path reaches a root", leafOfByA, []*minted{byA, byB, rootA}, "the path that is sent reaches a root that was given", true},
		{"expired", leafOfByA, []*minted{byA, expired}, "it expired at 2026-11-01T11:00:00Z", true},
		{"not valid yet", leafOfByA, []*minted{byA, early}, "it is not valid before 2026-11-01T13:00:00Z", true},
		{"another key", leafOfByA, []*minted{byA, mint(t, "ca", rootA, asCA)}, `it has the name of the CA that issued "CN=leaf", but its key did not sign that`, true},
		{"not a CA", leafOfByA, []*minted{byA, mintFor(t, byA.key, "ca", rootA)}, "it is not a CA (basicConstraints)", true},
		{"may not sign", leafOfByA, []*minted{byA, mintFor(t, byA.key, "ca", rootA, func(c *x509.Certificate) { c.IsCA = true })}, "it may not sign certificates (keyUsage lacks keyCertSign)", true},
		{"a defect further on", leafOfByA, []*minted{byA, again(deadEnd), deadEnd}, `every path through it has a defect: certificate "CN=middle" expired at 2026-11-01T11:00:00Z; it is 2026-11-01T12:00:00Z now`, true},
		{"path length", leafOfByA, []*minted{byA, again(deadEnd, years(3)), low}, `every path through it has a defect: certificate "CN=middle" has the path length 0, and 1 intermediates are below it`, true},
		{"above another path", leafOfByA, []*minted{byA, byB, mintFor(t, rootB.key, "root B", rootA, asCA), rootA, rootB}, "the path that is sent reaches a root that was given", true},
		{"a defect beside a root", mint(t, "leaf", rootA), []*minted{rootA, mintFor(t, rootA.key, "root A", deadEnd, asCA), deadEnd}, `every path through it has a defect: certificate "CN=middle" expired at 2026-11-01T11:00:00Z; it is 2026-11-01T12:00:00Z now`, true},
		{"a stranger", leafOfByA, []*minted{byA, rootB}, "it issued none of the certificates of the path", false},
		{"the old leaf", leafOfByA, []*minted{byA, mintFor(t, leafOfByA.key, "leaf", rootB, until(noon.Add(time.Minute)))}, "it is another certificate of the same key", false},
		{"too far up", leafOfByA, append([]*minted{byA, tooFar}, deep[1:]...), "every path through it has a defect: certificate \"CN=leaf\" needs more than 5 intermediates to reach its root; no more can be sent", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			certs := []*x509.Certificate{tt.leaf.Certificate}
			for _, c := range tt.given {
				certs = append(certs, c.Certificate)
			}
			id, err := NewIdentity(tt.leaf.key, certs, noon)
			if err != nil {
				t.Fatal(err)
			}
			unused := id.Unused()
			switch {
			case tt.want == "" && len(unused) > 0:
				t.Errorf("unused %v", unused)
			case tt.want != "" && (len(unused) == 0 || unused[0].Reason != tt.want || unused[0].Related != tt.related):
				t.Errorf("got %v\nwant %s", unused, tt.want)
			}
		})
	}
}

func TestIdentity_TopIssuer(t *testing.T) {
	root := mint(t, "root", nil, asCA)
	ca := mint(t, "ca", root, asCA)
	leaf := mint(t, "leaf", ca)
	for _, tt := range []struct {
		given     []*minted
		want      string
		rootGiven bool
	}{
		{[]*minted{leaf}, "CN=ca", false},
		{[]*minted{leaf, ca}, "CN=root", false},
		{[]*minted{leaf, root}, "CN=ca", false},
		{[]*minted{leaf, ca, root}, "CN=root", true},
	} {
		var certs []*x509.Certificate
		for _, c := range tt.given {
			certs = append(certs, c.Certificate)
		}
		id, err := NewIdentity(leaf.key, certs, noon)
		if err != nil {
			t.Fatal(err)
		}
		if got, rootGiven := id.TopIssuer(); got != tt.want || rootGiven != tt.rootGiven {
			t.Errorf("%d given: %s, root given %t", len(certs), got, rootGiven)
		}
	}
}
