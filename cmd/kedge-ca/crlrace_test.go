package main

import (
	"crypto/x509"
	"testing"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/cli"
)

// Another process makes a later list, and writes it first. An older one in its place would
// lack what was revoked since.
func TestWriteLast_overtaken(t *testing.T) {
	t.Parallel()
	x := newRehearsal(t)
	x.run("init", "--no-password")
	x.run("crl")
	h := newHost(cli.Streams{})
	h.inputs.Now = func() time.Time { return x.now }
	s, err := openStore(t.Context(), h, &storeFlags{dir: x.path("ca")})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if s.close(&err); err != nil {
			t.Error(err)
		}
	}()
	list := func() (*issuance.CRL, error) {
		return s.makeCRL(t.Context(), issuance.CRLRequest{Authority: rootName, Valid: time.Hour})
	}
	m, err := list()
	if err != nil {
		t.Fatal(err)
	}
	x.run("crl")
	last, err := s.writeLast(t.Context(), m, list)
	if err != nil {
		t.Fatal(err)
	}
	written, parseErr := x509.ParseRevocationList(x.read("ca/crl/ca.der"))
	if parseErr != nil || written.Number.Int64() != 4 || last.Number != 4 {
		t.Errorf("list %v is there, and %d was made: %v", written.Number, last.Number, parseErr)
	}
}
