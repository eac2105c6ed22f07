package emulator

import (
	"bytes"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"strings"
	"time"

	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

const (
	maxChain = 5        // guide, "authentication-sign-process": X-Amz-X509-Chain
	maxLeaf  = 16 << 10 // bytes of DER (guide, "quotas")
	minRSA   = 2048     // bits
)

// sentCertificates are the certificates in a request.
type sentCertificates struct {
	leaf  *x509.Certificate
	chain []*x509.Certificate // the leaf's issuer first
}

// certificatesOf parses X-Amz-X509 and X-Amz-X509-Chain: base64 of DER, the chain separated by commas
// (guide, "authentication-sign-process", task 4). The answers to invalid headers, and to a chain
// that is too long, are ours.
func certificatesOf(r wire.Request) (*sentCertificates, *wire.Error) {
	value, err := r.Once("X-Amz-X509")
	if err != nil {
		return nil, wire.Denied(textSignature, "%v", err)
	}
	leaf, err := decodeCertificate(value)
	if err != nil {
		return nil, wire.Denied(textSignature, "X-Amz-X509: %v", err)
	}
	sent := &sentCertificates{leaf: leaf}
	if len(r.Header["X-Amz-X509-Chain"]) == 0 {
		return sent, nil
	}
	if value, err = r.Once("X-Amz-X509-Chain"); err != nil {
		return nil, wire.Denied(textSignature, "%v", err)
	}
	parts := strings.Split(value, ",")
	if len(parts) > maxChain {
		return nil, wire.Denied(textUntrusted, "the chain has %d certificates; %d is the most", len(parts), maxChain)
	}
	for i, part := range parts {
		cert, err := decodeCertificate(part)
		if err != nil {
			return nil, wire.Denied(textSignature, "X-Amz-X509-Chain, certificate %d: %v", i+1, err)
		}
		sent.chain = append(sent.chain, cert)
	}
	return sent, nil
}

func decodeCertificate(s string) (*x509.Certificate, error) {
	der, err := base64.StdEncoding.Strict().DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("not base64: %w", err)
	}
	return x509.ParseCertificate(der)
}

// checkLeaf checks the end-entity certificate by the guide, "trust-model" (signature validation):
// X.509 v3, CA false, digitalSignature, SHA-256 or better, and a subject. The minimum size of an
// RSA key is ours.
func checkLeaf(leaf *x509.Certificate) *wire.Error {
	key, isRSA := leaf.PublicKey.(*rsa.PublicKey)
	switch {
	case isRSA && key.N.BitLen() < minRSA:
		return wire.Denied(textInsufficient, "the leaf's RSA key has %d bits; %d is the least", key.N.BitLen(), minRSA)
	case len(leaf.Raw) > maxLeaf:
		return wire.Denied(textInsufficient, "the leaf has %d bytes; %d is the most", len(leaf.Raw), maxLeaf)
	case leaf.Version != 3:
		return wire.Denied(textInsufficient, "the leaf is X.509 version %d, not 3", leaf.Version)
	case leaf.IsCA:
		return wire.Denied(textInsufficient, "the leaf is a CA")
	case leaf.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return wire.Denied(textInsufficient, "the leaf has no key usage digitalSignature")
	case !rolesanywhere.StrongSignature(leaf):
		return wire.Denied(textInsufficient, "the leaf is signed with %s; SHA-256 or better is needed", leaf.SignatureAlgorithm)
	case len(leaf.Subject.Names) == 0:
		return wire.Denied(textInsufficient, "the leaf's subject is empty")
	}
	return nil
}

// pathTo verifies the leaf against the anchor and returns the path up to one of the anchor's
// certificates. The chain must be in order, each certificate issuing the one before it (field
// reports: "Untrusted signing certificate" for a wrong order). The anchor's own certificate may be
// the last one.
//
// The answer to a certificate outside its validity is ours: its text has not been published.
func pathTo(a *rolesanywhere.TrustAnchor, sent *sentCertificates, now time.Time) ([]*x509.Certificate, *wire.Error) {
	path := append([]*x509.Certificate{sent.leaf}, sent.chain...)
	why := "the anchor has no certificate"
	for _, root := range a.Certificates() {
		full := path
		if !path[len(path)-1].Equal(root) {
			full = append(path[:len(path):len(path)], root)
		}
		if why = checkPath(full, now); why == "" {
			return full, nil
		}
	}
	return nil, wire.Denied(textUntrusted, "%s", why)
}

// checkValidity returns why a certificate is not valid at a time, or "".
func checkValidity(cert *x509.Certificate, now time.Time) string {
	if now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
		return fmt.Sprintf("%q is valid from %s to %s only", cert.Subject, cert.NotBefore.Format(time.RFC3339), cert.NotAfter.Format(time.RFC3339))
	}
	return ""
}

// checkPath validates a whole path, leaf first (RFC 5280 6.1), and returns why it is invalid, or
// "".
func checkPath(path []*x509.Certificate, now time.Time) string {
	if len(path) < 2 {
		return "the leaf is the trust anchor itself"
	}
	options := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(),
		CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	options.Roots.AddCert(path[len(path)-1])
	for i, issuer := range path[1:] {
		cert := path[i]
		// Verify below takes the shortest way to the root, and may not check this certificate.
		if why := checkValidity(cert, now); why != "" {
			return why
		}
		if !bytes.Equal(cert.RawIssuer, issuer.RawSubject) {
			return fmt.Sprintf("%q names the issuer %q, but the next certificate is %q: a certificate is missing or out of order",
				cert.Subject, cert.Issuer, issuer.Subject)
		}
		// RFC 5280 4.2.1.3: a CA certificate has the extension; crypto/x509 accepts one without it.
		if issuer.KeyUsage&x509.KeyUsageCertSign == 0 {
			return fmt.Sprintf("%q has no key usage keyCertSign", issuer.Subject)
		}
		if err := cert.CheckSignatureFrom(issuer); err != nil {
			return fmt.Sprintf("%q is not signed by %q: %v", cert.Subject, issuer.Subject, err)
		}
		if i > 0 {
			options.Intermediates.AddCert(cert)
		}
	}
	// Validity, path length, name constraints, policies, and unknown critical extensions.
	if _, err := path[0].Verify(options); err != nil {
		return err.Error()
	}
	return ""
}
