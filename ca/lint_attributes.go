package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
)

// attributeName returns the name of an attribute in tags: the short name of RFC 4519, or else its
// object identifier.
func attributeName(oid asn1.ObjectIdentifier) string {
	x520 := [...]string{
		3: "CN", 4: "SN", 5: "serialNumber", 6: "C", 7: "L", 8: "ST", 9: "street",
		10: "O", 11: "OU", 12: "title", 42: "GN", 46: "dnQualifier",
	}
	if len(oid) == 4 && oid[0] == 2 && oid[1] == 5 && oid[2] == 4 && oid[3] < len(x520) && x520[oid[3]] != "" {
		return x520[oid[3]]
	}
	switch s := oid.String(); s {
	case "0.9.2342.19200300.100.1.1":
		return "UID"
	case "0.9.2342.19200300.100.1.25":
		return "DC"
	case "1.2.840.113549.1.9.1":
		return "emailAddress"
	default:
		return s
	}
}

// attributeLimit returns the maximum length of an attribute in characters (RFC 5280, appendix A,
// the upper bounds ub-*); 0: no limit.
func attributeLimit(name string) int {
	switch name {
	case "C":
		return 2
	case "GN":
		return 16
	case "SN":
		return 40
	case "O", "OU", "title", "serialNumber":
		return 64
	case "L", "ST":
		return 128
	case "emailAddress":
		return 255
	}
	return 0
}

// altNames are the subject alternative names of the kinds that can become tags, as encoded.
type altNames struct {
	dns, uris   []string
	directories []pkix.Name
}

// alternativeNames parses RFC 5280, 4.2.1.6: crypto/x509 ignores directory names, and re-encodes
// URIs.
func alternativeNames(cert *x509.Certificate) altNames {
	var result altNames
	for _, ext := range cert.Extensions {
		if !ext.Id.Equal(oidSubjectAltName) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(ext.Value, &names); err != nil {
			return result
		}
		for _, name := range names {
			if name.Class == asn1.ClassContextSpecific {
				result.add(name)
			}
		}
	}
	return result
}

func (a *altNames) add(name asn1.RawValue) {
	switch name.Tag {
	case 2:
		a.dns = append(a.dns, string(name.Bytes))
	case 4:
		var sequence pkix.RDNSequence
		if _, err := asn1.Unmarshal(name.Bytes, &sequence); err != nil {
			return // the names before the fault are linted
		}
		var directory pkix.Name
		directory.FillFromRDNSequence(&sequence)
		a.directories = append(a.directories, directory)
	case 6:
		a.uris = append(a.uris, string(name.Bytes))
	}
}

var oidSubjectAltName = asn1.ObjectIdentifier{2, 5, 29, 17}
