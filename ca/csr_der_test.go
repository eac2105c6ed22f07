package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"kedge/internal/testenv"
)

// requestParts are what a request is built from by hand, in DER. Empty fields have the values
// of an ordinary one.
type requestParts struct {
	version    int64
	subject    []byte // Name
	key        []byte // SubjectPublicKeyInfo
	attributes []byte // with its tag; absent: []byte{}
	algorithm  string // object identifier beside the signature
	parameters []byte
}

// build signs the parts with an EC key, whatever algorithm it names.
func (p requestParts) build(t testing.TB, key *ecdsa.PrivateKey) []byte {
	t.Helper()
	if p.subject == nil {
		p.subject = commonNameOf(t, cbasn1.UTF8String, []byte("web-01"))
	}
	if p.key == nil {
		var err error
		if p.key, err = x509.MarshalPKIXPublicKey(key.Public()); err != nil {
			t.Fatal(err)
		}
	}
	if p.attributes == nil {
		p.attributes = []byte{0xa0, 0}
	}
	if p.algorithm == "" {
		p.algorithm = "1.2.840.10045.4.3.2"
	}
	info := der(t, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1Int64(p.version)
			b.AddBytes(p.subject)
			b.AddBytes(p.key)
			b.AddBytes(p.attributes)
		})
	})
	digest := sha256.Sum256(info)
	signature, err := key.Sign(rand.Reader, digest[:], crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	return der(t, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddBytes(info)
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1ObjectIdentifier(oidOf(t, p.algorithm))
				b.AddBytes(p.parameters)
			})
			b.AddASN1BitString(signature)
		})
	})
}

func der(t testing.TB, build func(*cryptobyte.Builder)) []byte {
	t.Helper()
	var b cryptobyte.Builder
	build(&b)
	out, err := b.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func oidOf(t testing.TB, text string) asn1.ObjectIdentifier {
	t.Helper()
	oid, err := x509.ParseOID(text)
	if err != nil {
		t.Fatal(err)
	}
	binary, err := oid.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	var out asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(append([]byte{6, byte(len(binary))}, binary...), &out); err != nil {
		t.Fatal(err)
	}
	return out
}

// nameOf builds a Name of attributes in strings of any type.
func nameOf(t testing.TB, attributes ...asn1.RawValue) []byte {
	t.Helper()
	return der(t, func(b *cryptobyte.Builder) {
		b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
			for _, a := range attributes {
				b.AddASN1(cbasn1.SET, func(b *cryptobyte.Builder) {
					b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1ObjectIdentifier(asn1.ObjectIdentifier{2, 5, 4, a.Class})
						b.AddASN1(cbasn1.Tag(a.Tag), func(b *cryptobyte.Builder) { b.AddBytes(a.Bytes) })
					})
				})
			}
		})
	})
}

func commonNameOf(t testing.TB, tag cbasn1.Tag, text []byte) []byte {
	t.Helper()
	return nameOf(t, asn1.RawValue{Class: 3, Tag: int(tag), Bytes: text})
}

// fromDER reads a request by the default profile.
func fromDER(t testing.TB, der []byte, o CSROptions) (Request, []string, error) {
	t.Helper()
	csr, err := ParseCSR(der)
	if err != nil {
		return Request{}, nil, err
	}
	return DefaultProfile().FromCSR(csr, o)
}

// TestFromCSR_form: malformed requests of devices, and those that are accepted nevertheless. The
// signature is over the bytes as received.
func TestFromCSR_form(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	for what, parts := range map[string]requestParts{
		"ordinary":                {},
		"no attributes":           {attributes: []byte{}},
		"version 2":               {version: 1, attributes: []byte{}},
		"an attribute of its own": {attributes: []byte{0xa0, 9, 0x30, 7, 6, 2, 0x2a, 3, 0x31, 1, 0}},
	} {
		built := parts.build(t, key)
		r, _, err := fromDER(t, built, CSROptions{})
		if err != nil || r.Name != "web-01" || !SameKey(r.Public, key.Public()) {
			t.Errorf("%s: %+v, %v", what, r, err)
		}
		changed := bytes.Replace(built, []byte("web-01"), []byte("web-02"), 1)
		if _, _, err := fromDER(t, changed, CSROptions{}); err == nil || !strings.HasPrefix(err.Error(), "the certificate request is not signed with its own key: ") {
			t.Errorf("%s, changed: %v", what, err)
		}
	}
}

// TestCheckCSR_named: algorithms that are not verified are named. They are signed with their
// own keys, and nothing contradicts that.
func TestCheckCSR_named(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	const with = ", which cannot be verified here; make it with SHA-256, SHA-384 or SHA-512 (openssl req -sha256)"
	pss := func(digest, mask string, salt byte) []byte {
		algorithm := func(oid string, then ...byte) []byte {
			return der(t, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidOf(t, oid)); b.AddBytes(then) })
			})
		}
		return der(t, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(0xa0, func(b *cryptobyte.Builder) { b.AddBytes(algorithm(digest)) })
				b.AddASN1(0xa1, func(b *cryptobyte.Builder) { b.AddBytes(algorithm("1.2.840.113549.1.1.8", algorithm(mask)...)) })
				b.AddASN1(0xa2, func(b *cryptobyte.Builder) { b.AddASN1Int64(int64(salt)) })
			})
		})
	}
	const sha1, sha256, sha384 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1", "2.16.840.1.101.3.4.2.2"
	for _, tt := range []struct {
		algorithm  string
		parameters []byte
		want       string
	}{
		{"1.2.840.10045.4.3.1", nil, "ECDSA and SHA-224" + with},
		{"1.2.840.113549.1.1.14", nil, "RSA and SHA-224" + with},
		{"2.16.840.1.101.3.4.3.10", nil, "ECDSA and SHA3-256" + with},
		{"2.16.840.1.101.3.4.3.16", nil, "RSA and SHA3-512" + with},
		{"2.16.840.1.101.3.4.3.2", nil, "DSA and SHA-256" + with},
		{"1.3.101.112", nil, "Ed25519" + with},
		{"1.2.3.4", nil, "the unknown algorithm 1.2.3.4" + with},
		{keyPSS, pss(sha1, sha1, 20), "RSASSA-PSS and SHA-1" + with},
		{keyPSS, []byte{0x30, 0}, "RSASSA-PSS and SHA-1" + with},
		{keyPSS, pss(sha256, sha384, 32), "RSASSA-PSS and SHA-256, with SHA-384 in its mask" + with},
		{keyPSS, nil, "RSASSA-PSS with parameters that cannot be read" + with},
		{"1.2.840.113549.1.1.4", nil, "MD5-RSA; the digest must be SHA-256 or stronger"},
		{"1.2.840.10045.4.1", nil, "ECDSA-SHA1; the digest must be SHA-256 or stronger"},
	} {
		built := requestParts{algorithm: tt.algorithm, parameters: tt.parameters}.build(t, key)
		if _, _, err := fromDER(t, built, CSROptions{}); err == nil || err.Error() != "the certificate request is signed with "+tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
	mixed := requestParts{algorithm: "1.2.840.113549.1.1.11", parameters: []byte{5, 0}}.build(t, key)
	if _, _, err := fromDER(t, mixed, CSROptions{}); err == nil || err.Error() != "the certificate request says that it is signed with RSA and SHA-256, and its key is one of P-256" {
		t.Errorf("an EC key and a signature of RSA: %v", err)
	}
}

// TestCheckCSR_openssl: the same and more, as openssl makes it.
func TestCheckCSR_openssl(t *testing.T) {
	t.Parallel()
	const pssKey = "an RSA key for RSASSA-PSS alone cannot make the signatures that IAM Roles Anywhere asks for; make an ordinary RSA key (openssl genpkey -algorithm RSA)"
	dir := t.TempDir()
	for _, tt := range []struct{ args, want string }{
		{"rsa -pkeyopt rsa_keygen_bits:2048 -sigopt rsa_padding_mode:pss -sha256", ""},
		{"rsa -pkeyopt rsa_keygen_bits:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:20 -sha384", ""},
		{"rsa -pkeyopt rsa_keygen_bits:2048 -sigopt rsa_padding_mode:pss -sigopt rsa_pss_saltlen:-1 -sha512", ""},
		{"rsa -pkeyopt rsa_keygen_bits:2048 -sigopt rsa_padding_mode:pss -sha224", "the certificate request is signed with RSASSA-PSS and SHA-224, which cannot be verified here; make it with SHA-256"},
		{"rsa -pkeyopt rsa_keygen_bits:2048 -sha3-256", "the certificate request is signed with RSA and SHA3-256, which "},
		{"rsa-pss -pkeyopt rsa_keygen_bits:2048", "the key of the certificate request: " + pssKey},
		{"ec -pkeyopt ec_paramgen_curve:secp256k1", "the key of the certificate request: the curve secp256k1 cannot be used; take P-256, P-384 or P-521"},
		{"ec -pkeyopt ec_paramgen_curve:brainpoolP256r1", "the key of the certificate request: a curve of the Brainpool family cannot be used; take "},
		{"ec -pkeyopt ec_paramgen_curve:P-256 -pkeyopt ec_param_enc:explicit", "the key of the certificate request: an EC key that spells its curve out in explicit parameters cannot be used; take P-256, P-384 or P-521 by name"},
		{"ec -pkeyopt ec_paramgen_curve:P-256 -sha224", "the certificate request is signed with ECDSA and SHA-224, which "},
	} {
		args := append([]string{"req", "-new", "-nodes", "-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=web-01", "-newkey"}, strings.Fields(tt.args)...)
		testenv.Run(t, dir, "openssl", args...)
		data, err := os.ReadFile(filepath.Join(dir, "csr.pem"))
		if err != nil {
			t.Fatal(err)
		}
		_, _, err = fromDER(t, data, CSROptions{})
		if (err == nil) != (tt.want == "") || err != nil && !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%s: got %v\nwant %s", tt.args, err, tt.want)
		}
	}
}

// TestCheckCSR_pss: a signature with RSASSA-PSS proves possession, and only when it is right.
func TestCheckCSR_pss(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.Run(t, dir, "openssl", "req", "-new", "-nodes", "-keyout", "key.pem", "-out", "csr.pem", "-subj", "/CN=web-01", "-newkey", "rsa:2048",
		"-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:20")
	data, err := os.ReadFile(filepath.Join(dir, "csr.pem"))
	if err != nil {
		t.Fatal(err)
	}
	csr, err := ParseCSR(data)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckCSR(csr); err != nil {
		t.Error(err)
	}
	changed := *csr
	changed.RawTBSCertificateRequest = bytes.Replace(csr.RawTBSCertificateRequest, []byte("web-01"), []byte("web-02"), 1)
	stolen := *csr
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stolen.PublicKey = other.Public()
	for _, csr := range []*x509.CertificateRequest{&changed, &stolen} {
		if err := CheckCSR(csr); err == nil || !strings.HasPrefix(err.Error(), "the certificate request is not signed with its own key: ") {
			t.Error(err)
		}
	}
}

// TestParseCSR_keys: the spellings of keys.
func TestParseCSR_keys(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	info := func(algorithm, bits []byte) []byte {
		return der(t, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddBytes(algorithm) })
				b.AddASN1BitString(bits)
			})
		})
	}
	full, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	point := append([]byte{2 | full[64]&1}, full[1:33]...)
	ec := der(t, func(b *cryptobyte.Builder) {
		b.AddASN1ObjectIdentifier(oidOf(t, keyEC))
		b.AddASN1ObjectIdentifier(oidOf(t, "1.2.840.10045.3.1.7"))
	})
	if _, err := ParseCSR(requestParts{key: info(ec, point)}.build(t, key)); err == nil || !strings.Contains(err.Error(), "is a compressed point; make the request with the point uncompressed") {
		t.Errorf("a compressed point: %v", err)
	}
	rsaKey := keyOf(t, "RSA-2048").(*rsa.PrivateKey)
	plain := der(t, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidOf(t, keyRSA)) })
	csr, err := ParseCSR(requestParts{key: info(plain, x509.MarshalPKCS1PublicKey(&rsaKey.PublicKey))}.build(t, key))
	if err != nil || !SameKey(csr.PublicKey, rsaKey.Public()) {
		t.Errorf("RSA without NULL: %v", err)
	}
	for oid, want := range map[string]string{"1.2.840.10040.4.1": "a DSA key cannot be used", "1.3.101.110": "an X25519 key cannot be used", "1.2.3": "a key of the unknown algorithm 1.2.3 cannot be used"} {
		unknown := der(t, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidOf(t, oid)) })
		if _, _, err := fromDER(t, requestParts{key: info(unknown, []byte{1})}.build(t, key), CSROptions{Name: "web-01"}); err == nil || !strings.HasPrefix(err.Error(), "the key of the certificate request: "+want) {
			t.Errorf("%s: %v", oid, err)
		}
	}
}

// TestFromCSR_subject: a common name is read if its string can be, and is named if not; with
// a name beside it the request is good all the same.
func TestFromCSR_subject(t *testing.T) {
	t.Parallel()
	bmp := func(text string) []byte {
		var out []byte
		for _, u := range utf16.Encode([]rune(text)) {
			out = append(out, byte(u>>8), byte(u))
		}
		return out
	}
	const printable, teletex, wide = cbasn1.PrintableString, cbasn1.T61String, cbasn1.Tag(30)
	for _, tt := range []struct {
		tag   cbasn1.Tag
		value []byte
		name  string // that is read
		want  string // or the error
	}{
		{printable, []byte("web-01"), "web-01", ""},
		{printable, []byte("web_01"), "", "is a PrintableString with the character '_' at place 4, which it cannot hold"},
		{printable, []byte("*.example.com"), "", "is a PrintableString with the character '*' at place 1, which it cannot hold"},
		{printable, []byte("R\xd3A-01"), "", "is a PrintableString with the byte 0xD3 (of 'Ó' in Latin-1) at place 2, which it cannot hold"},
		{printable, []byte("Müller"), "", "is a PrintableString with the byte 0xC3 (of 'Ã' in Latin-1, of 'ü' in UTF-8) at place 2, which it cannot hold"},
		{cbasn1.UTF8String, []byte("M\xfcller"), "", "is a UTF8String with the byte 0xFC (of 'ü' in Latin-1) at place 2, which it cannot hold"},
		{cbasn1.IA5String, []byte("web_01"), "web_01", ""},
		{cbasn1.IA5String, []byte("Müller"), "", "is an IA5String with the byte 0xC3 (of 'Ã' in Latin-1, of 'ü' in UTF-8) at place 2, which it cannot hold"},
		{teletex, []byte("M\xfcller-01"), "Müller-01", ""},
		{teletex, []byte("M\x1b(B"), "", `is a TeletexString with the character '\x1b' at place 2, which it cannot hold`},
		{wide, bmp("web-02"), "web-02", ""},
		{wide, []byte("web-021"), "", "is a BMPString of 7 bytes, which is not a multiple of 2"},
		{wide, []byte{0, 'a', 0xd8, 0}, "", "is a BMPString with something at place 2 that is not a character"},
		{cbasn1.Tag(28), []byte{0, 0, 0, 'a'}, "a", ""},
		{cbasn1.Tag(28), []byte{0, 0x11, 0, 0}, "", "is a UniversalString with something at place 1 that is not a character"},
		{cbasn1.Tag(18), []byte("1a"), "", "is a NumericString with the character 'a' at place 2, which it cannot hold"},
		{cbasn1.INTEGER, []byte{1}, "", "has the ASN.1 tag 2, which is not of a string"},
	} {
		built := requestParts{subject: commonNameOf(t, tt.tag, tt.value)}.build(t, newKey(t))
		r, dropped, err := fromDER(t, built, CSROptions{})
		if tt.want == "" {
			if err != nil || r.Name != tt.name || len(dropped) > 0 {
				t.Errorf("%q: %q, %q, %v", tt.value, r.Name, dropped, err)
			}
			continue
		}
		if wrong, ok := errors.AsType[*SubjectError](err); !ok || wrong.Attribute != "common name" || err.Error() != "the common name in the subject of the certificate request "+tt.want {
			t.Errorf("%q: got %v\nwant %s", tt.value, err, tt.want)
		}
		r, dropped, err = fromDER(t, built, CSROptions{Name: "web-09"})
		if err != nil || r.Name != "web-09" || !slices.Equal(dropped, []string{"the common name of the subject, which " + tt.want}) {
			t.Errorf("%q with a name: %q, %q, %v", tt.value, r.Name, dropped, err)
		}
	}
}

// TestFromCSR_otherAttributes: attributes that are left out may be malformed, except for
// CheckSubject.
func TestFromCSR_otherAttributes(t *testing.T) {
	t.Parallel()
	subject := nameOf(t, asn1.RawValue{Class: 10, Tag: asn1.TagPrintableString, Bytes: []byte("M\xfcller & Co")}, asn1.RawValue{Class: 3, Tag: asn1.TagUTF8String, Bytes: []byte("web-01")})
	built := requestParts{subject: subject}.build(t, newKey(t))
	const problem = "is a PrintableString with the byte 0xFC (of 'ü' in Latin-1) at place 2, which it cannot hold"
	r, dropped, err := fromDER(t, built, CSROptions{})
	if err != nil || r.Name != "web-01" || !slices.Equal(dropped, []string{"the O of the subject, which " + problem}) {
		t.Errorf("%q, %q, %v", r.Name, dropped, err)
	}
	csr, err := ParseCSR(built)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckSubject(csr); err == nil || err.Error() != "the O in the subject of the certificate request "+problem {
		t.Error(err)
	}
	cn := asn1.RawValue{Class: 3, Tag: asn1.TagUTF8String, Bytes: []byte("web-01")}
	twice := requestParts{subject: nameOf(t, cn, cn)}.build(t, newKey(t))
	if _, _, err := fromDER(t, twice, CSROptions{}); err == nil || err.Error() != "the certificate request has more than one common name" {
		t.Error(err)
	}
	if r, _, err := fromDER(t, twice, CSROptions{Name: "web-02"}); err != nil || r.Name != "web-02" {
		t.Errorf("with a name: %v", err)
	}
}

// TestFromCSR_dropSANs: names that are refused are all named, or left out and listed; the
// others stay, each once.
func TestFromCSR_dropSANs(t *testing.T) {
	t.Parallel()
	names := func(b *cryptobyte.Builder) {
		add := func(tag cbasn1.Tag, value string) {
			b.AddASN1(tag, func(b *cryptobyte.Builder) { b.AddBytes([]byte(value)) })
		}
		for _, name := range []string{"web_01.example.com", "web-01.example.com", "WEB-01.example.com", "*.example.com", "web.example.com.", "10.0.0.5", "web_01.example.com"} {
			add(0x82, name)
		}
		add(0x81, "a@example.com")
		add(0x86, "https://exa mple/")
		add(0x86, "spiffe://example.org/web/1")
		add(0x87, "\x0a\x00\x00\x05")
		add(0x87, "\x0a\x00\x00")
		b.AddASN1(0xa0, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidOf(t, "1.3.6.1.4.1.311.20.2.3"))
			b.AddASN1(0xa0, func(b *cryptobyte.Builder) {
				b.AddASN1(cbasn1.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte("joe@example.com")) })
			})
		})
		add(0xa3, "\x30\x00")
		b.AddASN1(0xa4, func(b *cryptobyte.Builder) { b.AddBytes(commonNameOf(t, cbasn1.UTF8String, []byte("joe"))) })
		add(0x88, "\x2a\x03")
	}
	san := der(t, func(b *cryptobyte.Builder) { b.AddASN1(cbasn1.SEQUENCE, names) })
	key := newKey(t)
	built, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "web-01"}, ExtraExtensions: []pkix.Extension{{Id: oidSubjectAltName, Value: san}},
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	refused := []string{
		`the DNS name "web_01.example.com" cannot be in a certificate`, `the DNS name "*.example.com" cannot be in a certificate`,
		`the DNS name "web.example.com." cannot be in a certificate`, `the DNS name "10.0.0.5" is an IP address`,
		`the email address "a@example.com" is not allowed`, `the URI "https://exa mple/" cannot be in a certificate`,
		`the IP address "10.0.0.5" is not allowed`, "an IP address of 3 bytes cannot be in a certificate",
		`a subject alternative name of the kind otherName (UPN "joe@example.com") is not allowed`, "a subject alternative name of the kind x400Address is not allowed",
		`a subject alternative name of the kind directoryName ("CN=joe") is not allowed`, "a subject alternative name of the kind registeredID (1.2.3) is not allowed",
	}
	_, _, err = fromDER(t, built, CSROptions{})
	wrong, ok := errors.AsType[*SANError](err)
	if !ok || len(wrong.Refused) != len(refused) {
		t.Fatalf("%v", err)
	}
	for i, want := range refused {
		if got := wrong.Refused[i].Error(); !strings.HasPrefix(got, want) || !strings.Contains(err.Error(), got) {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	r, dropped, err := fromDER(t, built, CSROptions{DropSANs: true})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(r.DNS, []string{"web-01.example.com"}) || len(r.URIs) != 1 || len(r.IPs)+len(r.Emails) > 0 {
		t.Errorf("%+v", r)
	}
	if !slices.EqualFunc(dropped, wrong.Refused, func(text string, err error) bool { return text == err.Error() }) {
		t.Errorf("dropped %q", dropped)
	}
	c := leafOf(t, newRoot(t, 10*time.Hour), DefaultProfile(), r)
	if !slices.Equal(c.DNSNames, r.DNS) || len(c.EmailAddresses)+len(c.IPAddresses) > 0 {
		t.Errorf("the leaf has %v", c.DNSNames)
	}
}

// TestFromCSR_untaggable: with DropSANs lint has nothing against the names that are left.
func TestFromCSR_untaggable(t *testing.T) {
	t.Parallel()
	csr := csrOf(t, newKey(t), &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "web-01"}, URIs: []*url.URL{parseURL(t, "https://example.com/?a=b"), parseURL(t, "spiffe://example.org/web/1")},
	})
	root := newRoot(t, 48*time.Hour)
	r, _, err := DefaultProfile().FromCSR(csr, CSROptions{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := root.PrepareLeaf(DefaultProfile(), r, noon); !isLint(err) {
		t.Errorf("lint has nothing against it: %v", err)
	}
	r, dropped, err := DefaultProfile().FromCSR(csr, CSROptions{DropSANs: true})
	if err != nil || len(r.URIs) != 1 || !slices.Equal(dropped, []string{`the URI "https://example.com/?a=b" has the character '?', which session tags cannot hold`}) {
		t.Fatalf("%v, %q, %v", r.URIs, dropped, err)
	}
	if c := leafOf(t, root, DefaultProfile(), r); len(c.URIs) != 1 || c.URIs[0].Scheme != "spiffe" {
		t.Errorf("the leaf has %v", c.URIs)
	}
}

func isLint(err error) bool {
	_, ok := errors.AsType[*LintError](err)
	return ok
}

// TestFromCSR_brokenSAN: of an extension that cannot be read nothing is taken.
func TestFromCSR_brokenSAN(t *testing.T) {
	t.Parallel()
	broken := []byte{0x30, 12, 0x82, 3, 'w', 'e', 'b', 0x82, 99, 'x', 'x', 'x', 'x', 'x'}
	csr := csrOf(t, newKey(t), &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}, ExtraExtensions: []pkix.Extension{{Id: oidSubjectAltName, Value: broken}}})
	if _, _, err := DefaultProfile().FromCSR(csr, CSROptions{}); err == nil || err.Error() != "the extension subjectAltName cannot be read" {
		t.Error(err)
	}
	r, dropped, err := DefaultProfile().FromCSR(csr, CSROptions{DropSANs: true})
	if err != nil || len(r.DNS) > 0 || !slices.Equal(dropped, []string{"the extension subjectAltName cannot be read"}) {
		t.Errorf("%+v, %q, %v", r, dropped, err)
	}
}

// FuzzCSRPeer: what crypto/x509 reads too has the same key, the same names and the same bytes
// under its signature.
func FuzzCSRPeer(f *testing.F) {
	key := newKey(f)
	f.Add(requestParts{}.build(f, key))
	f.Add(requestParts{attributes: []byte{}}.build(f, key))
	f.Add(csrOf(f, key, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}, DNSNames: []string{"a.example.com"}, EmailAddresses: []string{"a@example.com"}}).Raw)
	f.Fuzz(func(t *testing.T, data []byte) {
		peer, err := x509.ParseCertificateRequest(data)
		if err != nil {
			return
		}
		csr, err := ParseCSR(pem.EncodeToMemory(&pem.Block{Type: requestLabel, Bytes: data}))
		if err != nil {
			return
		}
		if !bytes.Equal(csr.RawTBSCertificateRequest, peer.RawTBSCertificateRequest) || !bytes.Equal(csr.Signature, peer.Signature) ||
			!bytes.Equal(csr.RawSubject, peer.RawSubject) || csr.PublicKey != nil && !SameKey(csr.PublicKey, peer.PublicKey) {
			t.Fatalf("%+v\n%+v", csr, peer)
		}
		if csr.SignatureAlgorithm != x509.UnknownSignatureAlgorithm && csr.SignatureAlgorithm != peer.SignatureAlgorithm {
			t.Fatalf("%v, %v", csr.SignatureAlgorithm, peer.SignatureAlgorithm)
		}
		if !slices.Equal(csr.DNSNames, peer.DNSNames) || !slices.Equal(csr.EmailAddresses, peer.EmailAddresses) || len(csr.IPAddresses) != len(peer.IPAddresses) || len(csr.URIs) != len(peer.URIs) {
			t.Fatalf("%v, %v", csr, peer)
		}
	})
}
