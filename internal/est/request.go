package est

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"encoding/binary"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Attributes are what a certificate request has of EST's besides key, names and extensions.
type Attributes struct {
	// Challenge is the challengePassword (RFC 2985, 5.4.1), which links the request to a connection
	// (RFC 7030, 3.5). Nil: there is none.
	Challenge []byte
	// ChangesSubject reports whether the attribute changeSubjectName is there (RFC 6402, 2.8).
	ChangesSubject bool
}

func oidChallenge() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 7} }
func oidChangeSubject() asn1.ObjectIdentifier {
	return asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 7, 36}
}

var errAttributes = errors.New("the certificate request has attributes that are damaged")

// ReadAttributes reads the attributes of a request. The error is one for its sender.
func ReadAttributes(csr *x509.CertificateRequest) (a Attributes, err error) {
	list, ok := attributes(csr.RawTBSCertificateRequest)
	for ok && !list.Empty() {
		var attribute cryptobyte.String
		var oid asn1.ObjectIdentifier
		if ok = list.ReadASN1(&attribute, cbasn1.SEQUENCE) && attribute.ReadASN1ObjectIdentifier(&oid); !ok {
			break
		}
		switch {
		case oid.Equal(oidChangeSubject()):
			a.ChangesSubject = true
		case oid.Equal(oidChallenge()) && a.Challenge != nil:
			return a, errors.New("the certificate request has two attributes challengePassword")
		case oid.Equal(oidChallenge()):
			a.Challenge, ok = oneText(attribute)
		}
	}
	if !ok {
		return a, errAttributes
	}
	return a, nil
}

// attributes returns the content of the attributes of a CertificationRequestInfo (RFC 2986, 4.1); empty
// if there are none.
func attributes(info cryptobyte.String) (list cryptobyte.String, ok bool) {
	var present bool
	ok = info.ReadASN1(&info, cbasn1.SEQUENCE) && info.SkipASN1(cbasn1.INTEGER) && info.SkipASN1(cbasn1.SEQUENCE) && info.SkipASN1(cbasn1.SEQUENCE) &&
		info.ReadOptionalASN1(&list, &present, cbasn1.Tag(0).ContextSpecific().Constructed())
	return list, ok
}

// oneText returns the only string of a SET, of whatever type it is; never nil.
func oneText(attribute cryptobyte.String) (text []byte, ok bool) {
	var values, value cryptobyte.String
	var tag cbasn1.Tag
	ok = attribute.ReadASN1(&values, cbasn1.SET) && values.ReadAnyASN1(&value, &tag) && values.Empty()
	return append([]byte{}, value...), ok
}

// RequestID is what a request that waits for approval is known by: SHA-256 over its profile, its key, its
// subject and the extensions that it asks for. Unlike enrollapi.RequestID it leaves out the attributes:
// a challengePassword differs on each connection.
func RequestID(csr *x509.CertificateRequest, profile string) [sha256.Size]byte {
	parts := [][]byte{[]byte(profile), csr.RawSubjectPublicKeyInfo, csr.RawSubject}
	for _, e := range csr.Extensions {
		parts = append(parts, []byte(e.Id.String()), e.Value)
	}
	b := []byte("kedge est request 1\x00")
	for _, part := range parts {
		b = binary.BigEndian.AppendUint64(b, uint64(len(part)))
		b = append(b, part...)
	}
	return sha256.Sum256(b)
}
