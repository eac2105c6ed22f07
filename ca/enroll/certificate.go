package enroll

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// certificate is what the server shows hosts. Its key exists in this process alone.
type certificate struct {
	tls    tls.Certificate
	leaf   *x509.Certificate
	issuer *x509.Certificate
	names  []string
}

// RenewCertificate issues a certificate for the server if it has none, if two thirds of its life
// have passed, or if another authority issues or the names are others by now. It is to be called
// once a minute. After an error the server goes on with what it has.
func (s *Server) RenewCertificate(ctx context.Context) error {
	s.renewing.Lock()
	defer s.renewing.Unlock()
	terms := s.terms.Load()
	issuer, err := s.service.Issuer(ctx, terms.Issuer)
	if err != nil {
		return err
	}
	authority := issuer.Authority()
	if c := s.certificate.Load(); c != nil && !s.isDue(c) && slices.Equal(c.names, terms.Names) && bytes.Equal(c.issuer.Raw, authority.Certificate().Raw) {
		return nil
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	issued, err := s.service.ServerCertificate(ctx, terms.Issuer, key.Public(), terms.Names)
	if err != nil {
		return fmt.Errorf("the certificate of the server: %w", err)
	}
	c := &certificate{leaf: issued.Certificate, issuer: authority.Certificate(), names: terms.Names}
	c.tls = tls.Certificate{Certificate: [][]byte{c.leaf.Raw}, PrivateKey: key, Leaf: c.leaf}
	// With the root, since it is the root's key by which hosts know the CA.
	for _, above := range append([]*x509.Certificate{authority.Certificate()}, authority.Issuers()...) {
		c.tls.Certificate = append(c.tls.Certificate, above.Raw)
	}
	s.certificate.Store(c)
	s.log.Info("the server has a certificate", "names", c.names, "until", rfc3339(c.leaf.NotAfter))
	return nil
}

func (s *Server) isDue(c *certificate) bool {
	life := c.leaf.NotAfter.Sub(c.leaf.NotBefore)
	return !s.now().Before(c.leaf.NotBefore.Add(life * 2 / 3))
}

// KeepCertificate calls RenewCertificate at each tick, until ctx ends. Errors are logged.
func (s *Server) KeepCertificate(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ticks:
			if err := s.RenewCertificate(ctx); err != nil && ctx.Err() == nil {
				s.limited.Warn("the certificate of the server is not renewed", "error", err.Error())
			}
		case <-ctx.Done():
			return
		}
	}
}

var errNoCertificate = errors.New("the server has no certificate yet")

// tlsConfig asks clients for no certificate: a renewal is proven in its body.
func (s *Server) tlsConfig() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := s.certificate.Load()
			if c == nil {
				return nil, errNoCertificate
			}
			return &c.tls, nil
		},
	}
}
