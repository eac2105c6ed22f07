package enroll

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/hex"
	"slices"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// answer returns what a host gets with a certificate.
func (s *Server) answer(ctx context.Context, c *call, issued *given) (*enrollapi.Answer, error) {
	cert := issued.Certificate
	c.issued = ca.SerialHex(cert)
	bundle, err := s.bundleFor(ctx, issued.root)
	if err != nil {
		return nil, err
	}
	return &enrollapi.Answer{
		Certificate: cert.Raw, Chain: raw(issued.chain), Bundle: bundle,
		Name: cert.Subject.CommonName, Profile: issued.Profile, Serial: c.issued,
		Renew: window(cert, s.now(), s.isBusy()), AWS: s.terms.Load().awsFor(cert),
	}, nil
}

// window is when a host renews: within a twelfth of the life of the certificate after its two
// thirds, at a moment of the host's choice, so that hosts which enrolled together do not renew
// together. A busy server spreads them over a quarter of the life, from its half on.
func window(c *x509.Certificate, now time.Time, busy bool) enrollapi.Window {
	life := c.NotAfter.Sub(c.NotBefore)
	first, last := life*2/3, life*3/4
	if busy {
		first = life / 2
	}
	seconds := func(part time.Duration) int64 { return max(int64(c.NotBefore.Add(part).Sub(now)/time.Second), 0) }
	return enrollapi.Window{After: seconds(first), Before: seconds(last)}
}

// bundleFor returns what a host with a certificate below a root gets: the roots in use, and the links by
// which one that trusts an older root finds the new one. The ledger is asked only if the root has come into
// use within the last minute.
func (s *Server) bundleFor(ctx context.Context, root *x509.Certificate) (all [][]byte, err error) {
	own := s.certificate.Load()
	if own != nil && slices.ContainsFunc(own.bundle, func(der []byte) bool { return bytes.Equal(der, root.Raw) }) {
		all = slices.Clone(own.bundle)
	} else if all, err = s.bundle(ctx); err != nil {
		return nil, err
	}
	if own != nil {
		for _, link := range own.links {
			all = append(all, link.Certificate.Raw)
		}
	}
	return all, nil
}

func (s *Server) isBusy() bool { return s.admission.gate.isBusy(s.terms.Load().Limits.AtOnce, s.now()) }

// bundle returns the roots in use, in DER.
func (s *Server) bundle(ctx context.Context) ([][]byte, error) {
	roots, err := s.service.Anchors(ctx, "")
	if err != nil {
		return nil, err
	}
	var all [][]byte
	for _, root := range roots {
		all = append(all, root.Certificate.Raw)
	}
	return all, nil
}

// describe returns what anybody may know of the CA.
func (s *Server) describe(ctx context.Context) (*enrollapi.CA, error) {
	bundle, err := s.bundle(ctx)
	if err != nil {
		return nil, err
	}
	path, err := s.service.Path(ctx, s.terms.Load().Issuer)
	if err != nil {
		return nil, err
	}
	key := pin(path[len(path)-1].Certificate)
	return &enrollapi.CA{Bundle: bundle, Audience: hex.EncodeToString(key[:])}, nil
}

func raw(certs []*x509.Certificate) [][]byte {
	var all [][]byte
	for _, c := range certs {
		all = append(all, c.Raw)
	}
	return all
}
