package ca

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"
)

// TestLintForeign: the warnings about a CA certificate before it is imported, and the errors.
func TestLintForeign(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	tests := []struct {
		extensions string
		at         time.Duration // after noon of the day it is made
		warnings   []string
		refused    string
	}{
		{"", 0, nil, ""},
		// smallstep/certificates#2092: the root that mkcert makes
		{"basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign", 0, []string{"key-usage-crl-sign", "no-authority-below"}, ""},
		{"", 40 * 24 * time.Hour, []string{"in-date"}, ""},
		{"", -24 * time.Hour, []string{"in-date"}, ""},
		{"extendedKeyUsage=serverAuth", 0, nil, "the rule ca-ext-key-usage: has extended key usages without clientAuth"},
		{"keyUsage=critical,cRLSign", 0, nil, "the rule key-usage-cert-sign: "},
	}
	for _, tt := range tests {
		made, cert := o.sign(opensslCert{subject: "/CN=Root", extensions: tt.extensions}, caExtensions, nil)
		warnings, err := LintForeign(cert, nil, cert.NotBefore.Add(tt.at))
		if got := broke(warnings); !slices.Equal(got, tt.warnings) {
			t.Errorf("%q: warns of %q, want %q", tt.extensions, got, tt.warnings)
		}
		for _, w := range warnings {
			if w.Severity != Warning || w.Source == "" {
				t.Errorf("%+v", w)
			}
		}
		_, ok := errors.AsType[*LintError](err)
		if tt.refused == "" && err != nil || tt.refused != "" && (!ok || !strings.Contains(err.Error(), tt.refused)) {
			t.Errorf("%q: %v", tt.extensions, err)
		}
		// An intermediate cannot be renewed here when it has ended.
		_, below := o.sign(opensslCert{subject: "/CN=Below", args: []string{"-days", "20"}}, intermediateExtensions, &made)
		_, err = LintForeign(below, made.path, below.NotBefore.Add(tt.at)) // made a moment after the root
		if good := tt.at == 0 && tt.extensions == ""; good != (err == nil) {
			t.Errorf("%q: an intermediate below: %v", tt.extensions, err)
		}
	}
}

// TestRenewal_addsCRLSign: the renewal of a root by its own key may sign CRLs, whatever the
// program that made it thought of that, also when the root has ended.
func TestRenewal_addsCRLSign(t *testing.T) {
	t.Parallel()
	o := newOpenSSL(t)
	made, cert := o.sign(opensslCert{subject: "/CN=Root", extensions: "basicConstraints=critical,CA:TRUE,pathlen:0\nkeyUsage=critical,keyCertSign"}, caExtensions, nil)
	a, err := New(cert, o.signer(made))
	if err != nil {
		t.Fatal(err)
	}
	now := cert.NotAfter.Add(time.Hour)
	prepared, err := a.PrepareRenewal(Renewal{Old: cert}, now)
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := New(issue(t, prepared), o.signer(made))
	if err != nil {
		t.Fatal(err)
	}
	if warnings, err := LintForeign(renewed.Certificate(), nil, now); err != nil || !slices.Equal(broke(warnings), []string{"no-authority-below"}) {
		t.Errorf("the renewed root: %q, %v", broke(warnings), err)
	}
	c := weekly(1)
	c.ThisUpdate, c.NextUpdate = now, now.Add(time.Hour)
	if _, err := renewed.CRL(nil, c); err != nil {
		t.Error(err)
	}
}
