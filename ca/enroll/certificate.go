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

	"kedge/ca"
	"kedge/ca/issuance"
)

// certificate is what the server shows hosts. Its key exists in this process alone.
type certificate struct {
	tls   tls.Certificate
	leaf  *x509.Certificate
	path  []*x509.Certificate // above leaf, to the root
	links []issuance.Link     // from older roots to that root
	names []string
	// bundle has the roots in use when the certificate was last checked, in DER.
	bundle [][]byte
}

// pathOf returns an authority and those above it, to the root.
func pathOf(a *ca.Authority) []*x509.Certificate {
	return append([]*x509.Certificate{a.Certificate()}, a.Issuers()...)
}

func (c *certificate) root() *x509.Certificate { return c.path[len(c.path)-1] }

// chain returns what is sent: the root too, since it is a root's key by which hosts know the CA, and
// the way to it from each older root that a host may know.
func (c *certificate) chain() [][]byte {
	all := append([]*x509.Certificate{c.leaf}, c.path...)
	for _, link := range c.links {
		all = append(all, link.Certificate, link.Older)
	}
	return raw(all)
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
	links, err := s.service.Links(ctx, terms.Issuer)
	if err != nil {
		s.limited.Warn("hosts that know only an older root do not find the new one", "error", err.Error())
	}
	bundle, err := s.bundle(ctx)
	if err != nil {
		return err
	}
	next := &certificate{path: pathOf(issuer.Authority()), links: links, names: terms.Names, bundle: bundle}
	if c := s.certificate.Load(); c == nil || s.isDue(c) || !slices.Equal(c.names, next.names) || !bytes.Equal(c.path[0].Raw, next.path[0].Raw) {
		err = s.newCertificate(ctx, next)
	} else if len(c.links) != len(links) || !slices.EqualFunc(c.bundle, bundle, bytes.Equal) {
		next.leaf, next.tls = c.leaf, c.tls
	} else {
		return nil
	}
	if err != nil {
		return err
	}
	next.tls.Certificate = next.chain()
	s.certificate.Store(next)
	return nil
}

// newCertificate makes the key of a certificate, and issues it.
func (s *Server) newCertificate(ctx context.Context, c *certificate) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	issued, err := s.service.ServerCertificate(ctx, s.terms.Load().Issuer, key.Public(), c.names)
	if err != nil {
		return fmt.Errorf("the certificate of the server: %w", err)
	}
	c.leaf = issued.Certificate
	c.tls = tls.Certificate{PrivateKey: key, Leaf: c.leaf}
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

// tlsConfig asks clients for a certificate only if there is EST: a renewal of kedge is proven in its
// body. None is verified here: at each request the ledger is asked, which takes expired ones too.
func (s *Server) tlsConfig() *tls.Config {
	config := &tls.Config{
		MinVersion: tls.VersionTLS12,
		NextProtos: []string{"http/1.1", "http/1.0"},
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			c := s.certificate.Load()
			if c == nil {
				return nil, errNoCertificate
			}
			return &c.tls, nil
		},
	}
	asking := config.Clone()
	asking.ClientAuth = tls.RequestClientCert
	config.GetConfigForClient = func(*tls.ClientHelloInfo) (*tls.Config, error) {
		if s.terms.Load().EST == nil {
			return config, nil
		}
		return asking, nil
	}
	return config
}
