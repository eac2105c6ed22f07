package ca

import (
	"reflect"
	"strings"
	"testing"
)

func TestSourceIdentity(t *testing.T) {
	o := newOpenSSL(t)
	root, _ := o.sign(opensslCert{subject: "/CN=Root"}, caExtensions, nil)
	tests := []struct{ subject, want string }{
		{"/CN=web-01", "CN=web-01"},
		{"/O=Example/CN=" + strings.Repeat("n", 61), "CN=" + strings.Repeat("n", 61)},
		{"/CN=" + strings.Repeat("ü", 62), strings.Repeat("ü", 62)},
		{"/CN=" + strings.Repeat("n", 64), strings.Repeat("n", 64)},
		{"/O=Example", "ID=0abc"},
	}
	for _, tt := range tests {
		_, cert := o.sign(opensslCert{subject: tt.subject, args: []string{"-set_serial", "0xabc"}}, leafExtensions, &root)
		if got := SourceIdentity(cert); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.subject, got, tt.want)
		}
	}
}

func TestSessionTags(t *testing.T) {
	o := newOpenSSL(t)
	root, _ := o.sign(opensslCert{subject: "/C=CH/CN=Root"}, caExtensions, nil)
	extensions := "subjectAltName=email:x@example.com,DNS:a.example.com,DNS:b.example.com,URI:spiffe://a/b,dirName:dir\n[dir]\nO=Example\nCN=y"
	_, cert := o.sign(opensslCert{subject: "/DC=com/DC=example/O=Büro/UID=7/serialNumber=12/emailAddress=a@example.com/postalCode=8000/ST=ZH/L=Uster/street=Hof 1/title=T/SN=S/GN=G/dnQualifier=q/CN=web-01", extensions: extensions}, leafExtensions, &root)
	want := []Tag{
		{"x509Subject/DC", "com/example"}, {"x509Subject/O", "Büro"}, {"x509Subject/UID", "7"}, {"x509Subject/serialNumber", "12"},
		{"x509Subject/emailAddress", "a@example.com"}, {"x509Subject/2.5.4.17", "8000"},
		{"x509Subject/ST", "ZH"}, {"x509Subject/L", "Uster"}, {"x509Subject/street", "Hof 1"}, {"x509Subject/title", "T"},
		{"x509Subject/SN", "S"}, {"x509Subject/GN", "G"}, {"x509Subject/dnQualifier", "q"}, {"x509Subject/CN", "web-01"},
		{"x509Issuer/C", "CH"}, {"x509Issuer/CN", "Root"},
		{"x509SAN/DNS", "a.example.com"}, {"x509SAN/URI", "spiffe://a/b"}, {"x509SAN/Name/O", "Example"}, {"x509SAN/Name/CN", "y"},
	}
	got := SessionTags(cert)
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if size := PackedSize(got); size != 10 {
		t.Errorf("packed size %d %%", size)
	}
}

// A finding's place is its rule's in the table.
func TestLint_order(t *testing.T) {
	o := newOpenSSL(t)
	root, _ := o.sign(opensslCert{subject: "/CN=Root!"}, caExtensions, nil)
	bad := opensslCert{subject: "/CN=a&b", key: "ED25519", extensions: "keyUsage=digitalSignature\nextendedKeyUsage=serverAuth", args: []string{"-sha1", "-days", "60", "-set_serial", "0"}}
	_, cert := o.sign(bad, leafExtensions, &root)
	want := []string{"serial", "digest", "key", "key-usage-critical", "ext-key-usage", "tag-characters", "outlives-issuer"}
	findings := Lint(cert, root.path)
	if got := broke(findings); !reflect.DeepEqual(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	err := Refuse(cert, findings, []string{"ext-key-usage", "key-usage-critical", "outlives-issuer", "digest"})
	wantText := `the certificate "CN=a&b" breaks the rule serial: has the serial number 0; it must be positive (and 4 more)`
	if err == nil || err.Error() != wantText {
		t.Errorf("got  %v\nwant %s", err, wantText)
	}
}

// Each character is taken or not as [\p{L}\p{Z}\p{N}_.:/=+\-@] says.
func TestTaggable(t *testing.T) {
	const yes = "azAZ09 _.:/=+-@üЖ漢½ⅷ\u00a0\u2028٣"
	const no = "!\"#$%&'()*,;<>?[\\]^`{|}~\x00\t\n\x7f€©·–\u0301\ufffd😀"
	for _, r := range yes {
		if !taggable(r) {
			t.Errorf("%q is refused", r)
		}
	}
	for _, r := range no {
		if taggable(r) {
			t.Errorf("%q is taken", r)
		}
	}
}
