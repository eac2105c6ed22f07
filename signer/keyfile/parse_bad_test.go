package keyfile_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"kedge/internal/testenv"
	"kedge/signer/keyfile"
)

// fixtures are what bad inputs are made from.
type fixtures struct {
	tb                      testing.TB
	dir                     string
	key, cert               []byte // PEM: a P-256 pair
	keyDER, certDER, p12DER []byte
}

func newFixtures(tb testing.TB) *fixtures {
	tb.Helper()
	f := &fixtures{tb: tb, dir: tb.TempDir()}
	f.key = f.openssl("genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
	f.write("key.pem", f.key)
	f.cert = f.openssl("req", "-x509", "-key", "key.pem", "-subj", "/CN=a", "-days", "2")
	f.write("cert.pem", f.cert)
	f.keyDER, f.certDER = body(f.key), body(f.cert)
	f.p12DER = f.openssl("pkcs12", "-export", "-inkey", "key.pem", "-in", "cert.pem", "-passout", "pass:secret")
	return f
}

func (f *fixtures) openssl(args ...string) []byte {
	f.tb.Helper()
	return testenv.Run(f.tb, f.dir, "openssl", args...)
}

func (f *fixtures) write(name string, data []byte) {
	f.tb.Helper()
	if err := os.WriteFile(filepath.Join(f.dir, name), data, 0o600); err != nil {
		f.tb.Fatal(err)
	}
}

func body(data []byte) []byte {
	block, _ := pem.Decode(data)
	return block.Bytes
}

func block(label string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der})
}

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

// badInput is a row of the tables: what Parse reports of the data.
type badInput struct {
	name    string
	data    []byte
	wantErr string
}

func checkBad(t *testing.T, table []badInput, parse func([]byte) error) {
	t.Helper()
	for _, tt := range table {
		t.Run(tt.name, func(t *testing.T) {
			err := parse(tt.data)
			if err == nil || err.Error() != tt.wantErr {
				t.Errorf("got  %v\nwant %s", err, tt.wantErr)
			}
			if err != nil && strings.Contains(err.Error(), "\n") {
				t.Error("more than one line")
			}
		})
	}
}

func parseAny(data []byte) error {
	_, err := keyfile.Parse(data, nil)
	return err
}

func parseKey(data []byte) error {
	_, err := keyfile.ParsePrivateKey(data, nil)
	return err
}

func parseCerts(data []byte) error {
	_, err := keyfile.ParseCertificates(data, nil)
	return err
}

func TestParseForeign(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	crlConf := "[ca]\ndefault_ca=d\n[d]\ndatabase=index\ndefault_md=sha256\ndefault_crl_days=1\n"
	f.write("ca.conf", []byte(crlConf))
	f.write("index", nil)
	request := f.openssl("req", "-new", "-key", "key.pem", "-subj", "/CN=a")
	crl := f.openssl("ca", "-gencrl", "-config", "ca.conf", "-keyfile", "key.pem", "-cert", "cert.pem")
	public := f.openssl("pkey", "-in", "key.pem", "-pubout")
	pkcs7 := f.openssl("crl2pkcs7", "-nocrl", "-certfile", "cert.pem")
	const want = ", not a certificate or a private key"
	const pkcs7Text = "it is a PKCS#7 bundle (convert it: openssl pkcs7 -print_certs -in FILE, with -inform DER if it is binary)"
	checkBad(t, []badInput{
		{"nothing", nil, "it is empty"},
		{"white space", []byte(" \r\n\t"), "it is empty"},
		{"only a mark", []byte("\xef\xbb\xbf"), "it is empty"},
		{"text", []byte("hello"), "it is neither PEM nor DER nor base64 of them"},
		{"text that begins as short DER", []byte("0 is the number of certificates in this file, which is text\n"), "it is neither PEM nor DER nor base64 of them"},
		{"text in Latin-1 that begins as short DER", []byte("0! f\xfcr alle"), "it is neither PEM nor DER nor base64 of them"},
		{"zeros", make([]byte, 100), "it is neither PEM nor DER nor base64 of them"},
		{"HTML", []byte("\n<!DOCTYPE html><html>"), "it is an HTML page"},
		{"XML", []byte("<?xml version=\"1.0\"?>"), "it is XML"},
		{"JSON", []byte(`{"certificate": "x"}`), "it is JSON"},
		{"UTF-16", []byte("\xff\xfe-\x00-\x00"), "it is UTF-16 text; save it as UTF-8"},
		{"bare base64", []byte("MIIBszCCAVmgAwIBAgIU"), "it is cut short: the DER in it is longer than the 15 bytes that are there"},
		{"SSH public key", []byte("ssh-rsa AAAAB3Nza me@host"), "it is an OpenSSH public key"},
		{"PuTTY", []byte("PuTTY-User-Key-File-3: ssh-rsa"), "it is a PuTTY key; convert it with puttygen"},
		{"Java keystore", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), "it is a Java keystore; convert it: keytool -importkeystore -deststoretype PKCS12"},
		{"request", request, "it is a certificate request" + want},
		{"request, DER", body(request), "it is a certificate request" + want},
		{"CRL", crl, "it is a revocation list" + want},
		{"CRL, DER", body(crl), "it is a revocation list" + want},
		{"public key", public, "it is a public key" + want},
		{"public key, DER", body(public), "it is a public key" + want},
		{"PKCS#7", pkcs7, pkcs7Text + want},
		{"PKCS#7, DER", body(pkcs7), pkcs7Text + want},
		{"OpenSSH", block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00")), `it is an OpenSSH key (convert a copy: ssh-keygen -p -N "" -m PKCS8 -f COPY)` + want},
		{"DSA", block("DSA PRIVATE KEY", []byte("x")), "it is a DSA private key, for which Roles Anywhere has no algorithm" + want},
		{"TPM", block("TSS2 PRIVATE KEY", []byte("x")), "it is a TPM key, which only its TPM can use" + want},
		{"PGP", []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"), "it is an OpenPGP block" + want},
		{"EC parameters", f.openssl("ecparam", "-name", "prime256v1"), "it is EC parameters alone" + want},
		{"DH parameters", block("DH PARAMETERS", []byte("x")), "it is parameters of a key" + want},
		{"RSA public key, DER", []byte{0x30, 6, 2, 1, 5, 2, 1, 3}, "it is a public key" + want},
		{"unknown DER", []byte{0x30, 3, 2, 1, 5}, "it is something of an unknown kind" + want},
	}, parseAny)
}

func TestParseDamaged(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	half := f.cert[:len(f.cert)/2]
	checkBad(t, []badInput{
		{"no END", half, "it is cut off: there is a line BEGIN CERTIFICATE without its END CERTIFICATE"},
		{"no END, then a key", join(half, []byte("\n"), f.key), "it is cut off: there is a line BEGIN CERTIFICATE without its END CERTIFICATE"},
		{"BEGIN without dashes", []byte("-----BEGIN CERTIFICATE\nMII\n"), "a line BEGIN in it does not end with five hyphens after the label"},
		{"another END", bytes.ReplaceAll(f.cert, []byte("END CERTIFICATE"), []byte("END PRIVATE KEY")), `what begins with BEGIN CERTIFICATE in it ends with END "PRIVATE KEY"`},
		{"not base64", []byte("-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n"), "the block CERTIFICATE in it has the character '*' in its line 2, which is not of base64"},
		{"empty block", []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "the block CERTIFICATE in it is empty"},
		{"bad headers", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n*\n-----END RSA PRIVATE KEY-----\n"), "the block RSA PRIVATE KEY in it has the character '*' in its line 1, which is not of base64"},
		{"DER cut", f.certDER[:100], "it is cut short: the DER in it is longer than the 100 bytes that are there"},
		{"DER key cut", f.keyDER[:50], "it is cut short: the DER in it is longer than the 50 bytes that are there"},
		{"cut within PEM", block("CERTIFICATE", f.certDER[:100]), "the block CERTIFICATE in it is cut short: lines are missing"},
		{"PKCS#12 cut", f.p12DER[:200], "it is cut short: the DER in it is longer than the 200 bytes that are there"},
		{"noise in a key's block", block("PRIVATE KEY", []byte("noise")), "the private key in it is damaged: it has none of the forms PKCS#1, SEC 1 and PKCS#8"},
	}, parseAny)
}

func TestParsePrivateKeyRefuses(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	secp256k1 := f.openssl("ecparam", "-name", "secp256k1", "-genkey", "-noout")
	f.write("k1.pem", secp256k1)
	explicit := f.openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-param_enc", "explicit")
	f.write("explicit.pem", explicit)
	encrypted := f.openssl("pkcs8", "-topk8", "-in", "key.pem", "-passout", "pass:secret")
	const noAlgorithm = " private key, for which Roles Anywhere has no algorithm: it takes RSA, EC and ML-DSA"
	const noCurve = "EC key on the curve 1.3.132.0.10, only P-224, P-256, P-384 and P-521 can be used"
	const spelledOut = "EC key with its curve spelled out (name it: openssl pkey -in FILE -ec_param_enc named_curve)"
	checkBad(t, []badInput{
		{"certificate", f.cert, "it is a certificate, not a private key"},
		{"certificate, DER", f.certDER, "it is a certificate, not a private key"},
		{"two keys", join(f.key, f.key), "2 private keys where one is expected"},
		{"many keys", bytes.Repeat(f.key, 5), "more than 4 private keys"},
		{"an unknown label", block("SM2 PRIVATE KEY", []byte{0x30, 0}), "the private key in it is of a kind that is not read here"},
		{"encrypted", encrypted, "encrypted, and no password was given"},
		{"PKCS#12", f.p12DER, "encrypted, and no password was given"},
		{"Ed25519", ed25519Key(t), "an Ed25519" + noAlgorithm},
		{"X25519", f.openssl("genpkey", "-algorithm", "X25519"), "an X25519" + noAlgorithm},
		{"RSA-PSS", f.openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"), "an RSASSA-PSS" + noAlgorithm},
		{"secp256k1", secp256k1, noCurve},
		{"secp256k1, PKCS#8", f.openssl("pkey", "-in", "k1.pem"), noCurve},
		{"explicit parameters", explicit, spelledOut},
		{"explicit parameters, PKCS#8", f.openssl("pkey", "-in", "explicit.pem"), spelledOut},
		{"cut PKCS#8", block("PRIVATE KEY", []byte{0x30, 5, 2, 1, 0, 0x30, 0}), "the private key in it is damaged: it is not the PKCS#8 that it begins as"},
		{"no scalar", block("EC PRIVATE KEY", []byte{0x30, 5, 2, 1, 1, 4, 0}), "the EC key in it is damaged: it names no curve, or its number is not one of that curve"},
	}, parseKey)
}

func TestParseCertificatesRefuses(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	f.write("p12", f.p12DER)
	onlyKey := f.openssl("pkcs12", "-export", "-inkey", "key.pem", "-nocerts", "-passout", "pass:")
	checkBad(t, []badInput{
		{"key", f.key, "it is a private key, not a certificate"},
		{"key, DER", f.keyDER, "it is a private key, not a certificate"},
		{"PKCS#12 with the key alone", onlyKey, "the PKCS#12 file does not hold a certificate"},
	}, parseCerts)
}

func ed25519Key(t *testing.T) []byte {
	t.Helper()
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return block("PRIVATE KEY", der)
}

// TestParseForgiving: what people's files and variables look like, and is understood.
func TestParseForgiving(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	pair := join(f.cert, f.key)
	replace := func(old, with string) []byte {
		return bytes.ReplaceAll(pair, []byte(old), []byte(with))
	}
	f.write("trusted.in", f.cert)
	trusted := f.openssl("x509", "-in", "cert.pem", "-trustout", "-addtrust", "clientAuth")
	for name, data := range map[string][]byte{
		"CRLF":                           join([]byte("\xef\xbb\xbf"), replace("\n", "\r\n")),
		"lone CR":                        replace("\n", "\r"),
		"byte order mark":                join([]byte("\xef\xbb\xbf"), pair),
		"literal \\n":                    replace("\n", `\n`),
		"base64 of PEM":                  []byte(base64.StdEncoding.EncodeToString(pair)),
		"base64 of PEM, with mark":       []byte(base64.StdEncoding.EncodeToString(join([]byte("\xef\xbb\xbf"), pair))),
		"DER, key first":                 join(f.keyDER, f.certDER),
		"DER, then zeros":                join(f.certDER, f.keyDER, []byte{0, 0, 0}),
		"DER, then text":                 join(f.keyDER, f.certDER, []byte("hello")),
		"base64 of DER":                  []byte(base64.StdEncoding.EncodeToString(join(f.keyDER, f.certDER))),
		"END and BEGIN joined":           bytes.ReplaceAll(pair, []byte("-----\n-----"), []byte("----------")),
		"bytes after the end, in PEM":    join(block("CERTIFICATE", join(f.certDER, []byte{0})), f.key),
		"key in a certificate's block":   join(f.cert, block("CERTIFICATE", f.keyDER)),
		"text around":                    join([]byte("Bag Attributes\n  a: b\n"), pair, []byte("bye")),
		"DER-like text":                  join([]byte("0 s:CN = a\n"), pair),
		"indented":                       replace("\n", "\n    "),
		"joined by blanks":               replace("\n", " "),
		"EC PARAMETERS":                  join(f.openssl("ecparam", "-name", "prime256v1"), pair),
		"EC PARAMETERS of another curve": join(f.openssl("ecparam", "-name", "secp384r1"), pair), // the key names its own
		"other blocks":                   join(block("DH PARAMETERS", []byte("x")), pair),
		"trusted certificate":            join(trusted, f.key),
		"label of a sister":              bytes.ReplaceAll(pair, []byte(" PRIVATE KEY"), []byte(" RSA PRIVATE KEY")),
		"no final newline":               bytes.TrimSpace(pair),
	} {
		t.Run(name, func(t *testing.T) {
			found, err := keyfile.Parse(data, nil)
			if err != nil {
				t.Fatal(err)
			}
			if len(found.Keys) != 1 || len(found.Certificates) != 1 {
				t.Fatalf("%d keys, %d certificates", len(found.Keys), len(found.Certificates))
			}
			checkPublic(t, found.Keys[0].Public(), found.Certificates[0].RawSubjectPublicKeyInfo)
		})
	}
}

// TestParseKeepsOrder: certificates come out as they lie in the input.
func TestParseKeepsOrder(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	other := newFixtures(t)
	certs, err := keyfile.ParseCertificates(join(f.certDER, other.certDER, f.certDER), nil)
	if err != nil {
		t.Fatal(err)
	}
	want := [][]byte{f.certDER, other.certDER, f.certDER}
	if len(certs) != len(want) {
		t.Fatalf("%d certificates", len(certs))
	}
	for i, cert := range certs {
		if !bytes.Equal(cert.Raw, want[i]) {
			t.Errorf("certificate %d is another", i)
		}
	}
}
