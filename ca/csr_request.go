package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"net"
	"net/netip"
)

// CSROptions specifies how Profile.FromCSR reads a certificate request. By default it takes the common
// name and all alternative names, or fails.
type CSROptions struct {
	// Name is the name to issue for. The request's subject is then ignored, even if it is
	// malformed. Empty: the common name.
	Name string

	// DropSANs leaves out the subject alternative names that are refused, and those with a
	// character that lint refuses because a session tag cannot contain it, and lists them in
	// dropped. Roles Anywhere needs none, and many programs put some into every request.
	DropSANs bool
}

// FromCSR returns a request for the common name, key and subject alternative names of a certificate
// request, after it has verified that the sender has the private key. Names that the profile
// forbids are a *SANError, and a malformed common name is a *SubjectError, unless the options say
// otherwise. Everything else, attributes of the subject and extensions, is left out and listed in
// dropped. If there is no common name, the name of the request is empty, and the caller must set
// it.
func (p *Profile) FromCSR(csr *x509.CertificateRequest, o CSROptions) (r Request, dropped []string, err error) {
	if err := CheckCSR(csr); err != nil {
		return Request{}, nil, err
	}
	return p.read(csr, o)
}

// read is FromCSR without the proof of possession.
func (p *Profile) read(csr *x509.CertificateRequest, o CSROptions) (r Request, dropped []string, err error) {
	r = Request{Public: csr.PublicKey}
	if err := p.checkKeyType(r.Public); err != nil {
		return Request{}, nil, err
	}
	refused := p.takeNames(csr, &r)
	if len(refused) > 0 && !o.DropSANs {
		return Request{}, nil, &SANError{refused}
	}
	if o.DropSANs {
		refused = append(refused, r.dropUntaggable()...)
	}
	var left []string
	if r.Name, left, err = p.readSubject(csr, o.Name); err != nil {
		return Request{}, nil, err
	}
	dropped = append(dropped, left...)
	for _, err := range refused {
		dropped = append(dropped, err.Error())
	}
	for _, extension := range csr.Extensions {
		if !extension.Id.Equal(oidSubjectAltName) {
			dropped = append(dropped, "extension "+extensionName(extension.Id))
		}
	}
	return r, dropped, nil
}

// readSubject returns the name to issue for, and the attributes that will not be in the
// certificate.
func (p *Profile) readSubject(csr *x509.CertificateRequest, name string) (string, []string, error) {
	subject, err := readName(csr.RawSubject)
	if err != nil {
		return "", nil, err
	}
	if name == "" {
		if name, err = subject.commonName(); err != nil {
			return "", nil, err
		}
	}
	var kept []string
	for _, rdn := range p.subject.name(name).ToRDNSequence() {
		kept = append(kept, pkix.RDNSequence{rdn}.String())
	}
	return name, subject.leftOut(kept), nil
}

func addrs(ips []net.IP) []netip.Addr {
	var out []netip.Addr
	for _, ip := range ips {
		addr, _ := netip.AddrFromSlice(ip) // an invalid Addr is refused later
		out = append(out, addr)
	}
	return out
}

func extensionName(oid asn1.ObjectIdentifier) string {
	switch text := oid.String(); text {
	case "2.5.29.14":
		return "subjectKeyIdentifier"
	case "2.5.29.15":
		return "keyUsage"
	case "2.5.29.17":
		return "subjectAltName"
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
