package ca

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Request is a request for a leaf. The profile must allow all of it.
type Request struct {
	Name     string           // {name} in the profile's subject; by default the common name, and so sourceIdentity
	Public   crypto.PublicKey // RSA, EC or ML-DSA
	Lifetime time.Duration    // from now; 0: the profile's default; cut at the end of the CA's own
	Longest  time.Duration    // a longer lifetime is cut to it, that of the profile's default too; 0: not

	DNS    []string
	URIs   []*url.URL
	IPs    []netip.Addr
	Emails []string

	// AllowWarnings are lint warnings that are allowed in addition to the profile's. Only the
	// operator may set them, never the host.
	AllowWarnings []string

	Host, Why string // for the record: which machine it is for, and why

	Published Published // by the issuer

	Once            bool // as in Issued
	AllowRevokedKey bool // as in Issued
	Probe           bool // as in Issued
}

// Published specifies where an authority publishes what others verify its certificates with: URLs in a
// leaf that it issues. A profile with crl_urls, even none, has its own.
type Published struct {
	CRL         []string // RFC 5280, 4.2.1.13
	Certificate []string // of the authority: RFC 5280, 4.2.2.1
}

// ProfileError reports that a profile does not allow a request.
type ProfileError struct {
	Profile string // its name
	Key     string // the setting that refuses, as in the configuration: "san.dns"
	Text    string
}

// Error names the profile and the setting.
func (e *ProfileError) Error() string {
	return fmt.Sprintf("%s (profile %q, %s)", e.Text, e.Profile, e.Key)
}

// PrepareLeaf prepares a leaf that CreateSession accepts, as far as the profile allows it: version
// 3, CA false, digitalSignature, a random serial, valid from five minutes ago and never longer than
// the CA. If the profile refuses, the error is a *ProfileError; if no profile could allow a name, a
// *NameError; if the service would refuse, or there is a lint warning that is not allowed, a
// *LintError; if a CA is not valid at now, a *ValidityError.
//
// Source: IAM Roles Anywhere User Guide, "Trust model".
func (a *Authority) PrepareLeaf(p *Profile, r Request, now time.Time) (*Prepared, error) {
	r.normalize()
	if err := p.check(&r); err != nil {
		return nil, err
	}
	template := &x509.Certificate{Subject: p.subject.name(r.Name)}
	r.addTo(template)
	return a.prepareLeaf(p, template, r, now)
}

// prepareLeaf prepares a leaf whose names are already in the template.
func (a *Authority) prepareLeaf(p *Profile, template *x509.Certificate, r Request, now time.Time) (*Prepared, error) {
	if err := a.distinct(r.Public, template.Subject.String()); err != nil {
		return nil, err
	}
	path := a.path()
	if err := checkConstraints(path, constrained(template)); err != nil {
		return nil, err
	}
	var err error
	if template.NotBefore, template.NotAfter, err = within(path, r.Lifetime, now); err != nil {
		return nil, err
	}
	template.BasicConstraintsValid = true
	template.KeyUsage = x509.KeyUsageDigitalSignature
	template.ExtKeyUsage = p.usage
	template.CRLDistributionPoints, template.IssuingCertificateURL = p.crlURLs, r.Published.Certificate
	if p.crlURLs == nil {
		template.CRLDistributionPoints = r.Published.CRL
	}
	return draft{
		template: template, public: r.Public, allowed: slices.Concat(p.allowed, r.AllowWarnings),
		record: Issued{Profile: p.name, Host: r.Host, Why: r.Why, At: now, Once: r.Once, AllowRevokedKey: r.AllowRevokedKey, Probe: r.Probe},
	}.prepare(a.key, path)
}

// normalize normalizes names, DNS names in lower case and an IPv4 address within IPv6 as IPv4, and
// removes duplicates: a request and flags may have the same.
func (r *Request) normalize() {
	r.DNS = distinctBy(r.DNS, strings.ToLower)
	r.IPs = distinctBy(r.IPs, netip.Addr.Unmap)
	r.Emails = distinctBy(r.Emails, func(address string) string { return address })
	seen := map[string]bool{}
	r.URIs = slices.DeleteFunc(slices.Clone(r.URIs), func(u *url.URL) bool {
		text := u.String()
		defer func() { seen[text] = true }()
		return seen[text]
	})
}

// distinctBy returns the normalized values, in order, without duplicates.
func distinctBy[T comparable](values []T, write func(T) T) []T {
	var out []T
	seen := map[T]bool{}
	for _, v := range values {
		if v = write(v); !seen[v] {
			seen[v] = true
			out = append(out, v)
		}
	}
	return out
}

func (r *Request) addTo(t *x509.Certificate) {
	t.DNSNames, t.URIs, t.EmailAddresses = r.DNS, r.URIs, r.Emails
	for _, addr := range r.IPs {
		t.IPAddresses = append(t.IPAddresses, net.IP(addr.AsSlice()))
	}
}

// check checks a request against the profile, and sets its lifetime.
func (p *Profile) check(r *Request) error {
	if err := p.CheckName(r.Name); err != nil {
		return err
	}
	if err := p.checkKeyType(r.Public); err != nil {
		return err
	}
	if err := p.checkSAN(r); err != nil {
		return err
	}
	if err := CheckAllowed(r.AllowWarnings); err != nil {
		return err
	}
	if r.Lifetime == 0 {
		r.Lifetime = p.lifetime
	}
	if r.Longest > 0 { // it only ever shortens
		r.Lifetime = min(r.Lifetime, r.Longest)
	}
	switch {
	case r.Lifetime < time.Second: // times in certificates have whole seconds
		return fmt.Errorf("the lifetime of a leaf must be a second or longer, not %v", r.Lifetime)
	case r.Lifetime > p.max:
		return p.refuse("lifetime.max", "a lifetime of %v is too long; at most %v is allowed", Duration(r.Lifetime), Duration(p.max))
	}
	return nil
}

// CheckName checks a name that is requested. If it is not issued by the profile, the error is a
// *ProfileError, or a *NameError if it is blank.
func (p *Profile) CheckName(name string) error {
	if strings.TrimSpace(name) == "" {
		return nameError("the name must not be empty: sessions are keyed by it")
	}
	if len(p.names) > 0 && !matchAny(p.names, name) {
		return p.refuse("names", "the name %q is not one that is issued: %s", name, patternTexts(p.names))
	}
	return nil
}

func (p *Profile) checkKeyType(public crypto.PublicKey) error {
	if t := KeyType(public); len(p.keyTypes) > 0 && !slices.Contains(p.keyTypes, t) {
		return p.refuse("key_types", "a key of type %s is not allowed; take %s", t, strings.Join(p.keyTypes, ", "))
	}
	return nil
}

// checkSAN checks the syntax of each subject alternative name, and that the profile allows it.
func (p *Profile) checkSAN(r *Request) error {
	for _, check := range []func(*Request) error{
		func(r *Request) error { return firstError(r.DNS, p.checkDNS) },
		func(r *Request) error { return firstError(r.URIs, p.checkURI) },
		func(r *Request) error { return firstError(r.Emails, p.checkEmail) },
		func(r *Request) error { return firstError(r.IPs, p.checkIP) },
	} {
		if err := check(r); err != nil {
			return err
		}
	}
	return nil
}

func firstError[T any](values []T, check func(T) error) error {
	for _, v := range values {
		if err := check(v); err != nil {
			return err
		}
	}
	return nil
}

func (p *Profile) checkDNS(name string) error {
	switch {
	case isIP(name):
		return fmt.Errorf("the DNS name %q is an IP address; ask for it as one", name)
	case !isDNSName(name):
		return fmt.Errorf("the DNS name %q cannot be in a certificate: it takes letters, digits, hyphens and dots, without a wildcard or a number at the end; write others as those that begin with xn--", name)
	case !matchAny(p.dns, name):
		return p.refuse("san.dns", "the DNS name %q is not allowed%s", name, only(patternTexts(p.dns)))
	}
	return nil
}

func (p *Profile) checkURI(u *url.URL) error {
	if err := checkURI(u); err != nil {
		return err
	}
	if !matchAny(p.uri, u.String()) {
		return p.refuse("san.uri", "the URI %q is not allowed%s", u, only(patternTexts(p.uri)))
	}
	return nil
}

func (p *Profile) checkEmail(address string) error {
	if !isMailbox(address) {
		return fmt.Errorf("the email address %q cannot be in a certificate", address)
	}
	if !matchAny(p.email, address) {
		return p.refuse("san.email", "the email address %q is not allowed%s", address, only(patternTexts(p.email)))
	}
	return nil
}

func (p *Profile) checkIP(addr netip.Addr) error {
	if !addr.IsValid() || addr.Zone() != "" {
		return fmt.Errorf("the IP address %q cannot be in a certificate", addr)
	}
	if !slices.ContainsFunc(p.ip, func(prefix netip.Prefix) bool { return prefix.Contains(addr) }) {
		return p.refuse("san.ip", "the IP address %q is not allowed%s", addr, only(prefixTexts(p.ip)))
	}
	return nil
}

func (p *Profile) refuse(key, format string, args ...any) error {
	return &ProfileError{Profile: p.name, Key: key, Text: fmt.Sprintf(format, args...)}
}

// only lists what is allowed instead.
func only(list string) string {
	if list == "" {
		return "; none is"
	}
	return "; take " + list
}

func patternTexts(patterns []pattern) string {
	texts := make([]string, len(patterns))
	for i, p := range patterns {
		texts[i] = p.text
	}
	return strings.Join(texts, ", ")
}

func prefixTexts(prefixes []netip.Prefix) string {
	texts := make([]string, len(prefixes))
	for i, p := range prefixes {
		texts[i] = p.String()
	}
	return strings.Join(texts, ", ")
}
