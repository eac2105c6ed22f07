package keyfile_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
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

// badInput is a row of the tables: what Parse says of the data.
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
	const pkcs7Text = "a PKCS#7 bundle (convert it: openssl pkcs7 -print_certs -in FILE, with -inform DER if it is binary)"
	checkBad(t, []badInput{
		{"nothing", nil, "empty"},
		{"white space", []byte(" \r\n\t"), "empty"},
		{"only a mark", []byte("\xef\xbb\xbf"), "empty"},
		{"text", []byte("hello"), "neither PEM nor DER nor PKCS#12" + want},
		{"text that begins as short DER", []byte("0 is the number of certificates in this file, which is text\n"), "neither PEM nor DER nor PKCS#12" + want},
		{"text in Latin-1 that begins as short DER", []byte("0! f\xfcr alle"), "neither PEM nor DER nor PKCS#12" + want},
		{"zeros", make([]byte, 100), "neither PEM nor DER nor PKCS#12" + want},
		{"HTML", []byte("\n<!DOCTYPE html><html>"), "an HTML page" + want},
		{"XML", []byte("<?xml version=\"1.0\"?>"), "XML" + want},
		{"JSON", []byte(`{"certificate": "x"}`), "JSON" + want},
		{"UTF-16", []byte("\xff\xfe-\x00-\x00"), "UTF-16 text (save it as ASCII or UTF-8)" + want},
		{"bare base64", []byte("MIIBszCCAVmgAwIBAgIU"), "base64 without its BEGIN and END lines" + want},
		{"SSH public key", []byte("ssh-rsa AAAAB3Nza me@host"), "an OpenSSH public key" + want},
		{"PuTTY", []byte("PuTTY-User-Key-File-3: ssh-rsa"), "a PuTTY key" + want},
		{"Java keystore", []byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"), "a Java keystore (convert it: keytool -importkeystore -deststoretype PKCS12)" + want},
		{"request", request, "a certificate request" + want},
		{"request, DER", body(request), "a certificate request" + want},
		{"CRL", crl, "a revocation list" + want},
		{"CRL, DER", body(crl), "a revocation list" + want},
		{"public key", public, "a public key" + want},
		{"public key, DER", body(public), "a public key" + want},
		{"PKCS#7", pkcs7, pkcs7Text + want},
		{"PKCS#7, DER", body(pkcs7), pkcs7Text + want},
		{"OpenSSH", block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1\x00")), `an OpenSSH key (convert a copy: ssh-keygen -p -N "" -m PKCS8 -f COPY)` + want},
		{"DSA", block("DSA PRIVATE KEY", []byte("x")), "a DSA private key, for which Roles Anywhere has no algorithm" + want},
		{"TPM", block("TSS2 PRIVATE KEY", []byte("x")), "a TPM key, which only its TPM can use" + want},
		{"PGP", []byte("-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEZ\n-----END PGP PUBLIC KEY BLOCK-----\n"), "an OpenPGP block" + want},
		{"EC parameters", f.openssl("ecparam", "-name", "prime256v1"), "EC parameters alone" + want},
		{"DH parameters", block("DH PARAMETERS", []byte("x")), `PEM of the kind "DH PARAMETERS"` + want},
		{"RSA public key, DER", []byte{0x30, 6, 2, 1, 5, 2, 1, 3}, "a public key" + want},
		{"unknown DER", []byte{0x30, 3, 2, 1, 5}, "DER of an unknown kind" + want},
	}, parseAny)
}

func TestParseDamaged(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	oneLine := func(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\n"), []byte(`\n`)) }
	half := f.cert[:len(f.cert)/2]
	checkBad(t, []badInput{
		{"no END", half, "truncated: BEGIN CERTIFICATE without END CERTIFICATE"},
		{"no END, then a key", join(half, []byte("\n"), f.key), "truncated: BEGIN CERTIFICATE without END CERTIFICATE"},
		{"BEGIN without dashes", []byte("-----BEGIN CERTIFICATE\nMII\n"), "damaged PEM: a BEGIN line without its label or closing dashes"},
		{"another END", bytes.ReplaceAll(f.cert, []byte("END CERTIFICATE"), []byte("END PRIVATE KEY")), "truncated: BEGIN CERTIFICATE without END CERTIFICATE"},
		{"literal \\n", oneLine(f.cert), `the CERTIFICATE block has the two characters \n where line breaks belong`},
		{"not base64", []byte("-----BEGIN CERTIFICATE-----\n****\n-----END CERTIFICATE-----\n"), "the CERTIFICATE block is damaged: illegal base64 data at input byte 0"},
		{"empty block", []byte("-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----\n"), "the CERTIFICATE block is empty"},
		{"bad headers", []byte("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\n*\n-----END RSA PRIVATE KEY-----\n"), "the RSA PRIVATE KEY block is damaged"},
		{"DER cut", f.certDER[:100], "damaged DER: asn1: syntax error: data truncated"},
		{"DER key cut", f.keyDER[:50], "damaged DER: asn1: syntax error: data truncated"},
		{"DER and text", join(f.certDER, []byte("hello")), "5 bytes of something else follow the DER data"},
		{"key and certificate, DER", join(f.keyDER, []byte("hello")), "5 bytes of something else follow the private key"},
		{"cut within PEM", block("CERTIFICATE", f.certDER[:100]), "unreadable certificate: x509: malformed certificate"},
		{"trailing within PEM", block("CERTIFICATE", join(f.certDER, []byte{0})), "unreadable certificate: x509: trailing data"},
		{"PKCS#12 cut", f.p12DER[:200], "damaged DER: asn1: syntax error: data truncated"},
		{"key in a certificate's block", block("CERTIFICATE", f.keyDER), "a PKCS#8 private key under the label CERTIFICATE"},
		{"certificate in a key's block", block("PRIVATE KEY", f.certDER), "a certificate, not a private key"},
		{"noise in a key's block", block("PRIVATE KEY", []byte("noise")), "unreadable private key: damaged DER: asn1: syntax error: data truncated"},
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
		{"certificate", f.cert, "a certificate, not a private key"},
		{"certificate, DER", f.certDER, "a certificate, not a private key"},
		{"two keys", join(f.key, f.key), "2 private keys where one is expected"},
		{"many keys", bytes.Repeat(f.key, 5), "more than 4 private keys"},
		{"encrypted", encrypted, "encrypted, and no password was given"},
		{"PKCS#12", f.p12DER, "encrypted, and no password was given"},
		{"Ed25519", ed25519Key(t), "an Ed25519" + noAlgorithm},
		{"X25519", f.openssl("genpkey", "-algorithm", "X25519"), "an X25519" + noAlgorithm},
		{"RSA-PSS", f.openssl("genpkey", "-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:1024"), "an RSA-PSS" + noAlgorithm},
		{"secp256k1", secp256k1, noCurve},
		{"secp256k1, PKCS#8", f.openssl("pkey", "-in", "k1.pem"), noCurve},
		{"explicit parameters", explicit, spelledOut},
		{"explicit parameters, PKCS#8", f.openssl("pkey", "-in", "explicit.pem"), spelledOut},
		{"cut PKCS#8", block("PRIVATE KEY", []byte{0x30, 5, 2, 1, 0, 0x30, 0}), "unreadable private key: malformed PKCS#8"},
		{"no scalar", block("EC PRIVATE KEY", []byte{0x30, 5, 2, 1, 1, 4, 0}), "unreadable private key: x509: unknown elliptic curve"},
	}, parseKey)
}

func TestParseCertificatesRefuses(t *testing.T) {
	t.Parallel()
	f := newFixtures(t)
	f.write("p12", f.p12DER)
	onlyKey := f.openssl("pkcs12", "-export", "-inkey", "key.pem", "-nocerts", "-passout", "pass:")
	checkBad(t, []badInput{
		{"key", f.key, "a private key, not a certificate"},
		{"key, DER", f.keyDER, "a private key, not a certificate"},
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
