package ca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"strings"
	"unicode/utf8"
)

// SourceIdentity returns the sourceIdentity of a session of the leaf, by which CloudTrail
// identifies it: "CN=" and the common name if that has 61 characters at most, the common name alone
// up to the 64 that STS accepts, and "ID=" with the serial number in hexadecimal if there is no
// common name.
//
// Source: IAM Roles Anywhere User Guide, "Trust model"; the limits are field reports. What happens
// above 64 characters is not documented; lint refuses such a name.
func SourceIdentity(cert *x509.Certificate) string {
	name := cert.Subject.CommonName
	switch n := utf8.RuneCountInString(name); {
	case n == 0 || n > 64:
		return "ID=" + SerialHex(cert)
	case n > 61:
		return name
	}
	return "CN=" + name
}

// SerialHex returns the serial number in lower-case hexadecimal of even length: the default
// name of a session.
//
// Source: IAM Roles Anywhere User Guide, "CreateSession".
func SerialHex(cert *x509.Certificate) string {
	s := cert.SerialNumber.Text(16)
	if len(s)%2 != 0 {
		s = "0" + s
	}
	return s
}

// Tag is a session tag that CreateSession derives from a certificate; policies refer to it as
// aws:PrincipalTag/KEY.
type Tag struct{ Key, Value string }

// SessionTags returns the tags of a leaf's sessions under the default attribute mapping, in the
// order of the certificate: all attributes of subject and issuer, and of the subject alternative
// name the first DNS name, URI and directory name. A repeated attribute becomes one tag, with a
// slash between its values. A profile in AWS can map differently.
//
// Source: IAM Roles Anywhere User Guide, "Certificate attribute mapping". Which attributes are
// recognized is not documented; this function returns all.
func SessionTags(cert *x509.Certificate) []Tag {
	var tags []Tag
	tags = addTags(tags, "x509Subject/", cert.Subject)
	tags = addTags(tags, "x509Issuer/", cert.Issuer)
	names := alternativeNames(cert)
	if len(names.dns) > 0 {
		tags = append(tags, Tag{"x509SAN/DNS", names.dns[0]})
	}
	if len(names.uris) > 0 {
		tags = append(tags, Tag{"x509SAN/URI", names.uris[0]})
	}
	if len(names.directories) > 0 {
		tags = addTags(tags, "x509SAN/Name/", names.directories[0])
	}
	return tags
}

// addTags adds the attributes of one name; a hostile certificate can have very many.
func addTags(tags []Tag, prefix string, name pkix.Name) []Tag {
	var keys []string // in order
	values := map[string][]string{}
	for _, attribute := range name.Names {
		value, ok := attribute.Value.(string)
		if !ok {
			continue // not text
		}
		key := prefix + attributeName(attribute.Type)
		if values[key] == nil {
			keys = append(keys, key)
		}
		values[key] = append(values[key], value)
	}
	for _, key := range keys {
		tags = append(tags, Tag{key, strings.Join(values[key], "/")})
	}
	return tags
}

// PackedSize estimates the share that the tags take of the space for session tags and session
// policies, in percent. The packing of STS is not documented; this function counts the bytes of
// keys and values, of 4,096. At 100 % or before, CreateSession is refused.
//
// Source: AWS STS API Reference, AssumeRole, PackedPolicySize.
func PackedSize(tags []Tag) int {
	size := 0
	for _, tag := range tags {
		size += len(tag.Key) + len(tag.Value)
	}
	return size * 100 / 4096
}
