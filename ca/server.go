package ca

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// MaxServerLifetime is the longest lifetime of a server's certificate.
const MaxServerLifetime = 30 * 24 * time.Hour

// ServerRequest is a request for the certificate by which hosts know an enrollment server of this
// CA, or a proxy in front of it.
type ServerRequest struct {
	Public   crypto.PublicKey
	Names    []string      // DNS names and IP addresses, at least one
	Lifetime time.Duration // from now; 0: MaxServerLifetime; cut at the end of the CA's own

	Host, Why string // for the record: which machine it is for, and why
}

// PrepareServer prepares the certificate of an enrollment server: for the extended key usage
// serverAuth alone, with the names in a critical extension and with an empty subject, so that
// CreateSession refuses it and it is no identity at AWS. No profile and no renewal makes such a
// certificate, and [IsServer] recognizes it. If it would not be valid as a server's, or a rule that
// applies to every certificate is broken, the error is a *LintError; if a CA is not valid at now, a
// *ValidityError.
func (a *Authority) PrepareServer(r ServerRequest, now time.Time) (*Prepared, error) {
	template, err := r.template()
	if err != nil {
		return nil, err
	}
	if err := a.distinct(r.Public, namesOf(template)); err != nil {
		return nil, err
	}
	path := a.path()
	if err := checkConstraints(path, constrained(template)); err != nil {
		return nil, err
	}
	if template.NotBefore, template.NotAfter, err = within(path, r.Lifetime, now); err != nil {
		return nil, err
	}
	return draft{
		template: template, public: r.Public, kind: server,
		record: Issued{Server: true, Host: r.Host, Why: r.Why, At: now},
	}.prepare(a.key, path)
}

// template checks the request, sets its default lifetime and returns what it determines of the
// certificate.
func (r *ServerRequest) template() (*x509.Certificate, error) {
	switch {
	case len(r.Names) == 0:
		return nil, errors.New("a server's certificate needs a DNS name or an IP address")
	case r.Lifetime == 0:
		r.Lifetime = MaxServerLifetime
	case r.Lifetime < time.Second || r.Lifetime > MaxServerLifetime:
		return nil, fmt.Errorf("a server's certificate can be valid from one second to %v, not %v", Duration(MaxServerLifetime), Duration(r.Lifetime))
	}
	t := &x509.Certificate{
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	for _, name := range distinctBy(r.Names, strings.ToLower) {
		if addr, err := netip.ParseAddr(name); err == nil && addr.Zone() == "" {
			t.IPAddresses = append(t.IPAddresses, net.IP(addr.Unmap().AsSlice()))
			continue
		}
		if !isDNSName(name) {
			return nil, fmt.Errorf("the server name %q is neither a DNS name, without a wildcard, nor an IP address", name)
		}
		t.DNSNames = append(t.DNSNames, name)
	}
	return t, nil
}

// IsServer reports whether a certificate has the form of a server's: without a subject, and not
// of a CA.
func IsServer(c *x509.Certificate) bool { return !c.IsCA && len(c.RawSubject) <= emptyName }

// emptyName is the length of a name without attributes: an empty SEQUENCE (RFC 5280, 4.1.2.6).
const emptyName = 2

// HostNames returns the names, in lower case, by which TLS clients could take the holder of a
// certificate for a server: its DNS names and addresses and, if it has no DNS name and its extended
// key usages allow a server, its common name, which openssl accepts then.
func HostNames(c *x509.Certificate) []string {
	var names []string
	for _, name := range c.DNSNames {
		names = append(names, strings.ToLower(name))
	}
	if cn := c.Subject.CommonName; len(names) == 0 && cn != "" && allowsServer(c) {
		names = append(names, strings.ToLower(cn))
	}
	for _, ip := range c.IPAddresses {
		if addr, ok := netip.AddrFromSlice(ip); ok {
			names = append(names, addr.Unmap().String())
		}
	}
	return names
}

// allowsServer reports whether the extended key usages of a certificate, if it has any, include
// that of servers.
func allowsServer(c *x509.Certificate) bool {
	return len(c.ExtKeyUsage)+len(c.UnknownExtKeyUsage) == 0 ||
		slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageServerAuth) || slices.Contains(c.ExtKeyUsage, x509.ExtKeyUsageAny)
}

// namesOf returns the subject of a certificate or, if that is empty, its alternative names.
func namesOf(c *x509.Certificate) string {
	if subject := c.Subject.String(); subject != "" {
		return subject
	}
	names := slices.Clone(c.DNSNames)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	return strings.Join(names, ", ")
}
