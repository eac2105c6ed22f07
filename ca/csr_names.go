package ca

import (
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// SANError says which subject alternative names of a request are refused: those that the
// profile does not allow, and those that no certificate of this CA can hold.
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

// Unwrap returns what is refused.
func (e *SANError) Unwrap() []error { return e.Refused }

// generalName is a GeneralName of RFC 5280, 4.2.1.6.
type generalName struct {
	number int // of its tag
	value  cryptobyte.String
}

// General names that profiles know.
const (
	nameEmail = 1
	nameDNS   = 2
	nameURI   = 6
	nameIP    = 7
)

var errSANForm = errors.New("the extension subjectAltName cannot be read")

// readSAN takes the extension subjectAltName apart.
func readSAN(der []byte) ([]generalName, error) {
	in := cryptobyte.String(der)
	if !in.ReadASN1(&in, cbasn1.SEQUENCE) {
		return nil, errSANForm
	}
	var names []generalName
	for !in.Empty() {
		var n generalName
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&n.value, &tag) {
			return nil, errSANForm
		}
		n.number = int(tag & 0x1f)
		primitive := cbasn1.Tag(n.number).ContextSpecific()
		if tag != primitive && (n.isKnown() || tag != primitive.Constructed()) {
			return nil, errSANForm
		}
		names = append(names, n)
	}
	return names, nil
}

func (n generalName) isKnown() bool {
	return n.number == nameEmail || n.number == nameDNS || n.number == nameURI || n.number == nameIP
}

// checkSANKinds fails when there are other names than profiles know.
func checkSANKinds(der []byte) error {
	names, err := readSAN(der)
	if err != nil {
		return err
	}
	for _, n := range names {
		if !n.isKnown() {
			return n.unknown()
		}
	}
	return nil
}

// unknown says what a name is that profiles do not know.
func (n generalName) unknown() error {
	kinds := []string{"otherName", "", "", "x400Address", "directoryName", "ediPartyName", "", "", "registeredID"}
	if n.number >= len(kinds) {
		return fmt.Errorf("a subject alternative name of the unknown kind %d is not allowed", n.number)
	}
	kind := kinds[n.number]
	if text := n.describe(); text != "" {
		kind += " (" + text + ")"
	}
	return fmt.Errorf("a subject alternative name of the kind %s is not allowed; take DNS names, URIs, IP and email addresses", kind)
}

// describe shows the value of an otherName, a directoryName or a registeredID.
func (n generalName) describe() string {
	switch n.number {
	case 0:
		return describeOther(n.value)
	case 4:
		if name, err := readName(n.value); err == nil && len(name) > 0 {
			return fmt.Sprintf("%q", name.readable().String())
		}
	case 8:
		var b cryptobyte.Builder
		b.AddASN1(cbasn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(n.value) })
		var oid asn1.ObjectIdentifier
		der, err := b.Bytes()
		if in := cryptobyte.String(der); err == nil && in.ReadASN1ObjectIdentifier(&oid) {
			return oid.String()
		}
	}
	return ""
}

// describeOther shows an otherName: Windows writes the user principal name (UPN) into one.
func describeOther(value cryptobyte.String) string {
	var oid asn1.ObjectIdentifier
	var content cryptobyte.String
	var tag cbasn1.Tag
	if !value.ReadASN1ObjectIdentifier(&oid) {
		return ""
	}
	kind := oid.String()
	if kind == "1.3.6.1.4.1.311.20.2.3" {
		kind = "UPN"
	}
	if value.ReadASN1(&value, cbasn1.Tag(0).ContextSpecific().Constructed()) && value.ReadAnyASN1(&content, &tag) {
		if text, problem := readString(tag, content); problem == "" {
			return fmt.Sprintf("%s %q", kind, text)
		}
	}
	return kind
}

// fillNames sets the alternative names of a request, as far as they can be read.
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

// takeNames adds the alternative names of a request to r, each once. Those that are refused
// are returned, each once.
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

// dropLast takes the last value away again when there is an error, which it returns.
func dropLast[T any](values *[]T, err error) error {
	if err != nil {
		*values = (*values)[:len(*values)-1]
	}
	return err
}
