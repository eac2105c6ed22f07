package keyfile

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"strings"
)

// Unreadable is a certificate that is passed over because it cannot be read.
type Unreadable struct {
	Number int    // among the certificates of the input, from 1
	Reason string // continues "it cannot be read: "

	RawSubject, RawIssuer []byte // names in DER; nil where they cannot be read either
}

func newUnreadable(number int, der []byte, err error) Unreadable {
	u := Unreadable{Number: number, Reason: reasonFor(der, err)}
	var cert struct{ TBS toBeSigned }
	if _, err := asn1.Unmarshal(der, &cert); err == nil {
		u.RawSubject, u.RawIssuer = cert.TBS.Subject.FullBytes, cert.TBS.Issuer.FullBytes
	}
	return u
}

func (u Unreadable) String() string {
	return fmt.Sprintf("certificate %d in it cannot be read: %s", u.Number, u.Reason)
}

// reasonFor describes why crypto/x509 refuses a certificate.
func reasonFor(der []byte, err error) string {
	text := err.Error()
	if strings.Contains(text, "PrintableString") {
		if words := badPrintable(der, 0); words != "" {
			return words
		}
	}
	if strings.Contains(text, "curve") || strings.Contains(text, "ECDSA") {
		if words := curveTrouble(der); words != "" {
			return words
		}
	}
	for _, known := range troubles() {
		if strings.Contains(text, known.part) {
			return known.words
		}
	}
	return "it is not made as RFC 5280 asks"
}

// troubles lists what crypto/x509 finds wrong, by a part of its message.
func troubles() []struct{ part, words string } {
	return []struct{ part, words string }{
		{"negative serial number", "its serial number is negative"},
		{"serial number", "its serial number is no number in DER"},
		{"duplicate extension", "it has the same extension twice"},
		{"trailing data", "bytes follow its end"},
		{"dNSName", "one of its DNS names is malformed"},
		{"IP address", "one of its IP addresses is malformed"},
		{"URI", "one of its URIs is malformed"},
		{"rfc822Name", "one of its e-mail addresses is malformed"},
		{"IA5String", "a name in it holds characters that its type does not allow"},
		{"PrintableString", "a name in it holds characters that its type does not allow"},
		{"UTF8String", "a name in it is not UTF-8"},
		{"UTF-8", "a name in it is not UTF-8"},
		{"BMPString", "a name in it is not UTF-16"},
		{"RSA", "its RSA key is malformed"},
		{"ECDSA", "its EC key is malformed"},
		{"elliptic curve", "its EC key is malformed"},
		{"DSA", "its DSA key is malformed"},
		{"version", "its version is none that RFC 5280 has"},
		{"issuer", "its issuer is malformed"},
		{"subject", "its subject is malformed"},
		{"validity", "its validity is malformed"},
		{"time", "its validity is malformed"},
		{"extension", "one of its extensions is malformed"},
		{"constraint", "one of its extensions is malformed"},
		{"key usage", "its key usage is malformed"},
		{"spki", "its public key is malformed"},
		{"public key", "its public key is malformed"},
		{"signature algorithm", "it names two algorithms for its signature"},
		{"certificate", "it is cut short or damaged"},
	}
}

// maxDepth bounds the search: a name is eight deep.
const maxDepth = 12

// badPrintable finds the first PrintableString with a character that X.680, 41.4 does not list,
// and names its attribute.
func badPrintable(der []byte, depth int) string {
	attribute := ""
	for rest := der; len(rest) > 0 && depth < maxDepth; {
		var e asn1.RawValue
		next, err := asn1.Unmarshal(rest, &e)
		if err != nil {
			return ""
		}
		rest = next
		switch {
		case e.IsCompound:
			if words := badPrintable(e.Bytes, depth+1); words != "" {
				return words
			}
		case e.Tag == asn1.TagOID:
			attribute = attributeName(e.FullBytes)
		case e.Class == asn1.ClassUniversal && e.Tag == asn1.TagPrintableString:
			if i := strings.IndexFunc(string(e.Bytes), notPrintable); i >= 0 {
				r := []rune(string(e.Bytes)[i:])[0]
				return fmt.Sprintf("PrintableString with %q in %s, which that type does not allow (have it issued with UTF8String)", r, attribute)
			}
		}
	}
	return ""
}

func notPrintable(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(" '()+,-./:=?*&", r)
}

// attributeName names the attributes of RFC 4514, 3.
func attributeName(oid []byte) string {
	var id asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(oid, &id); err != nil {
		return "a name"
	}
	// pkix writes OID=value with the short name, where there is one.
	name, _, _ := strings.Cut(pkix.RDNSequence{{{Type: id, Value: "x"}}}.String(), "=")
	return name
}

// toBeSigned is the beginning of TBSCertificate, RFC 5280, 4.1. Its serial number may be malformed.
type toBeSigned struct {
	Version                                      int `asn1:"optional,explicit,default:0,tag:0"`
	Serial, Algorithm, Issuer, Validity, Subject asn1.RawValue
	Key                                          publicKeyInfo
}

type publicKeyInfo struct {
	Algorithm pkix.AlgorithmIdentifier
	Key       asn1.BitString
}

const (
	oidEC        = "1.2.840.10045.2.1"
	oidRSA       = "1.2.840.113549.1.1.1"
	oidPSS       = "1.2.840.113549.1.1.10"
	oidEd448     = "1.3.101.113"
	explicitText = "EC key with its curve spelled out"
)

// curveTrouble describes what is the matter with the curve of a certificate's key.
func curveTrouble(der []byte) string {
	var cert struct{ TBS toBeSigned }
	if _, err := asn1.Unmarshal(der, &cert); err != nil || cert.TBS.Key.Algorithm.Algorithm.String() != oidEC {
		return ""
	}
	params := cert.TBS.Key.Algorithm.Parameters.FullBytes
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(params, &curve); err != nil {
		if len(params) > 0 && params[0] == derSequence {
			return "it is for an " + explicitText + "; make a key with a named curve, and have it issued for that"
		}
		return ""
	}
	if curveName(curve) == "" {
		return fmt.Sprintf("it is for an EC key on the curve %v, only P-224, P-256, P-384 and P-521 can be used", curve)
	}
	return ""
}

// KeyName names the kind of key in a certificate that crypto/x509 does not read, with an article:
// "an Ed448"; empty where it reads it.
func KeyName(cert *x509.Certificate) string {
	if cert.PublicKey != nil {
		return ""
	}
	var info publicKeyInfo
	if _, err := asn1.Unmarshal(cert.RawSubjectPublicKeyInfo, &info); err != nil {
		return "an unknown kind of"
	}
	return keyName(info.Algorithm.Algorithm.String())
}

// SignatureName names the algorithm of a certificate's signature that crypto/x509 does not know, such
// as "Ed448"; empty where it supports it.
func SignatureName(cert *x509.Certificate) string {
	if cert.SignatureAlgorithm != x509.UnknownSignatureAlgorithm {
		return ""
	}
	var signed struct {
		TBS       asn1.RawValue
		Algorithm pkix.AlgorithmIdentifier
		Signature asn1.BitString
	}
	if _, err := asn1.Unmarshal(cert.Raw, &signed); err != nil {
		return "an unknown algorithm"
	}
	switch oid := signed.Algorithm.Algorithm.String(); oid {
	case oidEd448:
		return "Ed448"
	case oidPSS:
		return "RSASSA-PSS with unusual parameters"
	default:
		return "the algorithm " + oid
	}
}
