package doctor

import (
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// The limits of STS: API Reference, Tag and AssumeRole.
const (
	maxTags     = 50
	maxTagValue = 256
)

// present describes a certificate, and what a session has of it.
func present(leaf *x509.Certificate) *Presented {
	sum := sha256.Sum256(leaf.Raw)
	return &Presented{
		Serial: hex.EncodeToString(leaf.SerialNumber.Bytes()), SHA256: hex.EncodeToString(sum[:]),
		Subject: leaf.Subject.String(), Issuer: leaf.Issuer.String(),
		NotBefore: leaf.NotBefore.UTC(), NotAfter: leaf.NotAfter.UTC(),
		SourceIdentity: sourceIdentity(leaf), Tags: sessionTags(leaf),
	}
}

// sourceIdentity returns the source identity of a session: "CN=" and the common name of at most 61 characters,
// the common name alone up to the 64 that STS takes, and "ID=" with the serial number without a common name.
//
// Source: IAM Roles Anywhere User Guide, "Trust model"; the limits are field reports.
func sourceIdentity(leaf *x509.Certificate) string {
	name := leaf.Subject.CommonName
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > 64:
		return "ID=" + hex.EncodeToString(leaf.SerialNumber.Bytes())
	case n > 61:
		return name
	}
	return "CN=" + name
}

// judgeSourceIdentity judges the name by which CloudTrail and trust policies know the sessions.
func judgeSourceIdentity(leaf *x509.Certificate) *Finding {
	identity := sourceIdentity(leaf)
	seen := fmt.Sprintf("%q", identity)
	switch n := utf8.RuneCountInString(leaf.Subject.CommonName); {
	case n == 0:
		return warning(seen+", which changes with every renewal", "have it issued with a common name: trust policies and CloudTrail know the host by it")
	case n > 64:
		return warning(seen+fmt.Sprintf(": the common name has %d characters, and 64 are the most", n), "have it issued with a shorter common name")
	case n > 61:
		return warning(seen+", without the CN= that shorter names have", "name the source identity so in trust policies, or have it issued with a common name of at most 61 characters")
	}
	return ok(seen)
}

// sessionTags returns the tags of a session by the default attribute mapping: all attributes of subject and
// issuer, and of the alternative names the first DNS name, URI and directory name. Values of one attribute are
// joined with a slash.
//
// Source: IAM Roles Anywhere User Guide, "Trust model" and "Certificate attribute mapping".
func sessionTags(leaf *x509.Certificate) map[string]string {
	tags := map[string]string{}
	addName(tags, "x509Subject/", leaf.Subject)
	addName(tags, "x509Issuer/", leaf.Issuer)
	if len(leaf.DNSNames) > 0 {
		tags["x509SAN/DNS"] = leaf.DNSNames[0]
	}
	if len(leaf.URIs) > 0 {
		tags["x509SAN/URI"] = leaf.URIs[0].String()
	}
	if name, found := firstDirectoryName(leaf); found {
		addName(tags, "x509SAN/Name/", name)
	}
	return tags
}

func addName(tags map[string]string, prefix string, name pkix.Name) {
	for _, attribute := range name.Names {
		key, value := prefix+attributeName(attribute.Type), fmt.Sprint(attribute.Value)
		if before, repeated := tags[key]; repeated {
			value = before + "/" + value
		}
		tags[key] = value
	}
}

// attributeName returns the short name of RFC 4519, section 2, or the object identifier.
func attributeName(oid asn1.ObjectIdentifier) string {
	name, known := map[string]string{
		"2.5.4.3": "CN", "2.5.4.4": "SN", "2.5.4.5": "serialNumber", "2.5.4.6": "C", "2.5.4.7": "L", "2.5.4.8": "ST", "2.5.4.9": "street",
		"2.5.4.10": "O", "2.5.4.11": "OU", "2.5.4.12": "title", "2.5.4.42": "GN", "2.5.4.46": "dnQualifier",
		"0.9.2342.19200300.100.1.1": "UID", "0.9.2342.19200300.100.1.25": "DC", "1.2.840.113549.1.9.1": "emailAddress",
	}[oid.String()]
	if !known {
		return oid.String()
	}
	return name
}

// firstDirectoryName finds the first directoryName, [4] EXPLICIT Name, of the alternative names (RFC 5280,
// 4.2.1.6), which crypto/x509 does not show.
func firstDirectoryName(leaf *x509.Certificate) (name pkix.Name, found bool) {
	for _, extension := range leaf.Extensions {
		var names []asn1.RawValue
		if !extension.Id.Equal(asn1.ObjectIdentifier{2, 5, 29, 17}) {
			continue
		}
		if _, err := asn1.Unmarshal(extension.Value, &names); err != nil {
			return name, false
		}
		for _, n := range names {
			var rdns pkix.RDNSequence
			if n.Class != asn1.ClassContextSpecific || n.Tag != 4 {
				continue
			}
			_, err := asn1.Unmarshal(n.Bytes, &rdns)
			name.FillFromRDNSequence(&rdns)
			return name, err == nil
		}
	}
	return name, false
}

// judgeTags judges the session tags: the service was seen to refuse values that STS cannot take, although its
// guide has them left out.
func judgeTags(tags map[string]string, profileARN string) *Finding {
	if len(tags) > maxTags {
		return warning(fmt.Sprintf("the certificate makes %d session tags, and %d are the most", len(tags), maxTags), "have it issued with fewer attributes")
	}
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		value, problem := tags[key], ""
		if i := strings.IndexFunc(value, untaggable); i >= 0 {
			r, _ := utf8.DecodeRuneInString(value[i:])
			problem = fmt.Sprintf("has the character %q, which no session tag can have", r)
		} else if n := utf8.RuneCountInString(value); n > maxTagValue {
			problem = fmt.Sprintf("has %d characters, and %d are the most", n, maxTagValue)
		}
		if problem == "" {
			continue
		}
		field, specifier, _ := strings.Cut(key, "/")
		return warning(fmt.Sprintf("%s, %q, %s", key, value, problem), "have it issued without, or leave this attribute out of the profile's mapping").
			run("aws rolesanywhere delete-attribute-mapping --profile-id %s --certificate-field %s --specifiers %s", profileARN[strings.LastIndexByte(profileARN, '/')+1:], field, specifier)
	}
	return ok(listTags(tags))
}

func listTags(tags map[string]string) string {
	all := make([]string, 0, len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		all = append(all, key+"="+tags[key])
	}
	return strings.Join(all, ", ")
}

// untaggable is the complement of [\p{L}\p{Z}\p{N}_.:/=+\-@].
func untaggable(r rune) bool {
	return r == utf8.RuneError || !unicode.In(r, unicode.L, unicode.Z, unicode.N) && !strings.ContainsRune("_.:/=+-@", r)
}
