package tpm

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

func TestParseKeyFile(t *testing.T) {
	tests := []struct {
		name      string
		emptyAuth bool
		parent    uint32
		bits      int
	}{
		{"openssl-p256.pem", true, 0x40000001, 256},
		{"openssl-p384-persistent.pem", true, 0x81000002, 384},
		{"openssl-rsa2048-auth.pem", false, 0x40000001, 2048},
		{"tools-p256.pem", false, 0x40000001, 256},
	}
	for _, test := range tests {
		data := testFile(t, test.name)
		f, err := parseKeyFile(append([]byte("some text\n"), data...))
		if err != nil {
			t.Errorf("%s: %v", test.name, err)
			continue
		}
		if f.emptyAuth != test.emptyAuth || uint32(f.parent) != test.parent {
			t.Errorf("%s: %+v", test.name, f)
		}
		public, _, err := signingKey(f.public)
		bits := 0
		switch key := public.(type) {
		case *ecdsa.PublicKey:
			bits = key.Params().BitSize
		case *rsa.PublicKey:
			bits = key.N.BitLen()
		}
		if err != nil || bits != test.bits {
			t.Errorf("%s: key of %d bits, %v", test.name, bits, err)
		}
		if !IsKeyFile(data) {
			t.Errorf("%s: not taken for a key file", test.name)
		}
	}
}

// der is a TSS2 key with the body of a real one, and other fields before it.
func der(t testing.TB, kind asn1.ObjectIdentifier, options string, parent int64) []byte {
	t.Helper()
	model, err := parseKeyFile(testFile(t, "openssl-p256.pem"))
	if err != nil {
		t.Fatal(err)
	}
	model.parent = 0x11223344
	text, err := model.marshal()
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	_, body, _ := bytes.Cut(block.Bytes, []byte{0x02, 0x04, 0x11, 0x22, 0x33, 0x44})
	head, err1 := asn1.Marshal(kind)
	number, err2 := asn1.Marshal(parent)
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	out, err := asn1.Marshal(asn1.RawValue{Tag: asn1.TagSequence, IsCompound: true, Bytes: bytes.Join([][]byte{head, []byte(options), number, body}, nil)})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestParseKeyFileFields(t *testing.T) {
	const yes, one, no = "\xa0\x03\x01\x01\xff", "\xa0\x03\x01\x01\x01", "\xa0\x03\x01\x01\x00"
	tests := []struct {
		name    string
		kind    asn1.ObjectIdentifier
		options string
		parent  int64
		err     string
	}{
		{"nothing optional", oidLoadable, "", 0x40000001, ""},
		{"emptyAuth as DER has it", oidLoadable, yes, 0x40000001, ""},
		{"emptyAuth as OpenSSL writes it", oidLoadable, one, 0x40000001, ""},
		{"description and RSA parent", oidLoadable, yes + "\xa4\x03\x0c\x01k" + "\xa5\x03\x01\x01\xff", 0x40000001, ""},
		{"handle written by a 32-bit program", oidLoadable, yes, 0x81000001 - 1<<32, ""},
		{"no parent stated", oidLoadable, yes, 0, ""},
		{"policy", oidLoadable, "\xa1\x02\x30\x00", 0x40000001, ""},
		{"importable", oidImportable, no, 0x40000001, "is one to import"},
		{"sealed data", oidSealed, no, 0x40000001, "sealed data"},
		{"unknown type", asn1.ObjectIdentifier{2, 23, 133, 10, 1, 9}, no, 0x40000001, "unknown type 2.23.133.10.1.9"},
		{"secret", oidLoadable, "\xa2\x03\x04\x01k", 0x40000001, "has no secret"},
		{"fields out of order", oidLoadable, "\xa5\x03\x01\x01\xff" + yes, 0x40000001, "unexpected field [0]"},
		{"field twice", oidLoadable, yes + yes, 0x40000001, "unexpected field [0]"},
		{"field of the future", oidLoadable, yes + "\xa6\x02\x05\x00", 0x40000001, "unexpected field [6]"},
		{"emptyAuth that is a number", oidLoadable, "\xa0\x03\x02\x01\x01", 0x40000001, "not a truth value"},
		{"parent too large", oidLoadable, yes, 1 << 33, "impossible parent"},
	}
	for _, test := range tests {
		f, err := parseKeyFile(der(t, test.kind, test.options, test.parent))
		switch {
		case test.err == "" && err != nil, test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err)):
			t.Errorf("%s: %v", test.name, err)
		case err != nil:
		case f.emptyAuth != (strings.HasPrefix(test.options, yes) || test.options == one):
			t.Errorf("%s: emptyAuth is %v", test.name, f.emptyAuth)
		case f.parent != 0x40000001 && f.parent != 0x81000001:
			t.Errorf("%s: parent is %x", test.name, f.parent)
		case f.rsaParent != strings.Contains(test.name, "RSA parent"), f.policy != (test.name == "policy"):
			t.Errorf("%s: %+v", test.name, f)
		}
	}
}

func TestParseKeyFileRefuses(t *testing.T) {
	good := der(t, oidLoadable, "", 0x40000001)
	tests := []struct {
		name string
		data []byte
		err  string
	}{
		{"empty", nil, "it is empty"},
		{"another PEM block", []byte("-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n"), "it is a private key, not a TSS2 key"},
		{"too long", make([]byte, maxKeyFile+1), "less than 64 KB"},
		{"cut", good[:len(good)-1], "it is cut short"},
		{"followed by another", append(bytes.Clone(good), 0x30), "it is cut short"},
		{"not a sequence of these", []byte{0x30, 0x03, 0x02, 0x01, 0x01}, "it is something of an unknown kind, not a TSS2 key"},
		{"public part of another size", bytes.Replace(good, []byte("\x00\x56\x00\x23"), []byte("\x00\x55\x00\x23"), 1), "public part of the TSS2 key"},
	}
	for _, test := range tests {
		if _, err := parseKeyFile(test.data); err == nil || !strings.Contains(err.Error(), test.err) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// TestKeyFileCoats: a key as people's files and variables have it.
func TestKeyFileCoats(t *testing.T) {
	t.Parallel()
	good := der(t, oidLoadable, "", 0x40000001)
	text := string(pem.EncodeToMemory(&pem.Block{Type: pemLabel, Bytes: good}))
	replaced := func(with string) string { return strings.ReplaceAll(text, "\n", with) }
	for name, data := range map[string]string{
		"PEM": text, "byte order mark": "\xef\xbb\xbf" + text, "CRLF": replaced("\r\n"), "CR": replaced("\r"),
		"indented": replaced("\n    "), "on one line": replaced(" "), "escaped": replaced(`\n`),
		"text around": "the key\n" + text + "bye", "DER": string(good), "zeros after DER": string(good) + "\x00\x00",
		"base64 of DER": base64.StdEncoding.EncodeToString(good), "base64 of PEM": base64.StdEncoding.EncodeToString([]byte(text)),
		"another block before": "-----BEGIN CERTIFICATE-----\n*\n-----END CERTIFICATE-----" + text,
	} {
		if !IsKeyFile([]byte(data)) {
			t.Errorf("%s: not recognized", name)
		}
		if f, err := parseKeyFile([]byte(data)); err != nil || f.parent != 0x40000001 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// FuzzKeyFile: what is read, and can sign, is written so that it is read as the same.
func FuzzKeyFile(f *testing.F) {
	names, err := filepath.Glob("testdata/*.pem")
	if err != nil || len(names) == 0 {
		f.Fatal(names, err)
	}
	for _, name := range names {
		block, _ := pem.Decode(testFile(f, filepath.Base(name)))
		f.Add(block.Bytes)
	}
	f.Add(der(f, oidLoadable, "\xa0\x03\x01\x01\xff\xa5\x03\x01\x01\x01", -1))
	f.Fuzz(func(t *testing.T, data []byte) {
		first, err := parseKeyFile(data)
		if err != nil {
			return
		}
		if _, _, err := signingKey(first.public); err != nil {
			return
		}
		text, err := first.marshal()
		if err != nil {
			t.Fatal(err)
		}
		second, err := parseKeyFile(text)
		if err != nil {
			t.Fatalf("%v: %x", err, text)
		}
		again, err := second.marshal()
		if err != nil || !bytes.Equal(text, again) {
			t.Fatalf("%v: %x, then %x", err, text, again)
		}
		if first.parent != second.parent || first.emptyAuth != second.emptyAuth || !bytes.Equal(first.public.Bytes(), second.public.Bytes()) {
			t.Fatalf("%+v, then %+v", first, second)
		}
	})
}

func testFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// TestParseKeyFile_encodings: a TSS2 key is read in each of the encodings that people have files in, or
// named without a word of a parser.
func TestParseKeyFile_encodings(t *testing.T) {
	block, _ := pem.Decode(testFile(t, "openssl-p256.pem"))
	for _, encoding := range testenv.Encodings() {
		data := encoding.Of(block.Type, block.Bytes)
		if data == nil {
			continue
		}
		f, err := parseKeyFile(data)
		if encoding.Refused == "" {
			if err != nil || f.parent != 0x40000001 || !IsKeyFile(data) {
				t.Errorf("%s: %v", encoding.Name, err)
			}
			continue
		}
		if err == nil || !strings.Contains(err.Error(), encoding.Refused) || IsKeyFile(data) || strings.Contains(err.Error(), "asn1:") {
			t.Errorf("%s: %v", encoding.Name, err)
		}
	}
}
