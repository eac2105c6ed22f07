package ca

import (
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Renewal specifies how to renew a certificate: with the same names, a new serial number and a new
// validity.
type Renewal struct {
	// Old is the certificate. The caller must know from its ledger that it was issued here; another
	// authority may have issued it, such as one that is being rotated out.
	Old *x509.Certificate

	// Profile is required for leaves: it must still allow the names, and key usages and CRL URLs
	// are taken from it. The subject is copied byte by byte, whatever is in the template now, since
	// sessions are keyed by it.
	Profile *Profile

	Public        crypto.PublicKey // nil: the same key
	Lifetime      time.Duration    // 0: as long as Old's, but not longer than the profile's maximum
	Longest       time.Duration    // of a leaf, as in Request
	AllowWarnings []string         // as in Request and AuthorityConfig
	Host, Why     string           // for the record
	Published     Published        // as in Request

	AllowRevokedKey bool // as in Issued
}

// PrepareRenewal prepares the certificate that replaces r.Old: a leaf or an intermediate that this
// authority issues from now on, or the authority's own certificate if it is a root, with the same
// key. (A root with another key is made by PrepareRoot.) A CA certificate keeps its path length,
// name constraints and CRL URLs; one that is limited by other extensions is not renewed.
func (a *Authority) PrepareRenewal(r Renewal, now time.Time) (*Prepared, error) {
	if r.Public == nil {
		r.Public = r.Old.PublicKey
	}
	prepare := a.renewLeaf
	if r.Old.IsCA {
		prepare = a.renewCA
	}
	p, err := prepare(r, now)
	if err != nil {
		return nil, fmt.Errorf("renew %q: %w", r.Old.Subject, err)
	}
	sum := sha256.Sum256(r.Old.Raw)
	p.record.Replaces = sum[:]
	return p, nil
}

// lifetimeOf returns the lifetime that was requested when a certificate was issued.
func lifetimeOf(c *x509.Certificate) time.Duration {
	span := c.NotAfter.Sub(c.NotBefore)
	if span <= backdate {
		return span // backdated less or not at all: its issuer began then
	}
	return span - backdate
}

func (a *Authority) renewCA(r Renewal, now time.Time) (*Prepared, error) {
	if err := checkLimits(r.Old); err != nil {
		return nil, err
	}
	c, err := ConfigOf(r.Old)
	if err != nil {
		return nil, err
	}
	c.AllowWarnings, c.Host, c.Why = r.AllowWarnings, r.Host, r.Why
	if r.Lifetime != 0 {
		c.Lifetime = r.Lifetime
	}
	if !IsRoot(r.Old) {
		return a.PrepareCA(r.Public, c, now)
	}
	if !SameKey(r.Old.PublicKey, a.key.Public()) || !SameKey(r.Public, a.key.Public()) {
		return nil, errors.New("a root is renewed with its own key; with another key it is another root")
	}
	return PrepareRoot(a.key, c, now)
}

// checkLimits fails if a CA certificate that another program issued has limits that its renewal
// would not have.
func checkLimits(c *x509.Certificate) error {
	for _, extension := range c.Extensions {
		switch name := extensionName(extension.Id); {
		case name == "basicConstraints", name == "keyUsage", name == "nameConstraints":
		case name == "extKeyUsage", name == "policyConstraints", name == "inhibitAnyPolicy", extension.Critical:
			return fmt.Errorf("the extension %s limits it and would be lost; have it renewed by the program that made it", name)
		}
	}
	return nil
}

func (a *Authority) renewLeaf(r Renewal, now time.Time) (*Prepared, error) {
	if r.Profile == nil {
		return nil, errors.New("a leaf is renewed by a profile")
	}
	if IsServer(r.Old) {
		return nil, errors.New("it is the certificate of a server, which is not renewed; have another one issued")
	}
	old := r.Old
	request := Request{
		Name: r.Profile.subject.nameIn(old.Subject.CommonName), Public: r.Public, Lifetime: r.Lifetime, Longest: r.Longest,
		DNS: old.DNSNames, URIs: old.URIs, Emails: old.EmailAddresses, IPs: addrs(old.IPAddresses),
		AllowWarnings: r.AllowWarnings, Host: r.Host, Why: r.Why, Published: r.Published, AllowRevokedKey: r.AllowRevokedKey,
	}
	if request.Lifetime == 0 {
		request.Lifetime = min(lifetimeOf(old), r.Profile.max)
	}
	for _, extension := range old.Extensions {
		if !extension.Id.Equal(oidSubjectAltName) {
			continue
		}
		if err := checkSANKinds(extension.Value); err != nil {
			return nil, err
		}
	}
	request.normalize()
	if err := r.Profile.check(&request); err != nil {
		return nil, err
	}
	template := &x509.Certificate{Subject: old.Subject, RawSubject: old.RawSubject}
	request.addTo(template)
	return a.prepareLeaf(r.Profile, template, request, now)
}
