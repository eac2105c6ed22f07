package keyfile_test

import (
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	"kedge/internal/testenv"
	"kedge/signer/keyfile"
)

// TestParseCerttool reads what GnuTLS writes: another maker of the same formats.
func TestParseCerttool(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	testenv.Run(t, dir, "certtool", "--generate-privkey", "--key-type=ecdsa", "--curve=secp256r1", "--outfile=ec.pem")
	testenv.Run(t, dir, "openssl", "req", "-x509", "-key", "ec.pem", "-subj", "/CN=a", "-days", "2", "-out", "cert.pem")
	block, _ := pem.Decode(testenv.Run(t, dir, "openssl", "pkey", "-in", "ec.pem", "-pubout"))
	password := func() ([]byte, error) { return []byte("secret"), nil }
	for _, tt := range []struct {
		name string
		args []string
	}{
		{"default cipher", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret"}},
		{"default cipher, DER", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--outder"}},
		{"aes-128", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--pkcs-cipher=aes-128"}},
		{"aes-192", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--pkcs-cipher=aes-192"}},
		{"aes-256", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--pkcs-cipher=aes-256"}},
		{"3des", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--pkcs-cipher=3des"}},
		{"3des-pkcs12", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--pkcs-cipher=3des-pkcs12"}},
		{"rc2-40", []string{"--to-p8", "--load-privkey=ec.pem", "--password=secret", "--pkcs-cipher=rc2-40"}},
		{"pkcs12", []string{"--to-p12", "--load-privkey=ec.pem", "--load-certificate=cert.pem", "--p12-name=a", "--password=secret", "--outder"}},
		{"pkcs12 3des", []string{"--to-p12", "--load-privkey=ec.pem", "--load-certificate=cert.pem", "--p12-name=a", "--password=secret", "--pkcs-cipher=3des-pkcs12", "--outder"}},
		{"pkcs12 sha384", []string{"--to-p12", "--load-privkey=ec.pem", "--load-certificate=cert.pem", "--p12-name=a", "--password=secret", "--hash=sha384", "--outder"}},
		{"pkcs12 null password", []string{"--to-p12", "--load-privkey=ec.pem", "--load-certificate=cert.pem", "--p12-name=a", "--null-password", "--outder"}},
		{"pkcs12 empty password", []string{"--to-p12", "--load-privkey=ec.pem", "--load-certificate=cert.pem", "--p12-name=a", "--empty-password", "--outder"}},
		{"pkcs12 in PEM", []string{"--to-p12", "--load-privkey=ec.pem", "--load-certificate=cert.pem", "--p12-name=a", "--password=secret"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := filepath.Join(t.TempDir(), "out")
			testenv.Run(t, dir, "certtool", append(tt.args, "--outfile="+file)...)
			key, err := keyfile.ParsePrivateKey(readFile(t, file), password)
			if err != nil {
				t.Fatal(err)
			}
			checkPublic(t, key.Public(), block.Bytes)
		})
	}
}

// TestParseCerttool_keys: a PKCS#12 file loses none of its keys silently.
func TestParseCerttool_keys(t *testing.T) {
	t.Parallel()
	for n, want := range map[int]string{4: "", 5: "more than 4 private keys"} {
		dir := t.TempDir()
		var keys []byte
		for range n {
			keys = append(keys, testenv.Run(t, dir, "openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")...)
		}
		if err := os.WriteFile(filepath.Join(dir, "keys.pem"), keys, 0o600); err != nil {
			t.Fatal(err)
		}
		testenv.Run(t, dir, "certtool", "--to-p12", "--load-privkey=keys.pem", "--p12-name=a", "--password=secret", "--outder", "--outfile=out")
		found, err := keyfile.Parse(readFile(t, filepath.Join(dir, "out")), func() ([]byte, error) { return []byte("secret"), nil })
		switch {
		case want == "" && (err != nil || len(found.Keys) != n):
			t.Errorf("%d keys: %v, %v", n, found, err)
		case want != "" && (err == nil || err.Error() != want):
			t.Errorf("%d keys: %v, want %s", n, err, want)
		}
	}
}
