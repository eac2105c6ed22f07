package ca

import (
	"crypto/x509"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"
)

// SANError reports which subject alternative names of a request are refused: those that the profile
// does not allow, and those that no certificate of this CA can contain.
type SANError struct {
	Refused []error // one for each name; a *ProfileError where the profile refuses
}

// Error names each of them.
func (e *SANError) Error() string {
	texts := make([]string, len(e.Refused))
	for i, err := range e.Refused {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// Unwrap returns the errors of the refused names.
func (e *SANError) Unwrap() []error { return e.Refused }

// fillNames sets the alternative names of a request, as far as they can be parsed.
func fillNames(csr *x509.CertificateRequest) {
	for _, e := range csr.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		names, err := readSAN(e.Value)
		if err != nil {
			return
		}
		for _, n := range names {
			switch text := string(n.value); n.number {
			case nameEmail:
				csr.EmailAddresses = append(csr.EmailAddresses, text)
			case nameDNS:
				csr.DNSNames = append(csr.DNSNames, text)
			case nameURI:
				if u, err := url.Parse(text); err == nil {
					csr.URIs = append(csr.URIs, u)
				}
			case nameIP:
				if len(n.value) == net.IPv4len || len(n.value) == net.IPv6len {
					csr.IPAddresses = append(csr.IPAddresses, net.IP(n.value))
				}
			}
		}
	}
}

// takeNames adds the alternative names of a request to r, without duplicates, and returns those
// that are refused.
func (p *Profile) takeNames(csr *x509.CertificateRequest, r *Request) (refused []error) {
	for _, e := range csr.Extensions {
		if !e.Id.Equal(oidSubjectAltName) {
			continue
		}
		names, err := readSAN(e.Value)
		if err != nil {
			return []error{err}
		}
		for _, n := range names {
			err := p.takeName(n, r)
			if err != nil && !slices.ContainsFunc(refused, func(other error) bool { return other.Error() == err.Error() }) {
				refused = append(refused, err)
			}
		}
	}
	r.normalize()
	return refused
}

// dropUntaggable removes the names that the profile allows and lint would refuse, and returns why.
// Host names and addresses have no such character.
func (r *Request) dropUntaggable() (refused []error) {
	refuses := func(kind, text string) bool {
		char, bad := untaggable(text)
		if bad {
			refused = append(refused, fmt.Errorf("the %s %q has the character %q, which session tags cannot hold", kind, text, char))
		}
		return bad
	}
	r.URIs = slices.DeleteFunc(r.URIs, func(u *url.URL) bool { return refuses("URI", u.String()) })
	r.Emails = slices.DeleteFunc(r.Emails, func(address string) bool { return refuses("email address", address) })
	return refused
}

func (p *Profile) takeName(n generalName, r *Request) error {
	switch text := string(n.value); n.number {
	case nameEmail:
		r.Emails = append(r.Emails, text)
		return dropLast(&r.Emails, p.checkEmail(text))
	case nameDNS:
		r.DNS = append(r.DNS, strings.ToLower(text))
		return dropLast(&r.DNS, p.checkDNS(strings.ToLower(text)))
	case nameURI:
		u, err := url.Parse(text)
		if err != nil {
			return fmt.Errorf("the URI %q cannot be in a certificate: it is not one", text)
		}
		r.URIs = append(r.URIs, u)
		return dropLast(&r.URIs, p.checkURI(u))
	case nameIP:
		addr, ok := netip.AddrFromSlice(n.value)
		if !ok {
			return fmt.Errorf("an IP address of %d bytes cannot be in a certificate; it takes 4 or 16", len(n.value))
		}
		r.IPs = append(r.IPs, addr.Unmap())
		return dropLast(&r.IPs, p.checkIP(addr.Unmap()))
	}
	return n.unknown()
}

// dropLast removes the last value if there is an error, and returns the error.
func dropLast[T any](values *[]T, err error) error {
	if err != nil {
		*values = (*values)[:len(*values)-1]
	}
	return err
}
