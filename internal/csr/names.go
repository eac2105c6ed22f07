// Package csr makes certificate requests for hosts.
package csr

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"kedge/internal/dn"
)

// Names are what a certificate is to name, each as the flag of its name takes it.
type Names struct {
	Name, Subject          string // the common name; more of the subject, as text
	DNS, URIs, IPs, Emails []string
}

// Request asks for these names. Other rules for names are those of the CA.
func (n *Names) Request() (r x509.CertificateRequest, err error) {
	if r.RawSubject, err = n.rawSubject(); err != nil {
		return r, err
	}
	if err := n.checkTexts(); err != nil {
		return r, err
	}
	r.DNSNames, r.EmailAddresses = n.DNS, n.Emails
	for _, text := range n.URIs {
		u, err := url.Parse(text)
		if err != nil || u.Scheme == "" || !isPlain(text) {
			return r, fmt.Errorf("--uri: %q is not a URI, such as spiffe://example.org/web", text)
		}
		r.URIs = append(r.URIs, u)
	}
	for _, text := range n.IPs {
		ip, err := netip.ParseAddr(text)
		if err != nil || ip.Zone() != "" {
			return r, fmt.Errorf("--ip: %q is not an IP address", text)
		}
		r.IPAddresses = append(r.IPAddresses, ip.Unmap().AsSlice())
	}
	return r, nil
}

// checkTexts refuses what is no DNS name and no email address at all.
func (n *Names) checkTexts() error {
	for _, text := range n.DNS {
		if _, err := netip.ParseAddr(text); err == nil {
			return fmt.Errorf("--dns: %q is an IP address; give it with --ip", text)
		}
		if !isPlain(text) {
			return fmt.Errorf("--dns: %q is not a DNS name; write others as those that begin with xn--", text)
		}
	}
	for _, text := range n.Emails {
		local, domain, ok := strings.Cut(text, "@")
		if !ok || local == "" || domain == "" || !isPlain(text) {
			return fmt.Errorf("--email: %q is not an email address", text)
		}
	}
	return nil
}

// isPlain reports whether text is what an IA5String of a name can hold: RFC 5280 section 4.2.1.6.
func isPlain(text string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// rawSubject encodes the subject in the order of its text, the common name last.
func (n *Names) rawSubject() ([]byte, error) {
	var subject pkix.RDNSequence
	if n.Subject != "" {
		var ok bool
		if subject, ok = dn.Parse(n.Subject); !ok {
			return nil, fmt.Errorf("--subject: %q is not a name, such as OU=Web,O=Example", n.Subject)
		}
	}
	if n.Name != "" {
		subject = append(subject, pkix.RelativeDistinguishedNameSET{{Type: oidCommonName(), Value: n.Name}})
	}
	names := 0
	for _, rdn := range subject {
		for i := range rdn {
			if rdn[i].Type.Equal(oidCommonName()) {
				names++
			}
			if err := encodeAttribute(&rdn[i]); err != nil {
				return nil, err
			}
		}
	}
	switch names {
	case 0:
		return nil, errors.New("missing --name, or a common name (CN=) in --subject")
	case 1:
		return asn1.Marshal(subject)
	}
	return nil, errors.New("there is more than one common name, in --name and --subject together")
}

func oidCommonName() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{2, 5, 4, 3} }

// maxCommonName is ub-common-name, RFC 5280 appendix A.1.
const maxCommonName = 64

// encodeAttribute checks a value against what its type takes, and returns how it is encoded where
// package asn1 would choose otherwise.
func encodeAttribute(a *pkix.AttributeTypeAndValue) error {
	text, _ := a.Value.(string)
	switch {
	case strings.IndexFunc(text, unicode.IsControl) >= 0:
		return fmt.Errorf("%q in the subject has a control character", text)
	case a.Type.Equal(oidCommonName()) && utf8.RuneCountInString(text) > maxCommonName:
		return fmt.Errorf("the common name %q has more than %d characters", text, maxCommonName)
	case a.Type.Equal(asn1.ObjectIdentifier{2, 5, 4, 6}) && len(text) != 2:
		return fmt.Errorf("the country %q is not two letters", text)
	case !a.Type.Equal(asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}) && !a.Type.Equal(asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}):
		return nil
	case !isPlain(text): // domainComponent and emailAddress: RFC 5280 section 4.1.2.6, appendix A.1
		return fmt.Errorf("%q in the subject has other characters than ASCII", text)
	}
	a.Value = asn1.RawValue{Tag: asn1.TagIA5String, Bytes: []byte(text)}
	return nil
}
