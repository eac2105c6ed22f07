package pemread

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"kedge/internal/testenv"
)

func newKey(t testing.TB) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newRequest(t testing.TB) []byte {
	t.Helper()
	der, err := x509.CreateCertificateRequest(rand.Reader, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "web-01"}}, newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func newCertificate(t testing.TB) []byte {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Unix(1<<31, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func encode(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

func inUTF16(text string, order binary.ByteOrder, mark bool) []byte {
	if mark {
		text = "\ufeff" + text
	}
	var out []byte
	for _, unit := range utf16.Encode([]rune(text)) {
		var b [2]byte
		order.PutUint16(b[:], unit)
		out = append(out, b[:]...)
	}
	return out
}

// coats puts DER into everything that this package reads.
func coats(t testing.TB, label string, der []byte) map[string][]byte {
	t.Helper()
	text := encode(label, der)
	bare := base64.StdEncoding.EncodeToString(der)
	replaced := func(old, with string) []byte { return []byte(strings.ReplaceAll(text, old, with)) }
	quoted, err := json.Marshal(map[string]string{"csr": text})
	if err != nil {
		t.Fatal(err)
	}
	again, err := json.Marshal(string(quoted))
	if err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"plain":                 []byte(text),
		"CRLF":                  replaced("\n", "\r\n"),
		"CR":                    replaced("\n", "\r"),
		"one line":              replaced("\n", " "),
		"no line breaks":        replaced("\n", ""),
		"indented":              []byte("    " + strings.ReplaceAll(text, "\n", "\n    ")),
		"no-break spaces":       replaced("\n", "\u00a0\u200b\n"),
		"UTF-8 mark":            []byte("\xef\xbb\xbf" + text),
		"text around":           []byte("Certificate Request:\n    Subject: CN=Müller\n" + text + "\nsent from my computer\n"),
		"UTF-16LE":              inUTF16(text, binary.LittleEndian, true),
		"UTF-16BE":              inUTF16(text, binary.BigEndian, true),
		"UTF-16LE without mark": inUTF16(text, binary.LittleEndian, false),
		"UTF-16BE without mark": inUTF16(text, binary.BigEndian, false),
		"escaped":               replaced("\n", `\n`),
		"escaped CRLF":          replaced("\n", `\r\n`),
		"JSON":                  quoted,
		"JSON in JSON":          again,
		"JSON of .NET":          bytes.ReplaceAll(quoted, []byte("+"), []byte(`\u002B`)),
		"JSON of PHP":           bytes.ReplaceAll(quoted, []byte("/"), []byte(`\/`)),
		"bare base64":           []byte(bare),
		"in quotes":             []byte(`"` + bare + `"` + "\n"),
		"unpadded":              []byte(strings.TrimRight(bare, "=")),
		"base64 in UTF-16":      inUTF16(bare, binary.LittleEndian, true),
		"base64 of PEM":         []byte(base64.StdEncoding.EncodeToString([]byte(text))),
		"DER":                   der,
		"DER and a line break":  append(slices.Clone(der), "\r\n"...),
	}
}

// TestBlocks_coats: a request is the same in every coat, under each of its labels.
func TestBlocks_coats(t *testing.T) {
	t.Parallel()
	der := newRequest(t)
	for _, label := range []string{"CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"} {
		for coat, data := range coats(t, label, der) {
			blocks, err := Blocks(data, Options{})
			if err != nil || len(blocks) != 1 {
				t.Errorf("%s: %d blocks, %v", coat, len(blocks), err)
				continue
			}
			if b := blocks[0]; !bytes.Equal(b.DER, der) || b.Kind != Request || b.Label != "" && b.Label != label {
				t.Errorf("%s: %q, %v, %x", coat, b.Label, b.Kind, b.DER)
			}
		}
	}
}

// TestBlocks_several: what stands in one file comes out in its order.
func TestBlocks_several(t *testing.T) {
	t.Parallel()
	request, cert := newRequest(t), newCertificate(t)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(newKey(t))
	if err != nil {
		t.Fatal(err)
	}
	trusted := append(slices.Clone(cert), 0x30, 2, 0x0c, 0)
	text := encode("PRIVATE KEY", pkcs8) + encode("X509 CERTIFICATE", cert) + encode("TRUSTED CERTIFICATE", trusted) + encode("CERTIFICATE REQUEST", request)
	want := []Block{
		{Label: "PRIVATE KEY", Kind: PrivateKey, DER: pkcs8}, {Label: "X509 CERTIFICATE", Kind: Certificate, DER: cert},
		{Label: "TRUSTED CERTIFICATE", Kind: Certificate, DER: cert}, {Label: "CERTIFICATE REQUEST", Kind: Request, DER: request},
	}
	for _, data := range []string{text, strings.ReplaceAll(text, "-----\n-----", "----------"), strings.ReplaceAll(text, "-----\n-----BEGIN", "-----  -----BEGIN")} {
		blocks, err := Blocks([]byte(data), Options{})
		if err != nil || !slices.EqualFunc(blocks, want, same) {
			t.Errorf("%v, %v", blocks, err)
		}
	}
	blocks, err := Blocks(slices.Concat(cert, request), Options{})
	if err != nil || len(blocks) != 2 || blocks[0].Kind != Certificate || !bytes.Equal(blocks[1].DER, request) {
		t.Errorf("DER: %v, %v", blocks, err)
	}
}

func same(a, b Block) bool {
	return a.Label == b.Label && a.Kind == b.Kind && bytes.Equal(a.DER, b.DER)
}

// TestBlocks_headers: those of RFC 1421, as "openssl rsa -traditional -aes128" writes them.
func TestBlocks_headers(t *testing.T) {
	t.Parallel()
	text := string(pem.EncodeToMemory(&pem.Block{
		Type: "RSA PRIVATE KEY", Bytes: []byte("sixteen bytes ok"),
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-128-CBC,00112233445566778899AABBCCDDEEFF"},
	}))
	for _, data := range []string{text, strings.ReplaceAll(text, "\n", "\r\n"), strings.ReplaceAll(text, "\n", "\r"), strings.ReplaceAll(text, "\n", `\n`), strings.ReplaceAll(text, "\n\n", "\n")} {
		blocks, err := Blocks([]byte(data), Options{})
		if err != nil || len(blocks) != 1 {
			t.Fatalf("%q: %v", data, err)
		}
		b := blocks[0]
		if b.Kind != EncryptedKey || string(b.DER) != "sixteen bytes ok" || b.Headers["DEK-Info"] != "AES-128-CBC,00112233445566778899AABBCCDDEEFF" {
			t.Errorf("%q: %+v", data, b)
		}
	}
}

func TestBlocks_kinds(t *testing.T) {
	t.Parallel()
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	must := func(der []byte, err error) []byte {
		if err != nil {
			t.Fatal(err)
		}
		return der
	}
	key := newKey(t)
	issuer := &x509.Certificate{RawSubject: []byte{0x30, 0}, SubjectKeyId: []byte{1}, KeyUsage: x509.KeyUsageCRLSign}
	list := must(x509.CreateRevocationList(rand.Reader, &x509.RevocationList{Number: big.NewInt(1), NextUpdate: time.Unix(1, 0)}, issuer, key))
	for kind, der := range map[Kind][]byte{
		RevocationList: list, Certificate: newCertificate(t), Request: newRequest(t),
		PublicKey:    must(x509.MarshalPKIXPublicKey(key.Public())),
		EncryptedKey: {0x30, 0x06, 0x30, 0, 0x04, 2, 0, 0},
		PKCS12:       {0x30, 0x80, 2, 1, 3, 0x30, 0x80},
		PKCS7:        {0x30, 0x0d, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7, 2, 0xa0, 0},
		TPMKey:       {0x30, 0x0a, 6, 6, 0x67, 0x81, 5, 10, 1, 3, 0xa0, 0},
	} {
		blocks, err := Blocks(der, Options{})
		if err != nil || len(blocks) != 1 || blocks[0].Kind != kind {
			t.Errorf("%v: %v, %v", kind, blocks, err)
		}
	}
	sec1 := must(x509.MarshalECPrivateKey(key))
	for _, der := range [][]byte{x509.MarshalPKCS1PrivateKey(rsaKey), sec1, must(x509.MarshalPKCS8PrivateKey(key))} {
		if blocks, err := Blocks(der, Options{}); err != nil || blocks[0].Kind != PrivateKey {
			t.Errorf("%v, %v", blocks, err)
		}
	}
	for label, want := range map[string]Kind{"OPENSSH PRIVATE KEY": OpenSSHKey, "EC PARAMETERS": Parameters, "PGP PUBLIC KEY BLOCK": Armor, "ELEPHANT": Unknown} {
		blocks, err := Blocks([]byte(encode(label, []byte("openssh-key-v1\x00"))), Options{})
		if err != nil || blocks[0].Kind != want {
			t.Errorf("%s: %v, %v", label, blocks, err)
		}
	}
	// The content counts, not the label.
	if blocks, err := Blocks([]byte(encode("CERTIFICATE", newRequest(t))), Options{}); err != nil || blocks[0].Kind != Request {
		t.Errorf("a request as a certificate: %v, %v", blocks, err)
	}
}

// TestBlocks_skip: damage in what nobody wants does no harm, unless it hides where a block ends.
func TestBlocks_skip(t *testing.T) {
	t.Parallel()
	cert := newCertificate(t)
	text := "-----BEGIN PRIVATE KEY-----\n!!!\n-----END PRIVATE KEY-----\n" + encode("CERTIFICATE", cert)
	blocks, err := Blocks([]byte(text), Options{Skip: func(label string) bool { return label == "PRIVATE KEY" }})
	if err != nil || len(blocks) != 2 || blocks[0].DER != nil || blocks[0].Kind != PrivateKey || !bytes.Equal(blocks[1].DER, cert) {
		t.Errorf("%v, %v", blocks, err)
	}
	if _, err := Blocks([]byte(text), Options{}); err == nil {
		t.Error("not skipped, and read")
	}
}

func TestBlocks_names(t *testing.T) {
	t.Parallel()
	request := newRequest(t)
	good := encode("CERTIFICATE REQUEST", request)
	lines := strings.SplitAfter(good, "\n")
	tests := []struct {
		data   string
		reason Reason
		want   string
	}{
		{"", Empty, "it is empty"},
		{"\xef\xbb\xbf \r\n", Empty, "it is empty"},
		{"\xff\xfe", Empty, "it is empty"},
		{strings.Repeat("a", DefaultMaxSize+1), TooLarge, "it has more than 1024 KB"},
		{"hello", Foreign, "it is neither PEM nor DER nor base64 of them"},
		{"<!DOCTYPE html><p>Sign in</p>", Foreign, "it is an HTML page"},
		{"PuTTY-User-Key-File-3: ecdsa", Foreign, "it is a PuTTY key; convert it with puttygen"},
		{"\xfe\xed\xfe\xed\x00\x00\x00\x02", Foreign, "it is a Java keystore; convert it: keytool -importkeystore -deststoretype PKCS12"},
		{"\x1f\x8b\x08\x00", Foreign, "it is compressed with gzip; unpack it first"},
		{"ssh-ed25519 AAAA you@there", Foreign, "it is an OpenSSH public key"},
		{"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----", Damaged, "its line BEGIN lacks the five hyphens on each side"},
		{strings.ReplaceAll(good, "-----", "\u2013\u2013\u2013"), Damaged, "its line BEGIN lacks the five hyphens on each side"},
		{"\xff\xfe\x00\x00-\x00\x00\x00", Foreign, "it is UTF-32 text; save it as UTF-8"},
		{good[:len(good)/2], Cut, "it is cut off: there is a line BEGIN CERTIFICATE REQUEST without its END CERTIFICATE REQUEST"},
		{good[:len(good)/2] + "\n" + good, Cut, "it is cut off: there is a line BEGIN CERTIFICATE REQUEST without its END CERTIFICATE REQUEST"},
		{good[:len(good)-3], Cut, "it is cut off: the line END after BEGIN CERTIFICATE REQUEST does not end with five hyphens"},
		{strings.Replace(good, "END CERT", "END NEW CERT", 1), Damaged, `what begins with BEGIN CERTIFICATE REQUEST in it ends with END "NEW CERTIFICATE REQUEST"`},
		{"-----BEGIN CERTIFICATE REQUEST\nMIIB", Damaged, "a line BEGIN in it does not end with five hyphens after the label"},
		{strings.Join(slices.Delete(slices.Clone(lines), 2, 3), ""), Cut, "the block CERTIFICATE REQUEST in it is cut short: lines are missing"},
		{strings.Replace(good, "\n-----END", `"="-----END`, 1), Damaged, `the block CERTIFICATE REQUEST in it has the character '"' in its line `},
		{strings.Replace(good, "\n-----END", "\xff\n-----END", 1), Damaged, "the block CERTIFICATE REQUEST in it has the byte 0xFF in its line "},
		{"-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----", Damaged, "the block CERTIFICATE in it is empty"},
		{encode("CERTIFICATE", append(slices.Clone(request), 0x30, 0)), Damaged, "the block CERTIFICATE in it has 2 bytes after its end"},
		{string(request[:len(request)-1]), Cut, "it is cut short: the DER in it is longer than the "},
		{string(request) + "\x00" + good, Damaged, fmt.Sprintf("%d bytes of something else follow the DER in it", len(good)+1)},
	}
	for _, tt := range tests {
		_, err := Blocks([]byte(tt.data), Options{})
		wrong, ok := errors.AsType[*Error](err)
		if !ok || wrong.Reason != tt.reason || !strings.HasPrefix(wrong.Error(), tt.want) {
			t.Errorf("%.40q: got %v\nwant %s", tt.data, err, tt.want)
		}
	}
}

// What follows the end of an element and is not another changes nothing about it.
func TestBlocks_afterTheEnd(t *testing.T) {
	t.Parallel()
	request := newRequest(t)
	for _, after := range []string{"\x00", "\n", "\r\n", "\x1a", "\x00\x00\x00\x00", " the end", "\x05\x00"} {
		der := append(slices.Clone(request), after...)
		for coat, data := range map[string]string{"DER": string(der), "PEM": encode("CERTIFICATE REQUEST", der), "base64": base64.StdEncoding.EncodeToString(der)} {
			blocks, err := Blocks([]byte(data), Options{})
			if err != nil || len(blocks) != 1 || !bytes.Equal(blocks[0].DER, request) {
				t.Errorf("%q, %s: %v, %v", after, coat, blocks, err)
			}
		}
	}
}

func TestBlocks_noUTF16(t *testing.T) {
	t.Parallel()
	text := encode("CERTIFICATE REQUEST", newRequest(t))
	for _, order := range []binary.ByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, mark := range []bool{true, false} {
			_, err := Blocks(inUTF16(text, order, mark), Options{NoUTF16: true})
			if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Reason != Foreign || wrong.Error() != "it is UTF-16 text; save it as UTF-8" {
				t.Errorf("%v, mark %v: %v", order, mark, err)
			}
		}
	}
}

// FuzzBlocks: whatever is read is read the same when it is written again as PEM, and each
// error has a text and a reason.
func FuzzBlocks(f *testing.F) {
	for _, data := range coats(f, "CERTIFICATE REQUEST", newRequest(f)) {
		f.Add(data)
	}
	f.Add([]byte(encode("TRUSTED CERTIFICATE", append(newCertificate(f), 0x30, 0))))
	f.Add([]byte("-----BEGIN X-----\nProc-Type: 4,ENCRYPTED\n\nAAAA\n-----END X-----"))
	for _, encoding := range testenv.Encodings() {
		f.Add(encoding.Of("CERTIFICATE", newCertificate(f)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := Blocks(data, Options{})
		if err != nil {
			if wrong, ok := errors.AsType[*Error](err); !ok || wrong.Reason == 0 || wrong.Error() == "" {
				t.Fatalf("%#v", err)
			}
			return
		}
		if len(blocks) == 0 {
			t.Fatal("no block and no error")
		}
		for _, b := range blocks {
			if b.DER == nil || b.Headers != nil || b.Label == "" && isIndefinite(b.DER) {
				continue
			}
			label := b.Label
			if label == "" {
				label = "DATA"
			}
			again, err := Blocks([]byte(encode(label, b.DER)), Options{MaxSize: 4 * DefaultMaxSize})
			if err != nil || len(again) != 1 || !bytes.Equal(again[0].DER, b.DER) {
				t.Fatalf("%q: %v, %v", label, again, err)
			}
		}
	})
}

// FuzzCoats: whatever the DER, each coat gives it back.
func FuzzCoats(f *testing.F) {
	f.Add([]byte("content"))
	f.Add(bytes.Repeat([]byte{0xff}, 300))
	f.Fuzz(func(t *testing.T, content []byte) {
		if len(content) == 0 || len(content) > 1000 {
			return
		}
		der := binary.BigEndian.AppendUint16([]byte{tagSequence, 0x82}, uint16(len(content)))
		der = append(der, content...)
		for coat, data := range coats(t, "CERTIFICATE REQUEST", der) {
			blocks, err := Blocks(data, Options{})
			if err != nil || len(blocks) != 1 || !bytes.Equal(blocks[0].DER, der) {
				t.Fatalf("%s: %v, %v", coat, blocks, err)
			}
		}
	})
}

// TestSecret: what editors add to a password is taken off, once, and UTF-16 is named.
func TestSecret(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]string{
		"secret": "secret", "secret\n": "secret", "secret\r\n": "secret", "secret\n\n": "secret\n", "\xef\xbb\xbfsecret\n": "secret",
		"": "", "\n": "", " secret ": " secret ", "s\x00": "", "\x00s": "", "p\xe9\n": "p\xe9", "\xef\xbb\xbf": "",
		"\xff\xfes\x00": "", "\xfe\xff\x00s": "", "p\x00w\x00d\x00\r\x00\n\x00": "", "a\x00b": "a\x00b",
	} {
		got, err := Secret([]byte(data))
		refused := strings.Contains(data, "\x00") && data != "a\x00b"
		if string(got) != want || (err != nil) != refused || err != nil && err.Error() != "it is UTF-16 text; save it as UTF-8" {
			t.Errorf("%q: %q, %v", data, got, err)
		}
	}
}

// FuzzSecret: a secret is a part of its file, and at most five bytes shorter.
func FuzzSecret(f *testing.F) {
	f.Add([]byte("\xef\xbb\xbfsecret\r\n"))
	f.Add([]byte("s\x00e\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		secret, err := Secret(data)
		if err == nil && (!bytes.Contains(data, secret) || len(data)-len(secret) > 5) {
			t.Fatalf("%q of %q", secret, data)
		}
	})
}
