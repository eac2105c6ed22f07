package signer

import (
	"bytes"
	"encoding/pem"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// negative makes the serial number of a certificate negative, which crypto/x509 does not read.
func negative(t *testing.T, m *minted) []byte {
	t.Helper()
	der := bytes.Clone(m.Raw)
	at := bytes.Index(der, []byte{0xa0, 3, 2, 1, 2, 2})
	if at < 0 {
		t.Fatal("no version")
	}
	der[at+7] = 0xee
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// TestIdentity_Unused_unread: a certificate that cannot be read is named with its number, and matters
// where it has the name of an issuer on the path.
func TestIdentity_Unused_unread(t *testing.T) {
	t.Parallel()
	root := mint(t, "root", nil, asCA)
	issuing := mint(t, "issuing", root, asCA)
	leaf := mint(t, "leaf", issuing)
	for _, tt := range []struct {
		name    string
		bundle  []byte
		want    string // of the first
		related bool
	}{
		{"the issuer of the leaf", bytes.Join([][]byte{certPEM(root), negative(t, issuing)}, nil), `chain: certificate 2, "CN=issuing": it cannot be read: its serial number is negative`, true},
		{"the issuer of the issuer", bytes.Join([][]byte{certPEM(issuing), negative(t, root)}, nil), `chain: certificate 2, "CN=root": it cannot be read: its serial number is negative`, true},
		{"a stranger", bytes.Join([][]byte{certPEM(issuing), negative(t, mint(t, "other", nil, asCA))}, nil), `chain: certificate 2, "CN=other": it cannot be read: its serial number is negative`, false},
		{"no name", append(certPEM(issuing), "-----BEGIN CERTIFICATE-----\nMAwwAzAAMAADAgAwMAA=\n-----END CERTIFICATE-----\n"...), `chain: certificate 2: it cannot be read: `, true},
		{"all is read", certPEM(issuing), "", false},
		{"the other of two", bytes.Join([][]byte{negative(t, mint(t, "other", nil, asCA)), certPEM(issuing), negative(t, root)}, nil), `chain: certificate 3, "CN=root": it cannot be read: its serial number is negative`, true},
	} {
		id, err := Load(Files{Certificate: Bytes("leaf", append(certPEM(leaf), keyPEM(t, leaf)...)), Intermediates: Bytes("chain", tt.bundle), Now: func() time.Time { return noon }})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		unused := id.Unused()
		switch {
		case tt.want == "" && len(unused) > 0:
			t.Errorf("%s: %v", tt.name, unused)
		case tt.want != "" && (len(unused) == 0 || !strings.HasPrefix(unused[0].String(), tt.want) || unused[0].Related != tt.related):
			t.Errorf("%s: got %v\nwant %s", tt.name, unused, tt.want)
		}
	}
}

// TestIdentity_ForeignSignatures: a signature of an algorithm that crypto/x509 does not know is named.
func TestIdentity_ForeignSignatures(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	const script = `openssl req -x509 -newkey ed448 -nodes -keyout ca.key -out ca.pem -subj /CN=ca -days 30
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout leaf.key -out leaf.csr -subj /CN=leaf
printf 'basicConstraints=CA:false\nkeyUsage=digitalSignature\n' >ext
openssl x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -days 10 -extfile ext -out leaf.pem`
	cmd := exec.Command("sh", "-ec", script)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	id, err := Load(Files{Certificate: File(dir + "/leaf.pem"), PrivateKey: File(dir + "/leaf.key"), Intermediates: File(dir + "/ca.pem"), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	if words, want := id.ForeignSignatures(), dir+`/leaf.pem: certificate "CN=leaf" is signed with Ed448`; len(words) != 1 || words[0] != want {
		t.Errorf("%q, want %q", words, want)
	}
	if unused := id.Unused(); len(unused) != 1 || unused[0].Reason != `"CN=leaf" is signed with Ed448, which is not checked` {
		t.Errorf("%v", unused)
	}
	root := mint(t, "root", nil, asCA)
	leaf := mint(t, "leaf", root)
	known, err := Load(Files{Certificate: Bytes("leaf", certPEM(leaf)), Key: leaf.key, Now: func() time.Time { return noon }})
	if err != nil || known.ForeignSignatures() != nil {
		t.Errorf("%v", err)
	}
}
