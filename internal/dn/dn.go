// Package dn reads distinguished names as people and tools write them, compares encoded ones, and
// derives file names from common names.
package dn

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// Parse reads a distinguished name: RFC 4514 (CN=web-01,O=Example), openssl's form with
// spaces (O = Example, CN = web-01) and its form with slashes (/O=Example/CN=web-01). The
// result has the order of a certificate: that of the text where it has slashes, else the
// reverse, by RFC 4514 section 2.1. openssl's form with spaces has the order of the certificate,
// too, but nothing in the text shows which program wrote it.
func Parse(text string) (pkix.RDNSequence, bool) {
	separators, slashes := ",;", strings.HasPrefix(text, "/")
	if slashes {
		separators, text = "/", text[1:]
	}
	var name pkix.RDNSequence
	for part := range split(text, separators) {
		var rdn pkix.RelativeDistinguishedNameSET
		for attribute := range split(part, "+") {
			kind, value, _ := strings.Cut(attribute, "=")
			oid := attributeType(kind)
			content, ok := attributeValue(trimValue(value))
			if oid == nil || !ok {
				return nil, false
			}
			rdn = append(rdn, pkix.AttributeTypeAndValue{Type: oid, Value: content})
		}
		name = append(name, rdn)
	}
	if !slashes {
		slices.Reverse(name)
	}
	return name, len(name) > 0
}

// split cuts text at separators that stand outside quotes, are not escaped, and are
// followed by an attribute: the slashes of a URI are none.
func split(text, separators string) func(func(string) bool) {
	return func(yield func(string) bool) {
		start, quoted := 0, false
		for i := 0; i < len(text); i++ {
			switch c := text[i]; {
			case c == '\\':
				i++
			case c == '"':
				quoted = !quoted
			case !quoted && strings.IndexByte(separators, c) >= 0 && beginsAttribute(text[i+1:]):
				if !yield(text[start:i]) {
					return
				}
				start = i + 1
			}
		}
		yield(text[start:])
	}
}

// maxAttributeType is how long the name of an attribute is at most, with its spaces.
const maxAttributeType = 64

func beginsAttribute(text string) bool {
	kind, _, ok := strings.Cut(text[:min(len(text), maxAttributeType)], "=")
	return ok && attributeType(kind) != nil
}

// attributeType accepts the names of RFC 4514 and RFC 2985 and what openssl calls them, and
// object identifiers in numbers.
func attributeType(kind string) asn1.ObjectIdentifier {
	kind = strings.ToUpper(strings.TrimSpace(kind))
	for _, known := range []struct {
		names string
		oid   asn1.ObjectIdentifier
	}{
		{"CN COMMONNAME", asn1.ObjectIdentifier{2, 5, 4, 3}},
		{"O ORGANIZATIONNAME", asn1.ObjectIdentifier{2, 5, 4, 10}},
		{"OU ORGANIZATIONALUNITNAME", asn1.ObjectIdentifier{2, 5, 4, 11}},
		{"C COUNTRYNAME", asn1.ObjectIdentifier{2, 5, 4, 6}},
		{"L LOCALITYNAME", asn1.ObjectIdentifier{2, 5, 4, 7}},
		{"ST S STATEORPROVINCENAME", asn1.ObjectIdentifier{2, 5, 4, 8}},
		{"STREET STREETADDRESS", asn1.ObjectIdentifier{2, 5, 4, 9}},
		{"SERIALNUMBER", asn1.ObjectIdentifier{2, 5, 4, 5}},
		{"POSTALCODE", asn1.ObjectIdentifier{2, 5, 4, 17}},
		{"DC DOMAINCOMPONENT", asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 25}},
		{"UID USERID", asn1.ObjectIdentifier{0, 9, 2342, 19200300, 100, 1, 1}},
		{"EMAILADDRESS E", asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 1}},
	} {
		if slices.Contains(strings.Fields(known.names), kind) {
			return known.oid
		}
	}
	return parseOID(strings.TrimPrefix(kind, "OID."))
}

func parseOID(text string) asn1.ObjectIdentifier {
	parts := strings.Split(text, ".")
	if len(parts) < 3 || len(parts) > 20 {
		return nil
	}
	var oid asn1.ObjectIdentifier
	for _, part := range parts {
		n := 0
		for _, digit := range []byte(part) {
			if digit < '0' || digit > '9' || n > 1<<26 {
				return nil
			}
			n = 10*n + int(digit-'0')
		}
		if part == "" {
			return nil
		}
		oid = append(oid, n)
	}
	return oid
}

// trimValue takes the spaces around a value away, but for an escaped one at its end.
func trimValue(text string) string {
	text = strings.TrimLeft(text, " ")
	trimmed := strings.TrimRight(text, " ")
	escapes := len(trimmed) - len(strings.TrimRight(trimmed, `\`))
	if escapes%2 == 1 && trimmed != text {
		trimmed += " "
	}
	return trimmed
}

// attributeValue takes off quotes and escapes: RFC 4514, 2.4; RFC 2253 had the quotes.
func attributeValue(text string) (string, bool) {
	if strings.HasPrefix(text, "#") {
		der, err := hex.DecodeString(text[1:])
		var value string
		if err != nil {
			return "", false
		}
		rest, err := asn1.Unmarshal(der, &value)
		return value, err == nil && len(rest) == 0
	}
	if len(text) >= 2 && text[0] == '"' && text[len(text)-1] == '"' {
		text = text[1 : len(text)-1]
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' || i+1 == len(text) {
			b.WriteByte(text[i])
			continue
		}
		if pair, err := hex.DecodeString(text[i+1 : min(i+3, len(text))]); err == nil && len(pair) == 1 {
			b.WriteByte(pair[0])
			i += 2
			continue
		}
		i++
		b.WriteByte(text[i])
	}
	return b.String(), b.Len() > 0 && utf8.ValidString(b.String())
}
