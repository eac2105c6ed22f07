package ca

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// maxCSRSize bounds a certificate request: one of ML-DSA-87 with many names has 10 KB.
const maxCSRSize = 64 * 1024

// ParseCSR reads a certificate request (PKCS #10, RFC 2986) as PEM or DER, of 64 KB at most.
// Its signature is not looked at: CheckCSR and Profile.FromCSR do.
func ParseCSR(data []byte) (*x509.CertificateRequest, error) {
	if len(data) > maxCSRSize {
		return nil, fmt.Errorf("the certificate request has more than %d KB", maxCSRSize/1024)
	}
	if block, rest := pem.Decode(data); block != nil {
		if block.Type != "CERTIFICATE REQUEST" && block.Type != "NEW CERTIFICATE REQUEST" {
			return nil, fmt.Errorf("there is a %q in the PEM data, not a \"CERTIFICATE REQUEST\"", block.Type)
		}
		if next, _ := pem.Decode(rest); next != nil {
			return nil, errors.New("there is more than one block in the PEM data of the certificate request")
		}
		data = block.Bytes
	} else if len(data) == 0 || data[0] != 0x30 { // a SEQUENCE
		return nil, errors.New("there is no certificate request, neither as PEM nor as DER")
	}
	csr, err := x509.ParseCertificateRequest(data)
	if err != nil {
		return nil, fmt.Errorf("read the certificate request: %w", err)
	}
	return csr, nil
}

// NewCSR makes a certificate request for a key, in DER, for a CA elsewhere to sign.
func NewCSR(key crypto.Signer, subject pkix.Name) ([]byte, error) {
	if err := CheckKey(key.Public()); err != nil {
		return nil, err
	}
	if !isName(subject.CommonName) {
		return nil, fmt.Errorf("the common name %q cannot be in a certificate: it takes 1 to %d letters, digits, spaces and _.:/=+-@", subject.CommonName, maxCommonName)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: subject}, key)
	if err != nil {
		return nil, fmt.Errorf("sign the certificate request for %q: %w", subject, err)
	}
	return der, nil
}

// CheckCSR fails when the key of a certificate request is unfit (CheckKey) or when the
// request is not signed with it: without that, it could be anybody's key.
func CheckCSR(csr *x509.CertificateRequest) error {
	if err := CheckKey(csr.PublicKey); err != nil { // first: verifying with any key can be dear
		return fmt.Errorf("the key of the certificate request: %w", err)
	}
	switch csr.SignatureAlgorithm {
	case x509.MD5WithRSA, x509.SHA1WithRSA, x509.ECDSAWithSHA1:
		return fmt.Errorf("the certificate request is signed with %s; the digest must be SHA-256 or stronger", csr.SignatureAlgorithm)
	}
	if err := csr.CheckSignature(); err != nil {
		return fmt.Errorf("the certificate request is not signed with its own key: %w", err)
	}
	return nil
}

// FromCSR makes a request of a certificate request whose sender has shown to have the
// private key: its common name, key and subject alternative names. A name that the profile
// forbids is an error. Whatever else it holds, attributes of the subject and extensions, is
// left out and listed in dropped, in words. Without a common name, the name of the request is
// empty and is for the caller to give.
func (p *Profile) FromCSR(csr *x509.CertificateRequest) (r Request, dropped []string, err error) {
	if err := CheckCSR(csr); err != nil {
		return Request{}, nil, err
	}
	return p.read(csr)
}

// read is FromCSR without the proof of possession.
func (p *Profile) read(csr *x509.CertificateRequest) (r Request, dropped []string, err error) {
	r = Request{Public: csr.PublicKey, DNS: csr.DNSNames, URIs: csr.URIs, Emails: csr.EmailAddresses, IPs: addrs(csr.IPAddresses)}
	r.normalize()
	if err := p.checkKeyType(r.Public); err != nil {
		return Request{}, nil, err
	}
	if err := p.checkSAN(&r); err != nil {
		return Request{}, nil, err
	}
	if r.Name, dropped, err = p.readSubject(csr); err != nil {
		return Request{}, nil, err
	}
	more, err := readRequested(csr)
	if err != nil {
		return Request{}, nil, err
	}
	return r, append(dropped, more...), nil
}

func addrs(ips []net.IP) []netip.Addr {
	var out []netip.Addr
	for _, ip := range ips {
		addr, _ := netip.AddrFromSlice(ip) // the zero Addr is refused as a name
		out = append(out, addr)
	}
	return out
}

// readSubject returns the common name, and the attributes that will not be in the
// certificate.
func (p *Profile) readSubject(csr *x509.CertificateRequest) (name string, dropped []string, err error) {
	name = csr.Subject.CommonName
	var kept []string
	for _, rdn := range p.subject.name(name).ToRDNSequence() {
		kept = append(kept, pkix.RDNSequence{rdn}.String())
	}
	seen := false
	for _, attribute := range csr.Subject.Names {
		if attribute.Type.Equal(oidCommonName) {
			if seen {
				return "", nil, errors.New("the certificate request has more than one common name")
			}
			seen = true
			continue
		}
		if text := (pkix.RDNSequence{{attribute}}).String(); !slices.Contains(kept, text) {
			dropped = append(dropped, fmt.Sprintf("subject %q", text))
		}
	}
	return name, dropped, nil
}

// readRequested lists the extensions that will not be copied. A subject alternative name of
// a kind that crypto/x509 skips is an error, as any other that is forbidden.
func readRequested(csr *x509.CertificateRequest) (dropped []string, err error) {
	seen := false
	for _, extension := range csr.Extensions {
		if !extension.Id.Equal(oidSubjectAltName) {
			dropped = append(dropped, "extension "+extensionName(extension.Id))
			continue
		}
		if seen {
			return nil, errors.New("the certificate request has more than one extension subjectAltName")
		}
		seen = true
		if err := checkSANKinds(extension.Value); err != nil {
			return nil, fmt.Errorf("the certificate request: %w", err)
		}
	}
	return dropped, nil
}

// checkSANKinds fails when there are other names than profiles know (GeneralName of RFC
// 5280, 4.2.1.6).
func checkSANKinds(der []byte) error {
	in := cryptobyte.String(der)
	if !in.ReadASN1(&in, cbasn1.SEQUENCE) {
		return errors.New("the extension subjectAltName cannot be read")
	}
	for !in.Empty() {
		var name cryptobyte.String
		var tag cbasn1.Tag
		if !in.ReadAnyASN1(&name, &tag) {
			return errors.New("the extension subjectAltName cannot be read")
		}
		kinds := []string{"otherName", "", "", "x400Address", "directoryName", "ediPartyName", "", "", "registeredID"}
		number := int(tag & 0x1f)
		if number >= len(kinds) {
			return fmt.Errorf("a subject alternative name of the unknown kind %d is not allowed", number)
		}
		if kinds[number] != "" {
			return fmt.Errorf("a subject alternative name of the kind %s is not allowed; take DNS names, URIs, IP and email addresses", kinds[number])
		}
		if tag != cbasn1.Tag(number).ContextSpecific() { // crypto/x509 would skip it
			return errors.New("the extension subjectAltName cannot be read")
		}
	}
	return nil
}

func extensionName(oid asn1.ObjectIdentifier) string {
	switch text := oid.String(); text {
	case "2.5.29.14":
		return "subjectKeyIdentifier"
	case "2.5.29.15":
		return "keyUsage"
	case "2.5.29.19":
		return "basicConstraints"
	case "2.5.29.30":
		return "nameConstraints"
	case "2.5.29.36":
		return "policyConstraints"
	case "2.5.29.54":
		return "inhibitAnyPolicy"
	case "2.5.29.37":
		return "extKeyUsage"
	default:
		return text
	}
}
