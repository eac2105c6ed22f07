package localca

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/config"
)

// testCA is a CA in a folder, and the warnings about it.
type testCA struct {
	*testing.T
	Config
	dir      string
	warnings []string
}

func newTestCA(t *testing.T) *testCA {
	x := &testCA{T: t, dir: t.TempDir()}
	x.Config = Config{
		Keys: &cadir.Keys{Folder: cadir.Folder{Dir: x.dir}, Host: config.Host{Now: time.Now}},
		Warn: func(text string) { x.warnings = append(x.warnings, text) },
	}
	return x
}

func (x *testCA) path(name string) string { return filepath.Join(x.dir, name) }

func (x *testCA) key(authority string) *cadir.NewKey {
	x.Helper()
	key, err := x.Keys.Begin(x.Context(), cadir.KeyRequest{Authority: authority, Generate: newKey})
	if err != nil {
		x.Fatal(err)
	}
	return key
}

func authorityConfig(name string, pathLength int) ca.AuthorityConfig {
	return ca.AuthorityConfig{Subject: pkix.Name{CommonName: name}, Lifetime: 365 * 24 * time.Hour, MaxPathLen: pathLength}
}

func (x *testCA) found() *x509.Certificate {
	x.Helper()
	key := x.key("ca")
	root, err := ca.PrepareRoot(key, authorityConfig("root", -1), time.Now())
	if err != nil {
		x.Fatal(err)
	}
	cert, err := Found(x.Context(), x.Config, key, root)
	if err != nil {
		x.Fatal(err)
	}
	return cert
}

func (x *testCA) open() *CA {
	x.Helper()
	c, err := Open(x.Context(), x.Config, ledger.Options{})
	if err != nil {
		x.Fatal(err)
	}
	x.Cleanup(func() {
		if err := c.Close(); err != nil {
			x.Error(err)
		}
	})
	return c
}

// TestFound: a new CA can be opened, and no other can be created over it.
func TestFound(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	if err := CheckVacant(t.Context(), x.Config); err != nil {
		t.Fatal(err)
	}
	cert := x.found()
	taken := CheckVacant(t.Context(), x.Config)
	if e, ok := errors.AsType[*OccupiedError](taken); !ok || e.Folder != x.Keys.Folder.Dir || !errors.Is(taken, fs.ErrExist) {
		t.Errorf("there is a CA: %v", taken)
	}
	a, err := x.open().Authority(t.Context(), "")
	if err != nil || !a.Certificate().Equal(cert) || len(x.warnings) > 0 {
		t.Errorf("%v, %q", err, x.warnings)
	}
}

// TestFound_occupied: if the ledger belongs to another CA, the new key is removed.
func TestFound_occupied(t *testing.T) {
	t.Parallel()
	other, x := newTestCA(t), newTestCA(t)
	other.found()
	if err := os.WriteFile(x.path(cadir.SettingsName), []byte("ledger: "+other.path("ledger.db")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	key := x.key("ca")
	root, err := ca.PrepareRoot(key, authorityConfig("root", -1), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	_, err = Found(t.Context(), x.Config, key, root)
	if _, ok := errors.AsType[*issuance.OccupiedError](err); !ok {
		t.Error(err)
	}
	for _, name := range []string{"ca.key", "ca.pem"} {
		if _, err := os.Lstat(x.path(name)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := other.open().Authority(t.Context(), "ca"); err != nil {
		t.Errorf("the other CA: %v", err)
	}
}

// TestOpen_lost: the error names what is missing.
func TestOpen_lost(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	_, err := Open(t.Context(), x.Config, ledger.Options{})
	if unusable, ok := errors.AsType[*cadir.UnusableError](err); !ok || !unusable.Absent || unusable.NoKey {
		t.Errorf("nothing there: %v", err)
	}
	cert := x.found()

	x.remove("ca.pem")
	if _, err := x.open().Authority(t.Context(), "ca"); err != nil {
		t.Error(err)
	}
	if again, err := cadir.ReadCertificate(x.path("ca.pem")); err != nil || !again.Equal(cert) || !slices.ContainsFunc(x.warnings, func(w string) bool { return strings.Contains(w, "was written again") }) {
		t.Errorf("%v, %q", err, x.warnings)
	}

	if err := os.Rename(x.path("ca.key"), x.path("kept")); err != nil {
		t.Fatal(err)
	}
	c := x.open()
	_, err = c.Issuer(t.Context(), "")
	if unusable, ok := errors.AsType[*cadir.UnusableError](err); !ok || !unusable.NoKey {
		t.Errorf("no key: %v", err)
	}
	if err := c.CheckHasKey("ca"); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no key: %v", err)
	}
	if err := os.Rename(x.path("kept"), x.path("ca.key")); err != nil {
		t.Fatal(err)
	}

	x.remove("ledger.db", "ledger.db-wal", "ledger.db-shm")
	_, err = Open(t.Context(), x.Config, ledger.Options{})
	if _, ok := errors.AsType[*ledger.MissingError](err); !ok {
		t.Errorf("no ledger: %v", err)
	}
	x.remove("ca.pem")
	if _, ok := errors.AsType[*InterruptedError](CheckVacant(t.Context(), x.Config)); !ok {
		t.Error("a key alone is not told from a CA")
	}
}

func (x *testCA) remove(names ...string) {
	x.Helper()
	for _, name := range names {
		if err := os.Remove(x.path(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			x.Fatal(err)
		}
	}
}

// TestAddIntermediate: a run after one that was interrupted gets the same certificate.
func TestAddIntermediate(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.open()
	parent, err := c.Issuing(t.Context(), "ca")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckNewName(t.Context(), "sub"); err != nil {
		t.Fatal(err)
	}
	prepared := func(key *cadir.NewKey) *ca.Prepared {
		p, err := parent.PrepareCA(key.Public(), authorityConfig("sub", 0), time.Now())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	first := x.key("sub")
	cert, err := c.IssueCA(t.Context(), first, prepared(first))
	if err != nil {
		t.Fatal(err)
	}
	again := x.key("sub")
	if !again.Resumed || !strings.HasPrefix(again.Outcome(), "went on with the key in ") {
		t.Errorf("another key: %s", again.Outcome())
	}
	a, err := c.AddIntermediate(t.Context(), ledger.Authority{Name: "sub", Parent: "ca"}, again, prepared(again), false)
	if err != nil || !a.Certificate.Equal(cert) || !a.Issuing {
		t.Errorf("%+v, %v", a, err)
	}
	if written, err := cadir.ReadCertificate(x.path("sub.pem")); err != nil || !written.Equal(cert) {
		t.Errorf("sub.pem: %v", err)
	}
	if err := c.CheckNewName(t.Context(), "sub"); err == nil {
		t.Error("a name was given twice")
	}
}

// TestCheckBackup: a backup of another CA is refused, one of this CA is not.
func TestCheckBackup(t *testing.T) {
	t.Parallel()
	one, other := newTestCA(t), newTestCA(t)
	one.found()
	other.found()
	o := ledger.Options{Now: time.Now}
	if err := CheckBackup(t.Context(), one.Keys.Folder, one.path("ledger.db"), o); err != nil {
		t.Error(err)
	}
	err := CheckBackup(t.Context(), one.Keys.Folder, other.path("ledger.db"), o)
	if _, ok := errors.AsType[*OtherCAError](err); !ok {
		t.Errorf("another CA: %v", err)
	}
	err = CheckBackup(t.Context(), one.Keys.Folder, one.path("none.db"), o)
	if missing, ok := errors.AsType[*ledger.MissingError](err); !ok || !missing.Backup {
		t.Errorf("no backup: %v", err)
	}
}
