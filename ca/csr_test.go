package ca

import (
	"bytes"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"net"
	"net/netip"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// csrOf makes a certificate request with x509.
func csrOf(t testing.TB, key crypto.Signer, template *x509.CertificateRequest) *x509.CertificateRequest {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	csr, err := ParseCSR(der)
	if err != nil {
		t.Fatal(err)
	}
	return csr
}

// TestNewCSR: ParseCSR and openssl accept the requests for every type of key.
func TestNewCSR(t *testing.T) {
	t.Parallel()
	root := newRoot(t, time.Hour)
	for _, kind := range keyTypes() {
		key := keyOf(t, kind)
		der, err := NewCSR(opaque{key}, pkix.Name{CommonName: "web-01"})
		if err != nil {
			t.Fatal(err)
		}
		data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
		if !strings.HasPrefix(kind, "ML-DSA") {
			dir := t.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "csr.pem"), data, 0o600); err != nil {
				t.Fatal(err)
			}
			testenv.Run(t, dir, "openssl", "req", "-in", "csr.pem", "-verify", "-noout")
		}
		csr, err := ParseCSR(data)
		if err != nil {
			t.Fatal(err)
		}
		r, dropped, err := DefaultProfile().FromCSR(csr, CSROptions{})
		if err != nil || len(dropped) != 0 || r.Name != "web-01" || !SameKey(r.Public, key.Public()) {
			t.Errorf("%s: %+v, %v, %v", kind, r, dropped, err)
		}
		if c := leafOf(t, root, DefaultProfile(), r); !SameKey(c.PublicKey, key.Public()) {
			t.Errorf("%s: the leaf has another key", kind)
		}
	}
	for _, name := range []string{"", "a&b", strings.Repeat("n", 65)} {
		if _, err := NewCSR(newKey(t), pkix.Name{CommonName: name}); err == nil || !strings.Contains(err.Error(), "it takes 1 to 64 letters, digits, spaces and _.:/=+-@") {
			t.Errorf("%q: %v", name, err)
		}
	}
}

// TestFromCSR: a request of openssl, with more than the profile lists.
func TestFromCSR(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.Run(t, dir, "openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "key.pem", "-out", "csr.pem",
		"-subj", "/C=CH/O=Evil/OU=web/CN=web-01", "-addext", "keyUsage=critical,keyCertSign", "-addext", "basicConstraints=CA:TRUE",
		"-addext", "extendedKeyUsage=codeSigning", "-addext", "1.2.3.4=ASN1:NULL",
		"-addext", "subjectAltName=DNS:Web-01.example.com,URI:spiffe://example.org/web/1,IP:10.0.0.1,IP:2001:db8::1,email:ops@example.com")
	data, err := os.ReadFile(filepath.Join(dir, "csr.pem"))
	if err != nil {
		t.Fatal(err)
	}
	csr, err := ParseCSR(data)
	if err != nil {
		t.Fatal(err)
	}
	r, dropped, err := strict(t).FromCSR(csr, CSROptions{})
	if err != nil {
		t.Fatal(err)
	}
	want := Request{
		Name: "web-01", Public: csr.PublicKey, DNS: []string{"web-01.example.com"}, Emails: []string{"ops@example.com"},
		IPs: []netip.Addr{netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("2001:db8::1")},
	}
	if r.Name != want.Name || !slices.Equal(r.DNS, want.DNS) || !slices.Equal(r.Emails, want.Emails) || !slices.Equal(r.IPs, want.IPs) ||
		len(r.URIs) != 1 || r.URIs[0].String() != "spiffe://example.org/web/1" {
		t.Errorf("%+v", r)
	}
	left := []string{`subject "O=Evil"`, "extension keyUsage", "extension basicConstraints", "extension extKeyUsage", "extension 1.2.3.4"}
	if !slices.Equal(dropped, left) {
		t.Errorf("dropped %q\nwant    %q", dropped, left)
	}
	c := leafOf(t, newRoot(t, 10*time.Hour), strict(t), r)
	if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || c.Subject.String() != "CN=web-01,OU=web,O=Example,C=CH" {
		t.Errorf("the leaf: %s, CA %v, usage %v", c.Subject, c.IsCA, c.KeyUsage)
	}
}

func TestFromCSR_refuses(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	san := func(names ...byte) *x509.CertificateRequest {
		value := append([]byte{0x30, byte(len(names))}, names...)
		return &x509.CertificateRequest{ExtraExtensions: []pkix.Extension{{Id: oidSubjectAltName, Value: value}}}
	}
	twice := &x509.CertificateRequest{Subject: pkix.Name{ExtraNames: []pkix.AttributeTypeAndValue{
		{Type: oidCommonName, Value: "web-01"}, {Type: oidCommonName, Value: "admin"},
	}}}
	const kind = "a subject alternative name of the kind "
	tests := []struct {
		template *x509.CertificateRequest
		key      crypto.Signer
		want     string
	}{
		{&x509.CertificateRequest{DNSNames: []string{"a.example.com", "a.example.org"}}, key, `the DNS name "a.example.org" is not allowed; take *.example.com (profile "test", san.dns)`},
		{&x509.CertificateRequest{URIs: []*url.URL{parseURL(t, "spiffe://example.org/db")}}, key, `the URI "spiffe://example.org/db" is not allowed; take spiffe://example.org/web/* (profile "test", san.uri)`},
		{&x509.CertificateRequest{IPAddresses: []net.IP{net.IPv4(192, 0, 2, 1)}}, key, `the IP address "192.0.2.1" is not allowed; take 10.0.0.0/8, 2001:db8::1/128 (profile "test", san.ip)`},
		{&x509.CertificateRequest{EmailAddresses: []string{"a@example.org"}}, key, `the email address "a@example.org" is not allowed; take *@example.com (profile "test", san.email)`},
		{san(0xa0, 7, 6, 1, 0x2a, 0xa0, 2, 5, 0), key, kind + "otherName (1.2) is not allowed; take DNS names, URIs, IP and email addresses"},
		{san(0xa4, 2, 0x30, 0), key, kind + "directoryName is not allowed; take DNS names, URIs, IP and email addresses"},
		{san(0x88, 1, 0x2a), key, kind + "registeredID (1.2) is not allowed; take DNS names, URIs, IP and email addresses"},
		{san(0x89, 1, 0x2a), key, "a subject alternative name of the unknown kind 9 is not allowed"},
		{san(0x02, 1, 0x2a), key, "the extension subjectAltName cannot be read"},
		{san(0xa2, 3, 0x16, 1, 'a'), key, "the extension subjectAltName cannot be read"},
		{twice, key, "the certificate request has more than one common name"},
		{&x509.CertificateRequest{}, keyOf(t, "P-384"), `a key of type P-384 is not allowed; take P-256, ML-DSA-44 (profile "test", key_types)`},
	}
	for _, tt := range tests {
		_, _, err := strict(t).FromCSR(csrOf(t, tt.key, tt.template), CSROptions{})
		if err == nil || err.Error() != tt.want {
			t.Errorf("got  %v\nwant %s", err, tt.want)
		}
	}
}

// TestCheckCSR: a request is worth nothing without the key.
func TestCheckCSR(t *testing.T) {
	t.Parallel()
	good := csrOf(t, newKey(t), &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}})
	if err := CheckCSR(good); err != nil {
		t.Error(err)
	}
	stolen := *good
	stolen.PublicKey = newKey(t).Public()
	const unproven = "the certificate request is not signed with its own key: it was changed after it was signed, or holds a key of somebody else's"
	if err := CheckCSR(&stolen); err == nil || err.Error() != unproven {
		t.Errorf("another's key: %v", err)
	}
	// A name put into a request that was signed before.
	changed, err := ParseCSR(bytes.Replace(good.Raw, []byte("web-01"), []byte("web-02"), 1))
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := DefaultProfile().FromCSR(changed, CSROptions{}); err == nil || err.Error() != unproven {
		t.Errorf("another name: %v", err)
	}
	old := *good
	old.SignatureAlgorithm = x509.ECDSAWithSHA1
	if err := CheckCSR(&old); err == nil || err.Error() != "the certificate request is signed with ECDSA-SHA1; the digest must be SHA-256 or stronger" {
		t.Errorf("SHA-1: %v", err)
	}
	dir := t.TempDir()
	for args, want := range map[string]string{
		"rsa -pkeyopt rsa_keygen_bits:1024":                              "an RSA key of 1024 bits is too short; take 2048 to 4096",
		"rsa -pkeyopt rsa_keygen_bits:2048 -pkeyopt rsa_keygen_pubexp:3": "the RSA exponent 3 is too small; take 65537",
		"ec -pkeyopt ec_paramgen_curve:P-224":                            "the curve P-224 cannot be used; take P-256, P-384 or P-521",
		"ed25519":                                                        "an Ed25519 key cannot be used, since IAM Roles Anywhere has no algorithm for it; take RSA, EC or ML-DSA",
		"ed448":                                                          "an Ed448 key cannot be used, since IAM Roles Anywhere has no algorithm for it; take RSA, EC or ML-DSA",
	} {
		command := append([]string{"req", "-new", "-nodes", "-keyout", "key.pem", "-out", "csr.der", "-outform", "DER", "-subj", "/CN=weak", "-newkey"}, strings.Fields(args)...)
		testenv.Run(t, dir, "openssl", command...)
		data, err := os.ReadFile(filepath.Join(dir, "csr.der"))
		if err != nil {
			t.Fatal(err)
		}
		csr, err := ParseCSR(data)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := DefaultProfile().FromCSR(csr, CSROptions{}); err == nil || err.Error() != "the key of the certificate request: "+want {
			t.Errorf("%s: %v", args, err)
		}
	}
}

// TestCheckCSR_keys: possession is proved by every type of key, RSA with PSS too, and nothing is
// taken for proof that is not.
func TestCheckCSR_keys(t *testing.T) {
	t.Parallel()
	for _, kind := range []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-PSS", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}}
		name := kind
		if kind == "RSA-PSS" {
			template.SignatureAlgorithm, name = x509.SHA256WithRSAPSS, "RSA-2048"
		}
		csr := csrOf(t, keyOf(t, name), template)
		if err := CheckCSR(csr); err != nil {
			t.Errorf("%s: %v", kind, err)
		}
		broken := *csr
		broken.Signature = bytes.Clone(csr.Signature)
		broken.Signature[len(broken.Signature)/2] ^= 1
		stolen := *csr
		stolen.PublicKey = keyOf(t, name).Public()
		for what, csr := range map[string]*x509.CertificateRequest{"broken": &broken, "stolen": &stolen} {
			if err := CheckCSR(csr); err == nil || !strings.HasPrefix(err.Error(), "the certificate request is not signed with its own key: ") {
				t.Errorf("%s, %s: %v", kind, what, err)
			}
		}
	}
}

// TestParseCSR_hostile: what crypto/x509 does not read reaches no check of ours.
func TestParseCSR_hostile(t *testing.T) {
	t.Parallel()
	key := newKey(t)
	point, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	rsaCSR := csrOf(t, keyOf(t, "RSA-2048"), &x509.CertificateRequest{}).Raw
	san := pkix.Extension{Id: oidSubjectAltName, Value: []byte{0x30, 3, 0x82, 1, 'a'}}
	two, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{ExtraExtensions: []pkix.Extension{san, san}}, key)
	if err != nil {
		t.Fatal(err)
	}
	off := slices.Clone(point)
	off[1] ^= 1
	for want, der := range map[string][]byte{
		"the key of the certificate request is not a point of its curve":                                                    bytes.Replace(csrOf(t, key, &x509.CertificateRequest{}).Raw, point, off, 1),
		"the certificate request cannot be read: its RSA key is damaged, or has a modulus or exponent that is not positive": bytes.Replace(rsaCSR, []byte{2, 3, 1, 0, 1}, []byte{2, 3, 0xff, 0, 1}, 1),
		"the certificate request asks for the extension subjectAltName twice":                                               two,
	} {
		if _, err := ParseCSR(der); err == nil || err.Error() != want {
			t.Errorf("got %v\nwant %s", err, want)
		}
	}
}

func TestParseCSR_refuses(t *testing.T) {
	t.Parallel()
	good := csrOf(t, newKey(t), &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}}).Raw
	block := func(kind string) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: good}) }
	for _, data := range [][]byte{good, block("CERTIFICATE REQUEST"), block("NEW CERTIFICATE REQUEST"), append([]byte("Certificate Request:\r\n"), block("CERTIFICATE REQUEST")...)} {
		if csr, err := ParseCSR(data); err != nil || !bytes.Equal(csr.Raw, good) {
			t.Errorf("%.30q: %v", data, err)
		}
	}
	tests := []struct {
		data []byte
		want string
	}{
		{nil, "there is no certificate request: it is empty"},
		{[]byte("hello"), "there is no certificate request: it is neither PEM nor DER nor base64 of them"},
		{block("PRIVATE KEY"), `there is a "PRIVATE KEY" in the PEM data, not a "CERTIFICATE REQUEST"`},
		{append(block("CERTIFICATE REQUEST"), block("CERTIFICATE REQUEST")...), "there is more than one certificate request"},
		{make([]byte, 10<<20), "the certificate request has more than 64 KB"},
		{good[:len(good)-1], "there is no certificate request: it is cut short: the DER in it is longer than the "},
		{append(slices.Clone(good), 0x30), "there is no certificate request: it is cut short: the DER in it is longer than the "},
		{newRoot(t, time.Hour).Certificate().Raw, "it is a certificate, not a certificate request"},
	}
	for _, tt := range tests {
		_, err := ParseCSR(tt.data)
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%.30q: got %v\nwant %s", tt.data, err, tt.want)
		}
		if other, ok := errors.AsType[*OtherKindError](err); ok != strings.Contains(tt.want, "not a") || ok && other.Wanted != "a certificate request" {
			t.Errorf("%.30q: %T", tt.data, err)
		}
	}
}

// FuzzCSR: whatever parses is refused, or becomes a leaf whose names are all allowed by the
// profile and were all in the request; PEM and DER are read alike. The proof of possession
// is left out, since no mutation would pass it.
func FuzzCSR(f *testing.F) {
	key := newKey(f)
	f.Add(csrOf(f, key, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01", Country: []string{"CH"}, Organization: []string{"x"}}}).Raw)
	f.Add(csrOf(f, key, &x509.CertificateRequest{
		Subject: pkix.Name{CommonName: "db-01.example.com"}, DNSNames: []string{"A.example.com"}, EmailAddresses: []string{"a@example.com"},
		URIs: []*url.URL{parseURL(f, "spiffe://example.org/web/1")}, IPAddresses: []net.IP{net.IPv4(10, 0, 0, 1)},
		ExtraExtensions: []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 19}, Value: []byte{0x30, 3, 1, 1, 0xff}}},
	}).Raw)
	root, p := newRoot(f, time.Hour), strict(f)
	p.keyTypes = nil
	f.Fuzz(func(t *testing.T, der []byte) {
		csr, err := ParseCSR(der)
		if err != nil || der[0] != 0x30 {
			return
		}
		again, err := ParseCSR(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}))
		if err != nil && len(der) < maxCSRSize/2 || err == nil && !bytes.Equal(again.Raw, csr.Raw) {
			t.Fatalf("as PEM: %v", err)
		}
		r, _, err := p.read(csr, CSROptions{})
		if err != nil {
			return
		}
		prepared, err := root.PrepareLeaf(p, r, noon)
		if err != nil {
			if _, ok := errors.AsType[*ValidityError](err); ok {
				t.Fatal(err)
			}
			return
		}
		checkLeafOf(t, p, csr, prepared.Certificate())
	})
}

// checkLeafOf fails when a leaf has a name that the request had not or the profile forbids.
func checkLeafOf(t *testing.T, p *Profile, csr *x509.CertificateRequest, c *x509.Certificate) {
	t.Helper()
	if c.IsCA || c.Subject.CommonName != csr.Subject.CommonName || !matchAny(p.names, c.Subject.CommonName) || len(c.Subject.Names) != 4 {
		t.Fatalf("subject %s", c.Subject)
	}
	for _, name := range c.DNSNames {
		if !matchAny(p.dns, name) || !slices.ContainsFunc(csr.DNSNames, func(s string) bool { return strings.EqualFold(s, name) }) {
			t.Fatalf("DNS name %q", name)
		}
	}
	for _, u := range c.URIs {
		if !matchAny(p.uri, u.String()) || !slices.ContainsFunc(csr.URIs, func(v *url.URL) bool { return v.String() == u.String() }) {
			t.Fatalf("URI %q", u)
		}
	}
	for _, address := range c.EmailAddresses {
		if !matchAny(p.email, address) || !slices.Contains(csr.EmailAddresses, address) {
			t.Fatalf("email %q", address)
		}
	}
	for _, ip := range c.IPAddresses {
		addr, ok := netip.AddrFromSlice(ip)
		if !ok || !slices.ContainsFunc(p.ip, func(x netip.Prefix) bool { return x.Contains(addr) }) || !slices.ContainsFunc(csr.IPAddresses, ip.Equal) {
			t.Fatalf("IP %v", ip)
		}
	}
}

// TestParseAuthorityCSR: of an authority's request the whole subject is used, so that all of it is checked.
func TestParseAuthorityCSR(t *testing.T) {
	t.Parallel()
	request := func(subject pkix.Name) []byte {
		return csrOf(t, newKey(t), &x509.CertificateRequest{Subject: subject}).Raw
	}
	good := request(pkix.Name{CommonName: "sub", Organization: []string{"Example"}})
	for _, tt := range []struct {
		about string
		data  []byte
		ok    bool
	}{
		{"whole", good, true},
		{"PEM", pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: good}), true},
		{"no common name", request(pkix.Name{Organization: []string{"Example"}}), true}, // PrepareCA decides
		{"changed after it was signed", bytes.Replace(good, []byte("Example"), []byte("Elpmaxe"), 1), false},
		{"cut", good[:len(good)-1], false},
		{"nothing", nil, false},
		{"a certificate", newRoot(t, time.Hour).Certificate().Raw, false},
	} {
		if csr, err := ParseAuthorityCSR(tt.data); (err == nil) != tt.ok || (csr != nil) != tt.ok {
			t.Errorf("%s: %v", tt.about, err)
		}
	}
}
