package emulator

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"maps"
	"strings"
	"unicode"
	"unicode/utf8"

	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

const maxTags = 50 // STS reference, AssumeRole, Tags

// The parts of a session that follow from the certificate: its name, its source identity, its tags.

// serialHex returns the serial number in lower-case hexadecimal of even length, the session's name
// unless the request sets one (guide, "authentication-create-session").
func serialHex(leaf *x509.Certificate) string {
	s := leaf.SerialNumber.Text(16)
	if len(s)%2 != 0 {
		s = "0" + s
	}
	return s
}

// sourceIdentityOf follows the guide, "trust-model" (source identity), and field reports: STS
// accepts 64 characters, so a longer identity loses its prefix, then is replaced by the serial
// number. What happens above 64 characters is ours, and so is passing on characters that STS does
// not accept in a source identity, such as a blank.
func sourceIdentityOf(leaf *x509.Certificate) string {
	cn := leaf.Subject.CommonName
	switch n := utf8.RuneCountInString(cn); {
	case n == 0 || n > 64:
		return "ID=" + serialHex(leaf)
	case n > 61:
		return cn
	}
	return "CN=" + cn
}

// mappedTags returns the session tags that a profile's attribute mappings leave (guide,
// "attribute-mapping").
func mappedTags(profile *rolesanywhere.Profile, leaf *x509.Certificate) map[string]string {
	tags := principalTags(leaf)
	maps.DeleteFunc(tags, func(tag, _ string) bool { return !profile.Maps(tag) })
	return tags
}

// principalTags returns the session tags of the default attribute mappings (guide, "trust-model"):
// x509Subject/*, x509Issuer/*, and the first DNS name, URI and directory name of the subject
// alternative name. A second value of one attribute is joined with a slash.
func principalTags(leaf *x509.Certificate) map[string]string {
	tags := map[string]string{}
	addName(tags, "x509Subject/", leaf.Subject)
	addName(tags, "x509Issuer/", leaf.Issuer)
	if len(leaf.DNSNames) > 0 {
		tags["x509SAN/DNS"] = leaf.DNSNames[0]
	}
	if len(leaf.URIs) > 0 {
		tags["x509SAN/URI"] = leaf.URIs[0].String()
	}
	if name, ok := firstDirectoryName(leaf); ok {
		addName(tags, "x509SAN/Name/", name)
	}
	return tags
}

func addName(tags map[string]string, prefix string, name pkix.Name) {
	for _, attribute := range name.Names {
		key := prefix + attributeName(attribute.Type)
		value := fmt.Sprint(attribute.Value)
		if before, ok := tags[key]; ok {
			value = before + "/" + value
		}
		tags[key] = value
	}
}

// attributeName returns RFC 4519's short name of an attribute, or its object identifier.
func attributeName(oid asn1.ObjectIdentifier) string {
	names := map[string]string{
		"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L",
		"2.5.4.8": "ST", "2.5.4.9": "street", "2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title",
		"2.5.4.42": "GN", "2.5.4.46": "dnQualifier", "0.9.2342.19200300.100.1.1": "UID",
		"0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
	}
	if name, ok := names[oid.String()]; ok {
		return name
	}
	return oid.String()
}

// firstDirectoryName finds the first directoryName, [4] EXPLICIT Name, in the subject
// alternative name (RFC 5280 4.2.1.6), which crypto/x509 does not show.
func firstDirectoryName(leaf *x509.Certificate) (pkix.Name, bool) {
	for _, ext := range leaf.Extensions {
		if !ext.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		var names []asn1.RawValue
		if _, err := asn1.Unmarshal(ext.Value, &names); err != nil {
			return pkix.Name{}, false
		}
		for _, name := range names {
			var sequence pkix.RDNSequence
			if name.Class == asn1.ClassContextSpecific && name.Tag == 4 {
				if _, err := asn1.Unmarshal(name.Bytes, &sequence); err != nil {
					return pkix.Name{}, false
				}
				var result pkix.Name
				result.FillFromRDNSequence(&sequence)
				return result, true
			}
		}
	}
	return pkix.Name{}, false
}

// checkTags refuses what the service was seen to refuse (field reports: a common name with "&" or a
// parenthesis), although by the guide such a value is left out. The two limits of all tags together
// are STS's (STS reference, AssumeRole, Tags); answering with the same message is ours.
func checkTags(tags map[string]string) *wire.Error {
	if len(tags) > maxTags {
		return wire.Denied(textTags, "the certificate makes %d session tags; %d is the most", len(tags), maxTags)
	}
	if size := packedSize(tags); size > 100 {
		return wire.Denied(textTags, "the session tags have a packed size of %d %%", size)
	}
	for key, value := range tags {
		if i := strings.IndexFunc(value, outsideTagAlphabet); i >= 0 {
			r, _ := utf8.DecodeRuneInString(value[i:])
			return wire.Denied(textTags, "the attribute %s, %q, has the character %q, which a session tag cannot have", key, value, r)
		}
		if utf8.RuneCountInString(value) > 256 { // STS reference, Tag
			return wire.Denied(textTags, "the attribute %s has more than 256 characters", key)
		}
	}
	return nil
}

// packedSize replaces STS's packing, in percent, which is not documented: the bytes of the tags as
// a part of 4,096.
func packedSize(tags map[string]string) int {
	size := 0
	for key, value := range tags {
		size += len(key) + len(value)
	}
	return size * 100 / 4096
}

// outsideTagAlphabet is the complement of [\p{L}\p{Z}\p{N}_.:/=+\-@] (STS reference, Tag).
func outsideTagAlphabet(r rune) bool {
	return !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
}
