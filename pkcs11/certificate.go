package pkcs11

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"kedge/internal/wire"
)

// Certificate is one of a token's.
type Certificate struct {
	URI   URI               // matches it, and no certificate with another label and id
	X509  *x509.Certificate // nil where it cannot be parsed
	Error error             // why not
}

// Certificates lists the X.509 certificates that match the URI on all tokens that do, in the
// order of the module. Nobody is logged in for it: certificates are public on most tokens. The
// error is a *NotFoundError where no token matches; no certificate is no error.
func (m *Module) Certificates(ctx context.Context, u URI) ([]Certificate, error) {
	if typ, ok := u.lookup("type"); ok && typ != "cert" {
		return nil, fmt.Errorf("%s: type=%s is not a certificate's", u, typ)
	}
	p, err := m.running(ctx)
	if err != nil {
		return nil, err
	}
	tokens, all, err := p.tokens(ctx, u)
	if err != nil {
		return nil, err
	}
	if len(tokens) == 0 {
		missing := &NotFoundError{URI: u, What: "token"}
		for _, t := range all {
			missing.There = append(missing.There, u.uriOfToken(t))
		}
		return nil, missing
	}
	var found []Certificate
	for _, t := range tokens {
		some, err := p.certificates(ctx, t, u)
		if err != nil {
			return nil, err
		}
		found = append(found, some...)
	}
	return found, nil
}

// certificates lists those of a token that match.
func (p *process) certificates(ctx context.Context, t wire.Slot, u URI) ([]Certificate, error) {
	objects, err := p.find(ctx, t, classCertificate, u, []uint64{attrCertificateType, attrValue})
	if err != nil {
		return nil, err
	}
	var found []Certificate
	for _, o := range objects {
		if typ, ok := wire.ParseUlong(o.Get(attrCertificateType)); ok && typ != certificateX509 {
			continue
		}
		c := Certificate{URI: u.uriOf(t, o, "cert")}
		var err error
		if c.X509, err = x509.ParseCertificate(o.Get(attrValue)); err != nil {
			c.Error = fmt.Errorf("%s: the certificate on the token cannot be read: it is damaged, or not made as RFC 5280 asks", c.URI)
		}
		found = append(found, c)
	}
	return found, nil
}

// Certificate returns the key's certificate on its token: the newest of those that hold its
// public key. The same id or the same label is not asked for, nor enough. The error is a
// *NotFoundError where there is none.
func (k *Key) Certificate(ctx context.Context) (*x509.Certificate, error) {
	all, err := k.certificates(ctx)
	if err != nil {
		return nil, err
	}
	var newest *x509.Certificate
	missing := &NotFoundError{URI: k.uri.without("type").with("type", "cert"), What: "certificate"}
	for _, c := range all {
		missing.There = append(missing.There, c.URI)
		if c.X509 == nil || !sameKey(k.public, c.X509.PublicKey) {
			continue
		}
		if newest == nil || c.X509.NotBefore.After(newest.NotBefore) {
			newest = c.X509
		}
	}
	if newest == nil {
		return nil, missing
	}
	return newest, nil
}

// Chain returns the issuers of leaf that lie on the key's token, nearest first, as far as they
// go: up to a self-signed one, or to one whose issuer is not there. Other certificates on the
// token are left out.
func (k *Key) Chain(ctx context.Context, leaf *x509.Certificate) ([]*x509.Certificate, error) {
	all, err := k.certificates(ctx)
	if err != nil {
		return nil, err
	}
	var chain []*x509.Certificate
	for child := leaf; ; {
		issuer := issuerOf(child, all, chain)
		if issuer == nil {
			return chain, nil
		}
		chain = append(chain, issuer)
		child = issuer
	}
}

// issuerOf returns the certificate whose key signed child, the one that lasts longest where
// several did.
func issuerOf(child *x509.Certificate, all []Certificate, chain []*x509.Certificate) *x509.Certificate {
	if bytes.Equal(child.RawSubject, child.RawIssuer) && child.CheckSignatureFrom(child) == nil {
		return nil
	}
	var best *x509.Certificate
	for _, c := range all {
		if c.X509 == nil || !bytes.Equal(c.X509.RawSubject, child.RawIssuer) || child.CheckSignatureFrom(c.X509) != nil {
			continue
		}
		if slices.ContainsFunc(chain, c.X509.Equal) {
			continue // two that signed each other
		}
		if best == nil || c.X509.NotAfter.After(best.NotAfter) {
			best = c.X509
		}
	}
	return best
}

// certificates lists all of the key's token.
func (k *Key) certificates(ctx context.Context) ([]Certificate, error) {
	for attempt := 1; ; attempt++ {
		at, err := k.found(ctx)
		if err != nil {
			return nil, err
		}
		all, err := at.p.certificates(ctx, at.token, URI{query: k.uri.query})
		if err == nil {
			return all, nil
		}
		const attempts = 3
		if !isLost(err) || attempt == attempts {
			return nil, err
		}
		k.lose(ctx, at)
	}
}
