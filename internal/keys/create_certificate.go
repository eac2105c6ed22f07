package keys

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"

	"kedge/pkcs11"
)

// Import writes a certificate to a token, beside its private key: the one that the pkcs11: URI
// matches. certs are the certificate and after it those of its issuers to write too, in any order.
// Roots are left out, since hosts do not send them, and so are issuers that are on the token
// already. It returns the URI of the certificate.
//
// A certificate for another key, one that is on the token already, or another certificate that is
// no issuer is an error, and nothing is changed. Other errors are those of Open.
func Import(ctx context.Context, uri string, certs []*x509.Certificate, o Options) (string, error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return "", err
	}
	leaf := certs[0]
	issuers, err := path(certs)
	if err != nil {
		return "", err
	}
	mod, err := pkcs11.Load(ctx, u, o.TokenOptions())
	if err != nil {
		return "", err
	}
	defer mod.Close()
	key, err := mod.Key(ctx, u, leaf.PublicKey)
	if err != nil {
		return "", err
	}
	token := key.URI().Token()
	there, err := find(ctx, mod, token, leaf)
	switch {
	case err != nil:
		return "", err
	case there != "":
		return "", fmt.Errorf("the certificate is on the token already: %s", there)
	}
	if err := importMissing(ctx, mod, token, issuers); err != nil {
		return "", err
	}
	if err := mod.ImportCertificate(ctx, key.URI(), leaf); err != nil { // last: if it is there, so are the issuers
		return "", err
	}
	return find(ctx, mod, token, leaf)
}

// importMissing writes those of the certificates to the token that it does not have.
func importMissing(ctx context.Context, mod *pkcs11.Module, token pkcs11.URI, certs []*x509.Certificate) error {
	for _, c := range certs {
		there, err := find(ctx, mod, token, c)
		if err == nil && there == "" {
			err = mod.ImportCertificate(ctx, token, c)
		}
		if err != nil {
			return fmt.Errorf("certificate of %s: %w", c.Subject, err)
		}
	}
	return nil
}

// path returns the issuers of the first certificate, nearest first, without the root.
func path(certs []*x509.Certificate) (issuers []*x509.Certificate, err error) {
	rest := certs[1:]
	for child := certs[0]; ; child = issuers[len(issuers)-1] {
		issuer, others := takeIssuer(rest, child)
		if issuer == nil {
			break
		}
		issuers, rest = append(issuers, issuer), others
	}
	for _, c := range rest {
		if !isRoot(c) {
			return nil, fmt.Errorf("the certificate of %s is not one of its issuers", c.Subject)
		}
	}
	return issuers, nil
}

// takeIssuer finds the issuer of child, unless that is a root, and returns the others too.
func takeIssuer(certs []*x509.Certificate, child *x509.Certificate) (issuer *x509.Certificate, others []*x509.Certificate) {
	for _, c := range certs {
		if issuer == nil && !isRoot(c) && child.CheckSignatureFrom(c) == nil {
			issuer = c
			continue
		}
		others = append(others, c)
	}
	return issuer, others
}

func isRoot(c *x509.Certificate) bool {
	return bytes.Equal(c.RawSubject, c.RawIssuer) && c.CheckSignature(c.SignatureAlgorithm, c.RawTBSCertificate, c.Signature) == nil
}

// find returns the URI of a certificate on a token, or "" if it is not there.
func find(ctx context.Context, mod *pkcs11.Module, token pkcs11.URI, cert *x509.Certificate) (string, error) {
	all, err := mod.Certificates(ctx, token)
	if err != nil {
		return "", err
	}
	for _, c := range all {
		if c.X509 != nil && c.X509.Equal(cert) {
			return c.URI.String(), nil
		}
	}
	return "", nil
}
