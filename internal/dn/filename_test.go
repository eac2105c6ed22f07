package dn

import "testing"

func TestFileName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"web-01": "web-01", "spiffe://example.org/web": "spiffe___example.org_web", `a\b`: "a_b", "..": "", "-x": "x", "../../etc/passwd": "_.._etc_passwd",
	} {
		if got := FileName(name); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
