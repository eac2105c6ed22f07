package ca

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"slices"
	"testing"
	"time"
)

func TestLint_whatIsIssued(t *testing.T) {
	root := newRoot(t, time.Hour)
	if findings := Lint(root.Certificate(), nil); findings != nil {
		t.Errorf("root: %+v", findings)
	}
}

// A root ML-DSA-87 is larger than a trust anchor may be, because its key and signature are.
func TestLint_anchorSize(t *testing.T) {
	for kind, want := range map[string][]string{"ML-DSA-65": nil, "ML-DSA-87": {"anchor-size"}} {
		root := rootFor(t, keyOf(t, kind), time.Hour)
		if got := broke(Lint(root.Certificate(), nil)); !slices.Equal(got, want) {
			t.Errorf("%s breaks %q, want %q", kind, got, want)
		}
		child := below(t, root, newKey(t), AuthorityConfig{Subject: pkix.Name{CommonName: "Issuing CA"}, Lifetime: time.Hour})
		if n := pemSize("CERTIFICATE", len(child.Certificate().Raw)); n > maxAnchorPEM {
			t.Errorf("an intermediate below %s cannot be registered either: %d characters", kind, n)
		}
	}
}

// TestLint_manyAttributes: the time that a hostile certificate takes grows with its size, not
// with the square of it.
func TestLint_manyAttributes(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour).Certificate()
	for _, types := range []int{1, 100_000} {
		cert := *root
		cert.Subject.Names = nil
		for i := range 100_000 {
			cert.Subject.Names = append(cert.Subject.Names, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 1000 + i%types}, Value: "x"})
		}
		start := time.Now()
		Lint(&cert, nil)
		if d := time.Since(start); d > 5*time.Second { // it took half a minute
			t.Errorf("100,000 attributes of %d types take %v", types, d)
		}
		if tags := SessionTags(&cert); len(tags) != types+1 {
			t.Errorf("%d tags of %d types", len(tags), types)
		}
	}
}

func TestRefuse(t *testing.T) {
	cert := newRoot(t, time.Hour).Certificate()
	warning := Finding{Rule: "ext-key-usage", Severity: Warning, Text: "w"}
	fatal := Finding{Rule: "digest", Severity: Error, Text: "e"}
	tests := []struct {
		findings []Finding
		allowed  []string
		want     string
	}{
		{nil, nil, ""},
		{[]Finding{warning}, []string{"ext-key-usage"}, ""},
		{[]Finding{warning}, []string{"other"}, `the certificate "CN=Test CA" breaks the rule ext-key-usage: w`},
		{[]Finding{warning, fatal}, nil, `the certificate "CN=Test CA" breaks the rule digest: e (and 1 more)`},
		{[]Finding{fatal}, []string{"digest"}, `the certificate "CN=Test CA" breaks the rule digest: e`},
	}
	for _, tt := range tests {
		err := Refuse(cert, tt.findings, tt.allowed)
		if tt.want == "" {
			if err != nil {
				t.Errorf("%+v, %v: %v", tt.findings, tt.allowed, err)
			}
			continue
		}
		if _, ok := errors.AsType[*LintError](err); !ok || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

func TestCheckAllowed(t *testing.T) {
	if err := CheckAllowed([]string{"ext-key-usage", "outlives-issuer"}); err != nil {
		t.Error(err)
	}
	for name, want := range map[string]string{
		"digest": `the lint rule "digest" is an error; only warnings can be allowed`,
		"nosuch": `there is no lint rule "nosuch"`,
	} {
		if err := CheckAllowed([]string{name}); err == nil || err.Error() != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := CheckAllowed(Allowable()); err != nil || len(Allowable()) < 5 {
		t.Errorf("%q: %v", Allowable(), err)
	}
}

func TestSeverity_String(t *testing.T) {
	for severity, want := range map[Severity]string{Warning: "warning", Error: "error", 0: "severity 0"} {
		if got := severity.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
