package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// sanKind is a kind of subject alternative name that can be constrained.
type sanKind int

const (
	sanDNS sanKind = iota
	sanURI
	sanEmail
	sanIP
)

func (k sanKind) String() string {
	switch k {
	case sanDNS:
		return "DNS name"
	case sanURI:
		return "URI"
	case sanEmail:
		return "email address"
	}
	return "IP address"
}

// sanName is a name, and the part that constraints apply to: the host of a URI, an address as a
// prefix. It is empty if there is none.
type sanName struct {
	kind        sanKind
	text, value string
}

// bounds are the constraints of one kind.
type bounds struct{ permitted, excluded []string }

// boundsOf lists the constraints of a CA certificate by kind, in order.
func boundsOf(c *x509.Certificate) []bounds {
	return []bounds{
		sanDNS:   {c.PermittedDNSDomains, c.ExcludedDNSDomains},
		sanURI:   {c.PermittedURIDomains, c.ExcludedURIDomains},
		sanEmail: {c.PermittedEmailAddresses, c.ExcludedEmailAddresses},
		sanIP:    {netTexts(c.PermittedIPRanges), netTexts(c.ExcludedIPRanges)},
	}
}

// NameError reports a name that no certificate of an authority can have, whatever a profile allows:
// one that is blank or a CA's, or that name constraints forbid.
type NameError struct{ Text string }

func (e *NameError) Error() string { return e.Text }

func nameError(format string, args ...any) error { return &NameError{fmt.Sprintf(format, args...)} }

// checkConstraints checks names against the constraints of every CA of a path, including the root:
// only some verifiers apply the root's. The error is a *NameError.
func checkConstraints(path []*x509.Certificate, names []sanName) error {
	for _, c := range path {
		all := boundsOf(c)
		for _, name := range names {
			b := all[name.kind]
			if len(b.permitted)+len(b.excluded) == 0 {
				continue
			}
			if name.value == "" {
				return nameError("the %s %q has no host that the name constraints of %q could be held against", name.kind, name.text, c.Subject)
			}
			for _, e := range b.excluded {
				if _, wide := name.covered(e); wide {
					return nameError("the %s %q is excluded by the name constraint %q of %q", name.kind, name.text, e, c.Subject)
				}
			}
			if len(b.permitted) > 0 && !slices.ContainsFunc(b.permitted, name.permitted) {
				return nameError("the %s %q is not permitted by the name constraints of %q: %s", name.kind, name.text, c.Subject, strings.Join(b.permitted, ", "))
			}
		}
	}
	return nil
}

func (n sanName) permitted(constraint string) bool {
	narrow, _ := n.covered(constraint)
	return narrow
}

// covered reports whether a constraint covers the name, in the narrowest reading and in the widest.
// By RFC 5280 a host in a constraint for URIs and mailboxes is just this host; Go treats it as a
// domain. To be accepted everywhere, a name must be permitted by the narrow reading and not
// excluded by the wide one.
func (n sanName) covered(constraint string) (narrow, wide bool) {
	value := strings.ToLower(n.value)
	exact := constraint
	constraint = strings.ToLower(constraint)
	switch n.kind {
	case sanDNS:
		wide = inDomain(value, constraint)
		return wide, wide
	case sanEmail:
		if strings.Contains(constraint, "@") {
			return n.value == exact, value == constraint
		}
		_, value, _ = strings.Cut(value, "@")
	case sanIP:
		outer, err := netip.ParsePrefix(constraint)
		inner, err2 := netip.ParsePrefix(value)
		if err != nil || err2 != nil {
			return false, true // a non-contiguous mask
		}
		wide = outer.Contains(inner.Addr()) && outer.Bits() <= inner.Bits()
		return wide, wide
	}
	wide = inDomain(value, constraint)
	return wide && (strings.HasPrefix(constraint, ".") || value == constraint), wide
}

// inDomain reports whether a host is a domain or below it; with a dot in front, only below.
func inDomain(host, domain string) bool {
	if domain == "" || strings.HasPrefix(domain, ".") {
		return strings.HasSuffix(host, domain)
	}
	return host == domain || strings.HasSuffix(host, "."+domain)
}

func netTexts(nets []*net.IPNet) []string {
	var out []string
	for _, n := range nets {
		out = append(out, n.String())
	}
	return out
}

// constrained lists the names of a leaf to which name constraints apply. Some verifiers, openssl
// among them, treat a common name as a DNS name if it looks like one and there is no other, and an
// email address in the subject as an alternative name (RFC 5280, 4.2.1.10).
func constrained(t *x509.Certificate) []sanName {
	var names []sanName
	for _, name := range t.DNSNames {
		names = append(names, sanName{sanDNS, name, name})
	}
	if cn := t.Subject.CommonName; len(t.DNSNames) == 0 && looksLikeDNSName(cn) {
		names = append(names, sanName{sanDNS, cn, cn})
	}
	for _, attribute := range t.Subject.Names {
		if address, ok := attribute.Value.(string); ok && attribute.Type.Equal(oidEmailAddress) {
			names = append(names, sanName{sanEmail, address, address})
		}
	}
	for _, u := range t.URIs {
		host := u.Hostname()
		if isIP(host) {
			host = ""
		}
		names = append(names, sanName{sanURI, u.String(), host})
	}
	for _, address := range t.EmailAddresses {
		names = append(names, sanName{sanEmail, address, address})
	}
	for _, ip := range t.IPAddresses {
		if addr, ok := netip.AddrFromSlice(ip); ok {
			addr = addr.Unmap()
			names = append(names, sanName{sanIP, addr.String(), netip.PrefixFrom(addr, addr.BitLen()).String()})
		}
	}
	return names
}

var oidEmailAddress = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1} // RFC 2985, 5.2.1

// looksLikeDNSName is openssl's test, which also accepts underscores and numbers, but requires two
// labels.
func looksLikeDNSName(text string) bool {
	labels := strings.Split(text, ".")
	for _, label := range labels {
		if label == "" || strings.HasPrefix(label, "-") || strings.HasSuffix(label, "-") {
			return false
		}
		for _, c := range []byte(label) {
			if !isAlphanumeric(c) && c != '-' && c != '_' {
				return false
			}
		}
	}
	return len(labels) > 1
}
