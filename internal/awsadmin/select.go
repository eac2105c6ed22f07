package awsadmin

import (
	"crypto/x509"

	"kedge/ca"
	"kedge/internal/cadir"
	"kedge/internal/emulator/policy"
)

// Selector reports which certificates are those of hosts. It is safe for concurrent use.
type Selector struct{ trust *policy.Document }

// NewSelector returns the selector of hosts. Errors are those of [Trust.Policy].
func NewSelector(h Hosts) (*Selector, error) {
	text, err := Trust{Hosts: h, Anchor: anyAnchor}.Policy()
	if err != nil {
		return nil, err
	}
	trust, err := policy.Parse(policy.Trust, text)
	if err != nil {
		return nil, &MalformedError{err}
	}
	return &Selector{trust}, nil
}

// SelectorOf returns the selector of hosts that aws.yaml has.
func SelectorOf(h cadir.RoleHosts) (*Selector, error) {
	return NewSelector(Hosts{Names: h.Names, URIs: h.SANURIs, Units: h.Units, Issuers: h.Issuers})
}

// Selects reports whether a trust policy for the hosts gives a certificate of the CA the role, with the mapping that a
// profile has by default.
func (s *Selector) Selects(cert *x509.Certificate) bool {
	session := sessionOf(cert, DefaultMapping())
	session.TrustAnchor, session.Account, session.Now = anyAnchor, accountIn(anyAnchor), cert.NotBefore
	return session.Authorize(s.trust).Outcome == policy.Allowed
}

// sessionOf returns the session that a certificate asks for.
func sessionOf(cert *x509.Certificate, mapping *Mapping) policy.CertificateSession {
	return policy.CertificateSession{Tags: mapping.tags(ca.SessionTags(cert)), SourceIdentity: ca.SourceIdentity(cert), SessionName: ca.SerialHex(cert)}
}
