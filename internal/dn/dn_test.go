package dn

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestParse(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ text, want string }{ // want: as RFC 4514 has it, the last attribute first
		{"CN=web-01", "CN=web-01"},
		{"CN=web-01,OU=Web,O=Example", "CN=web-01,OU=Web,O=Example"},
		{"cn=web-01, o=Example; c=CH", "CN=web-01,O=Example,C=CH"},
		{"/C=CH/O=Example/CN=web-01", "CN=web-01,O=Example,C=CH"},
		{"/O=Example/CN=spiffe://example.org/web", "CN=spiffe://example.org/web,O=Example"},
		{`CN=web-01,O=Example\, Inc.`, `CN=web-01,O=Example\, Inc.`},
		{`CN=web-01,O="Example, Inc."`, `CN=web-01,O=Example\, Inc.`},
		{"CN=web-01+OU=Web,O=Example", "CN=web-01+OU=Web,O=Example"},
		{"OID.2.5.4.3=web-01", "CN=web-01"},
		{"CN=a,b,O=c", `CN=a\,b,O=c`}, // no attribute begins after the first comma
		{`CN=Z\C3\BCrich`, "CN=Zürich"},
	} {
		got, ok := Parse(tt.text)
		if !ok || got.String() != tt.want {
			t.Errorf("%q: %s, %v, want %s", tt.text, got, ok, tt.want)
		}
	}
	for _, text := range []string{"", "web-01", "/", "CN=", "XYZ=a", "CN=#zz", `CN=\ff`} {
		if got, ok := Parse(text); ok {
			t.Errorf("%q: %s", text, got)
		}
	}
}

// FuzzParse: what Go prints of a name is read as the same name.
func FuzzParse(f *testing.F) {
	f.Add("/C=CH/O=Example, Inc./CN=web-01")
	f.Add(`CN="a+b"+OU=\#c ,O= d\ `)
	f.Fuzz(func(t *testing.T, text string) {
		name, ok := Parse(text)
		if !ok {
			return
		}
		again, ok := Parse(name.String())
		if !ok || again.String() != name.String() {
			t.Errorf("%q is %q, which is %q, %v", text, name, again, ok)
		}
	})
}

// TestOrder: the first in a certificate is the most general one.
func TestOrder(t *testing.T) {
	t.Parallel()
	country := pkix.AttributeTypeAndValue{Type: asn1.ObjectIdentifier{2, 5, 4, 6}, Value: "CH"}
	for _, text := range []string{"CN=web-01,C=CH", "/C=CH/CN=web-01"} {
		name, ok := Parse(text)
		if !ok || len(name) != 2 || !name[0][0].Type.Equal(country.Type) || name[0][0].Value != country.Value {
			t.Errorf("%q: %v, %v", text, name, ok)
		}
	}
}
