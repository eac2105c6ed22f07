package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// NameConstraints bound the names in every certificate below a CA (RFC 5280, 4.2.1.10). If a kind
// of name has no permitted entry, all names of it are permitted that are not excluded.
//
// A DNS constraint is a domain, which includes itself and all below, or with a dot in front only
// those below. A URI constraint is the host of the URI, or with a dot in front every host below. An
// email constraint is a mailbox, a host, or with a dot in front every host below. All are written
// in lower-case ASCII.
type NameConstraints struct {
	PermittedDNS, ExcludedDNS     []string
	PermittedURI, ExcludedURI     []string
	PermittedEmail, ExcludedEmail []string
	PermittedIP, ExcludedIP       []netip.Prefix

	directories directoryBounds // of an older certificate: ConfigOf
}

// addTo sets the constraints in a template.
func (n *NameConstraints) addTo(t *x509.Certificate) {
	t.PermittedDNSDomainsCritical = true // applies to the whole extension: RFC 5280, 4.2.1.10
	t.PermittedDNSDomains, t.ExcludedDNSDomains = n.PermittedDNS, n.ExcludedDNS
	t.PermittedURIDomains, t.ExcludedURIDomains = n.PermittedURI, n.ExcludedURI
	t.PermittedEmailAddresses, t.ExcludedEmailAddresses = n.PermittedEmail, n.ExcludedEmail
	t.PermittedIPRanges, t.ExcludedIPRanges = ipNets(n.PermittedIP), ipNets(n.ExcludedIP)
}

// fillDirectories writes the extension with directory names, which crypto/x509 cannot write.
func (n *NameConstraints) fillDirectories(t *x509.Certificate) error {
	if n.directories.empty() {
		return nil
	}
	value, err := n.extension()
	if err != nil {
		return fmt.Errorf("write the name constraints of %q: %w", t.Subject, err)
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidNameConstraints, Critical: n.directories.critical, Value: value})
	return nil
}

// check refuses a constraint that is invalid by itself, or that permits what a CA above does not.
func (n *NameConstraints) check(path []*x509.Certificate) error {
	for _, p := range slices.Concat(n.PermittedIP, n.ExcludedIP) {
		if !p.IsValid() || p != p.Masked() || p.Addr().Is4In6() {
			return fmt.Errorf("the name constraint %v is not a range of addresses; write the first one and the bits, such as 10.0.0.0/8", p)
		}
	}
	var t x509.Certificate
	n.addTo(&t)
	var permitted []sanName
	for i, b := range boundsOf(&t) {
		kind := sanKind(i)
		for _, text := range slices.Concat(b.permitted, b.excluded) {
			if !kind.valid(text) {
				return fmt.Errorf("the name constraint %q cannot be held against any %s", text, kind)
			}
		}
		for _, text := range b.permitted {
			if slices.Contains(b.excluded, text) {
				return fmt.Errorf("the name constraint %q is both permitted and excluded", text)
			}
			permitted = append(permitted, sanName{kind, text, kind.sample(text)})
		}
	}
	if err := checkDirectories(path, n.directories.permitted); err != nil {
		return err
	}
	return checkConstraints(path, permitted)
}

// valid reports whether a constraint has the syntax of its kind.
func (k sanKind) valid(constraint string) bool {
	switch {
	case k == sanIP:
		return true // netip.Prefix is one
	case k == sanEmail && strings.Contains(constraint, "@"):
		return isMailbox(constraint)
	}
	domain := strings.TrimPrefix(constraint, ".")
	return isDNSName(domain) && domain == strings.ToLower(domain)
}

// sample returns a name that a constraint covers.
func (k sanKind) sample(constraint string) string {
	if strings.HasPrefix(constraint, ".") {
		constraint = "x" + constraint
	}
	if k == sanEmail && !strings.Contains(constraint, "@") {
		return "x@" + constraint
	}
	return constraint
}

func ipNets(prefixes []netip.Prefix) []*net.IPNet {
	var nets []*net.IPNet
	for _, p := range prefixes {
		nets = append(nets, &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())})
	}
	return nets
}

// constraintsOf reads the constraints of a CA certificate. Unknown kinds are an error: a copy
// without them would permit more.
func constraintsOf(c *x509.Certificate) (NameConstraints, error) {
	n := NameConstraints{
		PermittedDNS: c.PermittedDNSDomains, ExcludedDNS: c.ExcludedDNSDomains,
		PermittedURI: c.PermittedURIDomains, ExcludedURI: c.ExcludedURIDomains,
		PermittedEmail: c.PermittedEmailAddresses, ExcludedEmail: c.ExcludedEmailAddresses,
	}
	all, critical, err := subtreesOf(c)
	if err == nil {
		err = all.checkKinds()
	}
	if err != nil {
		return n, err
	}
	n.directories.critical = critical
	if n.directories.permitted, err = directoriesIn(all.Permitted); err != nil {
		return n, err
	}
	if n.directories.excluded, err = directoriesIn(all.Excluded); err != nil {
		return n, err
	}
	if n.PermittedIP, err = prefixes(c.PermittedIPRanges); err != nil {
		return n, err
	}
	n.ExcludedIP, err = prefixes(c.ExcludedIPRanges)
	return n, err
}

func prefixes(nets []*net.IPNet) ([]netip.Prefix, error) {
	var prefixes []netip.Prefix
	for _, text := range netTexts(nets) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("the name constraint %q is not a range of addresses", text)
		}
		prefixes = append(prefixes, p)
	}
	return prefixes, nil
}
