package ca

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"slices"
	"strings"
)

// lintCases has certificates that break nothing, and for each rule those that break just
// that one.
func lintCases(o *opensslCA) []lintCase {
	var cases []lintCase
	for _, part := range [][]lintCase{goodCases(), formCases(), keyCases(), usageCases(), subjectCases(o), tagCases(o), nameCases(), sizeCases(), pathCases(), serverCases()} {
		cases = append(cases, part...)
	}
	return cases
}

func subj(s string) opensslCert { return opensslCert{subject: s} }
func ext(s string) opensslCert  { return opensslCert{extensions: s} }
func drop(s string) opensslCert { return opensslCert{drop: s} }
func args(s ...string) opensslCert {
	return opensslCert{args: s}
}

func goodCases() []lintCase {
	cases := []lintCase{
		{"", "", anchor, subj("/CN=Root"), ""},
		{"", "", anchor, subj("/C=CH/O=Example/OU=IAM: a+b=c/CN=Wurzel Zürich 3"), ""},
		{"", "", anchor, ext("extendedKeyUsage=clientAuth,serverAuth"), ""},
		{"", "", intermediate, opensslCert{}, ""},
		{"", "", intermediate, ext("basicConstraints=critical,CA:TRUE,pathlen:0"), ""},
		{"", "", leaf, opensslCert{}, "intermediate"},
		{"", "", leaf, opensslCert{}, "limited"},
		{"", "", leaf, opensslCert{}, "level 5"},
		{"", "", leaf, opensslCert{}, "many"},
		{"", "", leaf, ext("subjectAltName=DNS:a.example.com,IP:192.0.2.1"), "names"},
		{"", "", leaf, subj("/DC=com/DC=example/CN=" + strings.Repeat("n", 61)), ""},
		{"", "", leaf, ext("subjectAltName=DNS:a.example.com,DNS:b.example.com,URI:spiffe://example.org/a@b+c=d_e,IP:10.0.0.1,email:a&b@example.com"), ""},
		{"", "", leaf, args("-set_serial", "0x7f"+strings.Repeat("ff", 19)), ""},
		{"", "", leaf, args("-sha512"), ""},
		{"", "", leaf, subj("/O=Example/CN=x"), "directory"},
		{"", "", leaf, subj("/O=Example/OU=Open/CN=x"), "directory"},
		{"", "", intermediate, subj("/O=Example/CN=Sub"), "directory"},
		{"", "", anchor, ext("nameConstraints=permitted;dirName:dir\n[dir]\nO=Example"), ""},
	}
	for _, key := range []string{"EC:ec_paramgen_curve:P-384", "EC:ec_paramgen_curve:P-521", "RSA:rsa_keygen_bits:2048", "RSA:rsa_keygen_bits:3072"} {
		cases = append(cases, lintCase{"", "", leaf, opensslCert{key: key}, ""}, lintCase{"", "", anchor, opensslCert{key: key}, ""})
	}
	return cases
}

func formCases() []lintCase {
	return []lintCase{
		{"version", "has X.509 version 1", leaf, opensslCert{}, ""},
		{"version", "has X.509 version 1", anchor, opensslCert{}, ""},
		{"serial", "has the serial number 0", leaf, args("-set_serial", "0"), ""},
		{"serial", "has a serial number of 21 bytes", leaf, args("-set_serial", "0x80"+strings.Repeat("00", 19)), ""},
		{"serial", "has a serial number of 21 bytes", anchor, args("-set_serial", "0x01"+strings.Repeat("00", 20)), ""},
		{"digest", "is signed with ECDSA-SHA1", leaf, args("-sha1"), ""},
		{"digest", "is signed with ECDSA-SHA1", intermediate, args("-sha1"), ""},
		{"digest", "is signed with SHA1-RSA", anchor, opensslCert{key: "RSA:rsa_keygen_bits:2048", args: []string{"-sha1"}}, ""},
		{"digest", "is signed with the algorithm 1.2.840.10045.4.3.1", leaf, args("-sha224"), ""},
		{"validity", "before it begins", leaf, args("-days", "-1"), ""},
		{"critical-extension", "has the critical extension 1.2.3.4", leaf, ext("1.2.3.4=critical,ASN1:UTF8String:x"), ""},
		{"critical-extension", "has the critical extension 1.2.3.4", anchor, ext("1.2.3.4=critical,ASN1:UTF8String:x"), ""},
	}
}

func keyCases() []lintCase {
	return []lintCase{
		{"key", "1024", leaf, opensslCert{key: "RSA:rsa_keygen_bits:1024"}, ""},
		{"key", "1024", anchor, opensslCert{key: "RSA:rsa_keygen_bits:1024"}, ""},
		{"key", "P-224", leaf, opensslCert{key: "EC:ec_paramgen_curve:secp224r1"}, ""},
		{"key", "a key of type ed25519.PublicKey cannot be used", leaf, opensslCert{key: "ED25519"}, ""},
	}
}

func usageCases() []lintCase {
	return []lintCase{
		{"ca-flag", "is self-signed without the CA flag", anchor, ext("basicConstraints=critical,CA:FALSE"), ""},
		{"ca-flag", "is self-signed without the CA flag", anchor, drop("basicConstraints"), ""},
		{"ca-flag-critical", "not critical", anchor, ext("basicConstraints=CA:TRUE"), ""},
		{"ca-flag-critical", "not critical", intermediate, ext("basicConstraints=CA:TRUE"), ""},
		{"key-usage-digital-signature", "lacks the key usage digitalSignature", leaf, ext("keyUsage=critical,keyEncipherment"), ""},
		{"key-usage-digital-signature", "lacks the key usage digitalSignature", leaf, drop("keyUsage"), ""},
		{"key-usage-cert-sign", "lacks the key usage keyCertSign", anchor, ext("keyUsage=critical,cRLSign"), ""},
		{"key-usage-cert-sign", "lacks the key usage keyCertSign", intermediate, ext("keyUsage=critical,cRLSign,digitalSignature"), ""},
		{"key-usage-cert-sign-leaf", "without the CA flag", leaf, ext("keyUsage=critical,digitalSignature,keyCertSign"), ""},
		{"key-usage-crl-sign", "lacks the key usage cRLSign", anchor, ext("keyUsage=critical,keyCertSign"), ""},
		{"key-usage-crl-sign", "lacks the key usage cRLSign", intermediate, ext("keyUsage=critical,keyCertSign"), ""},
		{"key-usage-critical", "not critical", leaf, ext("keyUsage=digitalSignature"), ""},
		{"key-usage-critical", "not critical", anchor, ext("keyUsage=keyCertSign,cRLSign"), ""},
		{"ext-key-usage", "lacks the extended key usage clientAuth", leaf, ext("extendedKeyUsage=serverAuth"), ""},
		{"ext-key-usage", "lacks the extended key usage clientAuth", leaf, drop("extendedKeyUsage"), ""},
		{"ca-ext-key-usage", "has extended key usages without clientAuth", intermediate, ext("extendedKeyUsage=serverAuth,1.2.3.4"), ""},
		{"ca-ext-key-usage", "has extended key usages without clientAuth", anchor, ext("extendedKeyUsage=serverAuth"), ""},
		{"issuer-ext-key-usage", `is below "CN=Servers", whose extended key usages lack clientAuth`, leaf, opensslCert{}, "servers"},
		{"issuer-ext-key-usage", `is below "CN=Servers"`, leaf, opensslCert{}, "below servers"},
		{"issuer-ext-key-usage", `is below "CN=Servers"`, intermediate, opensslCert{}, "servers"},
	}
}

func subjectCases(o *opensslCA) []lintCase {
	long := func(n int) opensslCert {
		return opensslCert{request: o.requestOf(pkix.Name{CommonName: strings.Repeat("ü", n)})}
	}
	return []lintCase{
		{"subject-empty", "has an empty subject", leaf, subj("/"), ""},
		{"subject-empty", "has an empty subject", anchor, subj("/"), ""},
		{"common-name-length", "of 65 characters", leaf, long(65), ""},
		{"attribute-length", "has the attribute O, \"oooo", leaf, opensslCert{request: o.requestOf(pkix.Name{CommonName: "x", Organization: []string{strings.Repeat("o", 65)}})}, ""},
		{"attribute-length", "of 129 characters; at most 128", intermediate, opensslCert{request: o.requestOf(pkix.Name{CommonName: "x", Locality: []string{strings.Repeat("l", 129)}})}, ""},
		{"attribute-length", `has the country "CHE"; it must be a code of two letters`, leaf, opensslCert{request: o.requestOf(pkix.Name{CommonName: "x", Country: []string{"CHE"}})}, ""},
		{"attribute-spaces", `has the attribute CN, "web-01 ", with spaces at an end`, leaf, subj("/CN=web-01 "), ""},
		{"attribute-spaces", `has the attribute O, "Example  Ltd"`, anchor, subj("/CN=x/O=Example  Ltd"), ""},
		{"attribute-spaces", `has the attribute OU, "a\u00a0b"`, intermediate, subj("/CN=x/OU=a\u00a0b"), ""},
		{"common-name-repeated", "has 2 common names", leaf, subj("/CN=a/CN=b"), ""},
		{"source-identity", `sourceIdentity will be "ID=`, leaf, subj("/O=Example"), ""},
		{"source-identity", `sourceIdentity will be "üü`, leaf, long(62), ""},
		{"source-identity", `sourceIdentity will be "üü`, leaf, long(64), ""},
	}
}

func tagCases(o *opensslCA) []lintCase {
	numbered := func(n int, value string) opensslCert {
		name := pkix.Name{CommonName: "x"}
		for i := range n {
			name.ExtraNames = append(name.ExtraNames, pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{1, 2, 3, i + 1}, Value: value})
		}
		return opensslCert{request: o.requestOf(name)}
	}
	long := pkix.Name{CommonName: "x", ExtraNames: []pkix.AttributeTypeAndValue{{
		Type: append(asn1.ObjectIdentifier{1, 2}, slices.Repeat([]int{2147483647}, 11)...), Value: "x"}}}
	return []lintCase{
		{"tag-characters", `makes the tag x509Subject/CN of "Smith & Sons", and session tags cannot hold '&'`, leaf, subj("/CN=Smith & Sons"), ""},
		{"tag-characters", `x509Subject/O of "Example (CH)", and session tags cannot hold '('`, leaf, subj("/O=Example (CH)/CN=x"), ""},
		{"tag-characters", `x509Subject/OU of "a/b/c!"`, leaf, subj("/OU=a/OU=b/OU=c!/CN=x"), ""},
		{"tag-characters", `x509Subject/1.2.3.1 of "x,y"`, leaf, numbered(1, "x,y"), ""},
		{"tag-characters", `x509Issuer/CN of "Root & Sons"`, leaf, opensslCert{}, "amp"},
		{"tag-characters", `x509Issuer/CN of "Root & Sons"`, anchor, subj("/CN=Root & Sons"), ""},
		{"tag-characters", `x509Issuer/O of "\"A\""`, intermediate, subj(`/CN=x/O="A"`), ""},
		{"tag-characters", `x509SAN/DNS of "*.example.com", and session tags cannot hold '*'`, leaf, ext("subjectAltName=DNS:*.example.com"), ""},
		{"tag-characters", `x509SAN/URI of "https://example.com/a%20b"`, leaf, ext("subjectAltName=DNS:a,URI:https://example.com/a%20b"), ""},
		{"tag-characters", `x509SAN/Name/O of "A&B"`, leaf, ext("subjectAltName=dirName:dir\n[dir]\nO=A&B\nCN=y"), ""},
		{"tag-characters-unmapped", `has the name "*.example.com" with '*'`, leaf, ext("subjectAltName=DNS:example.com,DNS:*.example.com"), ""},
		{"tag-characters-unmapped", `has the name "https://example.com/?a" with '?'`, leaf, ext("subjectAltName=URI:https://example.com/,URI:https://example.com/?a"), ""},
		{"tag-count", "makes 52 session tags", leaf, numbered(50, "x"), ""},
		{"tag-length", "makes the tag x509SAN/URI of 257 characters", leaf, ext("subjectAltName=URI:https://" + strings.Repeat("u", 249)), ""},
		{"tag-length", "makes the tag x509Subject/OU of 258 characters", leaf, subj("/CN=x/OU=" + strings.Join([]string{strings.Repeat("a", 64), strings.Repeat("b", 64), strings.Repeat("c", 64), strings.Repeat("d", 63)}, "/OU=")), ""},
		{"tag-length", "makes a tag whose key, x509Subject/1.2.2147483647", leaf, opensslCert{request: o.requestOf(long)}, ""},
		{"packed-size", "take about 8", leaf, numbered(16, strings.Repeat("v", 200)), ""},
	}
}

func nameCases() []lintCase {
	return []lintCase{
		{"duplicate-name", `has the name "DNS:a.example.com" more than once`, leaf, ext("subjectAltName=DNS:a.example.com,DNS:b,DNS:A.Example.com,DNS:a.example.com"), ""},
		{"duplicate-name", `"IP:10.0.0.1"`, leaf, ext("subjectAltName=IP:10.0.0.1,IP:10.0.0.1"), ""},
		{"duplicate-name", `"email:a@example.com"`, leaf, ext("subjectAltName=email:a@example.com,email:a@EXAMPLE.com"), ""},
		{"duplicate-name", `"URI:spiffe://a"`, leaf, ext("subjectAltName=URI:spiffe://a,URI:spiffe://a"), ""},
	}
}

func sizeCases() []lintCase {
	return []lintCase{
		{"leaf-size", "a leaf may have 16384 at most", leaf, ext("nsComment=" + strings.Repeat("x", 16000)), ""},
		{"anchor-size", "a trust anchor may have 8000 at most", anchor, ext("nsComment=" + strings.Repeat("x", 5600)), ""},
		{"chain-length", "has 6 intermediates up to its root", leaf, opensslCert{}, "level 6"},
		{"chain-length", "has 6 intermediates up to its root", intermediate, opensslCert{}, "level 5"},
	}
}

func pathCases() []lintCase {
	return []lintCase{
		{"issuer", `is issued by "CN=Other", but the next certificate is "CN=Root"`, leaf, opensslCert{}, "other"},
		{"issuer", `is below "CN=Leaf", which is not a CA`, leaf, opensslCert{}, "leaf"},
		{"path-length", `whose path length allows 0`, intermediate, opensslCert{}, "limited"},
		{"name-constraints", `the DNS name "example.org" is not permitted by the name constraints of "CN=Names"`, leaf, ext("subjectAltName=DNS:a.example.com,DNS:example.org"), "names"},
		{"name-constraints", `"10.0.0.0/8"`, leaf, ext("subjectAltName=DNS:a.example.com,IP:10.1.2.3"), "names"},
		{"name-constraints", `the email address "a@example.org" is not permitted`, leaf, subj("/CN=x/emailAddress=a@example.org"), "mail"},
		{"name-constraints", `the directory name "CN=web-01" is not permitted by the name constraints of "CN=Dir,O=Example": "O=Example"`, leaf, opensslCert{}, "directory"},
		{"name-constraints", `the directory name "CN=x,O=EXAMPLE" is not permitted`, leaf, subj("/O=EXAMPLE/CN=x"), "directory"},
		{"name-constraints", `the directory name "CN=x,OU=secret,O=Example" is excluded by the name constraint "OU=Secret,O=Example"`, leaf, subj("/O=Example/OU=secret/CN=x"), "directory"},
		{"name-constraints", `the directory name "CN=y,O=Other" is not permitted`, leaf, opensslCert{subject: "/O=Example/CN=x", extensions: "subjectAltName=DNS:x,dirName:dir\n[dir]\nO=Other\nCN=y"}, "directory"},
		{"name-constraints", `the directory name "CN=Sub,O=Other" is not permitted`, intermediate, subj("/O=Other/CN=Sub"), "directory"},
		{"name-constraints-directory", "critical name constraints on directory names", anchor, ext("nameConstraints=critical,permitted;dirName:dir\n[dir]\nO=Example"), ""},
		{"critical-extension", "the name constraints on registered IDs cannot be held against names", anchor, ext("nameConstraints=critical,permitted;RID:1.2.3"), ""},
		{"critical-extension", "the name constraints on other names (otherName) cannot", intermediate, ext("nameConstraints=critical,excluded;otherName:1.2.3;UTF8:x"), ""},
		{"subject-key-id", "lacks the subject key identifier", anchor, ext("subjectKeyIdentifier=none"), ""},
		{"authority-key-id", "lacks the authority key identifier", leaf, drop("authorityKeyIdentifier"), ""},
		{"authority-key-id", "that of its issuer is", leaf, ext("authorityKeyIdentifier=keyid\n2.5.29.35=DER:30:06:80:04:01:02:03:04"), ""},
		{"outlives-issuer", `after its issuer "CN=Root"`, leaf, args("-days", "4000"), ""},
		{"outlives-issuer", `after the CA above it, "CN=Root"`, leaf, args("-days", "4000"), "longer"},
		{"no-authority-below", "has the path length 0", foreign, ext("basicConstraints=critical,CA:TRUE,pathlen:0"), ""},
		{"in-date", "ended at ", leaf, args("-days", "0"), ""},
		{"in-date", "ended at ", anchor, args("-days", "0"), ""},
	}
}

func serverCases() []lintCase {
	named := func(extensions string) opensslCert { return opensslCert{subject: "/", extensions: extensions} }
	return []lintCase{
		{"", "", server, subj("/"), ""},
		{"", "", server, subj("/"), "intermediate"},
		{"", "", server, subj("/"), "servers"},
		{"", "", server, named("subjectAltName=critical,DNS:ca.example.com"), "names"},
		{"", "", server, opensslCert{subject: "/", key: "RSA:rsa_keygen_bits:2048"}, ""},
		{"server-subject", `has the subject "CN=web-01"`, server, opensslCert{}, ""},
		{"server-names", "has neither a DNS name nor an IP address", server, named("subjectAltName=critical,URI:https://ca.example.com"), ""},
		{"server-names", "not critical", server, named("subjectAltName=DNS:ca.example.com"), ""},
		{"server-ext-key-usage", "serverAuth and no other", server, named("extendedKeyUsage=serverAuth,clientAuth"), ""},
		{"server-ext-key-usage", "serverAuth and no other", server, named("extendedKeyUsage=serverAuth,1.2.3.4"), ""},
		{"server-ext-key-usage", "serverAuth and no other", server, opensslCert{subject: "/", drop: "extendedKeyUsage"}, ""},
		{"server-issuer-ext-key-usage", `is below "CN=Clients"`, server, subj("/"), "clients"},
		{"name-constraints", `"ca.other.test" is not permitted`, server, named("subjectAltName=critical,DNS:ca.other.test"), "names"},
		{"key", "has a key that cannot be used", server, opensslCert{subject: "/", key: "RSA:rsa_keygen_bits:1024"}, ""},
	}
}
