package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/emulator"
	"kedge/signer"
	"kedge/signer/session"
)

// service is the emulator with a root as its trust anchor.
type service struct{ *session.Client }

// newService returns nil when the root is too large to be an anchor, after it made sure that
// the emulator reports it and lint warns.
func newService(t *testing.T, root *Authority) *service {
	t.Helper()
	anchor := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate().Raw})
	e, err := emulator.New(emulator.Config{
		TrustAnchors: []emulator.TrustAnchor{{Certificates: anchor}},
		Profiles:     []emulator.Profile{{}}, Roles: []emulator.Role{{}},
	})
	if len(anchor) > maxAnchorPEM {
		findings := broke(Lint(root.Certificate(), nil))
		if err == nil || !strings.Contains(err.Error(), "8000") || !slices.Equal(findings, []string{"anchor-size"}) {
			t.Errorf("an anchor of %d characters: %v, %v", len(anchor), err, findings)
		}
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	client, err := session.New(session.Config{
		TrustAnchorARN: e.TrustAnchorARN(), ProfileARN: e.ProfileARN(), RoleARN: e.RoleARN(), Endpoint: server.URL, Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &service{client}
}

// accepts fails the test when the service gives no session for a leaf of the authority.
func (s *service) accepts(t *testing.T, a *Authority, leaf *x509.Certificate, key crypto.Signer) {
	t.Helper()
	if s == nil {
		return
	}
	id, err := signer.NewIdentity(key, append([]*x509.Certificate{leaf}, a.Chain()...), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.CreateSession(t.Context(), id); err != nil {
		t.Errorf("%s by %s: %v", KeyType(key.Public()), a.Certificate().Subject, err)
	}
}
