package enrollclient

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"

	"kedge/internal/enrollapi"
)

// maxClockError bounds how far a host's clock may be from the validity of a server's certificate: the
// host finds out the time from the server's answer.
const maxClockError = 48 * time.Hour

// Pin is the hash of the key of a CA: SHA-256 of its SubjectPublicKeyInfo.
type Pin [enrollapi.KeyHashSize]byte

func pinOf(c *x509.Certificate) Pin { return sha256.Sum256(c.RawSubjectPublicKeyInfo) }

// split returns the certificates with the pinned key as roots, and the others.
func (p Pin) split(certs []*x509.Certificate) (roots, others *x509.CertPool) {
	roots, others = x509.NewCertPool(), x509.NewCertPool()
	for _, c := range certs {
		if pinOf(c) == p {
			roots.AddCert(c)
		} else {
			others.AddCert(c)
		}
	}
	return roots, others
}

// serverTLS returns how a server is verified: the chain that it presents must lead to the pinned key.
// What else is in the certificate with that key does not count.
func serverTLS(host string, pin Pin, now func() time.Time) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		ServerName: host,
		// The chain is verified below, against the pinned key instead of the roots of the system.
		InsecureSkipVerify: true,
		VerifyConnection: func(s tls.ConnectionState) error {
			return verifyServer(s.PeerCertificates, host, pin, now())
		},
	}
}

// verifyServer checks the certificates of a server, its own first.
func verifyServer(certs []*x509.Certificate, host string, pin Pin, now time.Time) error {
	if len(certs) == 0 {
		return &UntrustedError{Reason: "it has no certificate"}
	}
	leaf := certs[0]
	roots, others := pin.split(certs[1:])
	options := x509.VerifyOptions{
		Roots: roots, Intermediates: others, DNSName: host, CurrentTime: now,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	_, err := leaf.Verify(options)
	if isExpired(err) {
		options.CurrentTime = nearest(now, leaf)
		if options.CurrentTime.Sub(now).Abs() <= maxClockError {
			_, err = leaf.Verify(options)
		}
	}
	if err != nil {
		return unverified(leaf, options, err)
	}
	if !slices.Contains(leaf.ExtKeyUsage, x509.ExtKeyUsageServerAuth) {
		return &UntrustedError{Reason: "its certificate is not one for servers"}
	}
	return nil
}

// unverified reports why a certificate does not verify. A wrong name hides what else is wrong: only where
// nothing is, the server is the CA's under another URL.
func unverified(leaf *x509.Certificate, options x509.VerifyOptions, err error) *UntrustedError {
	host, misnamed := options.DNSName, errors.As(err, new(x509.HostnameError))
	if misnamed {
		options.DNSName = ""
		if _, chain := leaf.Verify(options); chain != nil {
			err, misnamed = chain, false
		}
	}
	return &UntrustedError{Reason: whyUntrusted(err, host), Other: misnamed}
}

func isExpired(err error) bool {
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok && invalid.Reason == x509.Expired
}

// nearest returns the time within the validity of a certificate that is nearest to now.
func nearest(now time.Time, c *x509.Certificate) time.Time {
	switch {
	case now.Before(c.NotBefore):
		return c.NotBefore
	case now.After(c.NotAfter):
		return c.NotAfter
	}
	return now
}

// whyUntrusted describes why a chain does not verify.
func whyUntrusted(err error, host string) string {
	if errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.SystemRootsError)) {
		return "its certificate does not lead to the key of the CA that this host knows"
	}
	if errors.As(err, new(x509.HostnameError)) {
		return fmt.Sprintf("its certificate is not for the name %q", host)
	}
	invalid, ok := errors.AsType[x509.CertificateInvalidError](err)
	switch {
	case ok && invalid.Reason == x509.Expired:
		return "its certificate is not valid at the time of this host's clock"
	case ok && invalid.Reason == x509.IncompatibleUsage:
		return "its certificate is not one for servers"
	}
	return "its certificate does not verify"
}
