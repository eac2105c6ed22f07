package cabackup

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"os"
	"path/filepath"
	"testing"
	"time"

	"filippo.io/age"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/config"
	"kedge/internal/localca"
)

// testCA is a CA in a folder, the warnings about it, and a key for its backups.
type testCA struct {
	*testing.T
	localca.Config
	dir      string // parent of the CA's folder, ca
	warnings []string
	identity *age.X25519Identity
	to       Recipients
}

func newTestCA(t *testing.T) *testCA {
	t.Helper()
	x := &testCA{T: t, dir: t.TempDir()}
	x.Config = localca.Config{
		Keys: &cadir.Keys{Folder: cadir.Folder{Dir: x.path("ca")}, Host: config.Host{Now: time.Now}},
		Warn: func(text string) { x.warnings = append(x.warnings, text) },
	}
	key, err := x.Keys.Begin(t.Context(), cadir.KeyRequest{Authority: "ca", Generate: newKey})
	if err != nil {
		t.Fatal(err)
	}
	root, err := ca.PrepareRoot(key, ca.AuthorityConfig{Subject: pkix.Name{CommonName: "root"}, Lifetime: 365 * 24 * time.Hour, MaxPathLen: -1}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := localca.Found(t.Context(), x.Config, key, root); err != nil {
		t.Fatal(err)
	}
	if x.identity, err = age.GenerateX25519Identity(); err != nil {
		t.Fatal(err)
	}
	if err := x.to.Add("test", x.identity.Recipient().String()); err != nil {
		t.Fatal(err)
	}
	return x
}

func newKey() (crypto.Signer, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	return key, der, err
}

func (x *testCA) path(name string) string { return filepath.Join(x.dir, name) }

func (x *testCA) write(name, text string) {
	x.Helper()
	if err := os.WriteFile(x.path(name), []byte(text), 0o600); err != nil {
		x.Fatal(err)
	}
}

func (x *testCA) read(name string) []byte {
	x.Helper()
	data, err := os.ReadFile(x.path(name))
	if err != nil {
		x.Fatal(err)
	}
	return data
}

// names returns what is in a folder.
func (x *testCA) names(dir string) (names []string) {
	x.Helper()
	all, err := os.ReadDir(x.path(dir))
	if err != nil {
		x.Fatal(err)
	}
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// create makes a backup of the CA.
func (x *testCA) create(name string) (m *Manifest, err error) {
	x.Helper()
	opened, err := localca.Open(x.Context(), x.Config, ledger.Options{ReadOnly: true})
	if err != nil {
		x.Fatal(err)
	}
	defer opened.Close()
	return Create(x.Context(), Source{CA: opened, Config: x.Config, Version: "test"}, x.to, x.path(name))
}

// whole makes a backup, and returns its bytes.
func (x *testCA) whole() []byte {
	x.Helper()
	if _, err := x.create("whole.age"); err != nil {
		x.Fatal(err)
	}
	return x.read("whole.age")
}

func (x *testCA) backup(data []byte) Backup {
	return Backup{Name: "ca.age", Read: bytes.NewReader(data), Keys: Identities{x.identity}}
}

// restore restores a backup into the folder new.
func (x *testCA) restore(data []byte) (*Restored, error) {
	return Restore(x.Context(), x.backup(data), at(x.Config, x.path("new")))
}
