package hostdir

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/enrollapi"
)

const lockTimeout = 10 * time.Second

// certificate makes a self-signed one.
func certificate(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func open(t *testing.T, path string) *Folder {
	t.Helper()
	f, err := Create(t.Context(), path, Access{}, lockTimeout)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(f.Close)
	return f
}

// pairFor makes what Switch takes, with a pending key that has the name of the pair as its text.
func pairFor(t *testing.T, pending Pending, name string) Pair {
	t.Helper()
	p, err := prepare(pending, certificate(t, name), certificate(t, "root"))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func prepare(pending Pending, leaf, root *x509.Certificate) (Pair, error) {
	there, err := pending.Exists()
	if err == nil && !there {
		err = pending.Make(func(path string) error { return os.WriteFile(path, []byte(leaf.Subject.CommonName), 0o600) })
	}
	return Pair{
		KeyFile: pending.KeyFile(), Leaf: leaf, Chain: []*x509.Certificate{root}, Bundle: []*x509.Certificate{root},
		Record: Record{Server: "https://ca", CAKey: "00", Name: leaf.Subject.CommonName, Renew: enrollapi.Window{After: 60, Before: 90}},
	}, err
}

// checkCurrent checks that the pair in use is whole, and returns its name.
func checkCurrent(t *testing.T, path string) string {
	t.Helper()
	p, err := Current(path)
	if err != nil {
		t.Fatal(err)
	}
	key, err := os.ReadFile(filepath.Join(path, "current", KeyName))
	if err != nil {
		t.Fatal(err)
	}
	if own, err := os.ReadFile(p.KeyFile); err != nil || string(own) != string(key) {
		t.Errorf("the key file of the pair has %q (%v), that of the link %q", own, err, key)
	}
	name := p.Leaf.Subject.CommonName
	if string(key) != name || p.Record.Name != name || len(p.Chain) != 1 || len(p.Bundle) != 1 {
		t.Errorf("the pair is mixed: key %q, certificate %q, record %q", key, name, p.Record.Name)
	}
	return name
}

func names(t *testing.T, path string) []string {
	t.Helper()
	entries, err := os.ReadDir(path)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for _, e := range entries {
		out = append(out, e.Name())
	}
	return out
}

func TestSwitch(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "hosts", "web-01")
	if _, err := Current(dir); !errors.As(err, new(*NotEnrolledError)) {
		t.Errorf("without a folder: %v", err)
	}
	f := open(t, dir)
	if _, err := f.Current(); !errors.As(err, new(*NotEnrolledError)) {
		t.Errorf("in an empty folder: %v", err)
	}
	if err := f.Switch(pairFor(t, f.Enrollment(), "first"), Access{}); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"second", "third", "fourth"} {
		before, err := f.Current()
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Switch(pairFor(t, f.Renewal(before.Leaf), name), Access{}); err != nil {
			t.Fatal(err)
		}
		if got := checkCurrent(t, dir); got != name {
			t.Errorf("current is %s, want %s", got, name)
		}
	}
	if got := names(t, dir); !slices.Equal(got, []string{"current", "lock", "pair-3", "pair-4"}) {
		t.Errorf("the folder has %q", got)
	}
	if info, err := os.Stat(filepath.Join(dir, "current", KeyName)); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the key has mode %v (%v)", info.Mode(), err)
	}
}

var errStopped = errors.New("stopped")

// stopAt ends a process in front of its nth change.
func stopAt(n int) func(string) error {
	return func(string) error {
		if n--; n <= 0 {
			return errStopped
		}
		return nil
	}
}

// A run that is killed in front of any change leaves a whole pair, or none if there was none, and the
// next run goes on with the same key.
func TestSwitch_stopped(t *testing.T) {
	root := certificate(t, "root")
	for _, enrolled := range []bool{false, true} {
		for n := 1; ; n++ {
			dir := filepath.Join(t.TempDir(), "web-01")
			f := open(t, dir)
			want := "fresh"
			if enrolled {
				for _, name := range []string{"older", "old"} {
					if err := f.Switch(pairFor(t, f.Enrollment(), name), Access{}); err != nil {
						t.Fatal(err)
					}
				}
			}
			f.Watch(stopAt(n))
			leaf := certificate(t, want)
			p, err := prepare(f.Enrollment(), leaf, root)
			if err == nil {
				err = f.Switch(p, Access{})
			}
			if err != nil && !errors.Is(err, errStopped) {
				t.Fatal(err)
			}
			finished := err == nil
			f.Close()
			switch _, err := Current(dir); {
			case err == nil:
				if got := checkCurrent(t, dir); got != want && got != "old" {
					t.Errorf("stopped at %d: current is %s", n, got)
				}
			case enrolled || !errors.As(err, new(*NotEnrolledError)):
				t.Errorf("stopped at %d: %v", n, err)
			}
			f = open(t, dir)
			if p, err = prepare(f.Enrollment(), leaf, root); err != nil {
				t.Fatal(err)
			}
			if err := f.Switch(p, Access{}); err != nil {
				t.Fatalf("after a stop at %d: %v", n, err)
			}
			if got := checkCurrent(t, dir); got != want {
				t.Errorf("after a stop at %d current is %s", n, got)
			}
			if left := names(t, dir); len(left) > 4 || slices.Contains(left, "enroll") {
				t.Errorf("after a stop at %d there are %q", n, left)
			}
			if finished {
				if n < 10 {
					t.Errorf("there were only %d changes", n)
				}
				break
			}
		}
	}
}

// Readers that open the files while pairs are switched never see two halves.
func TestSwitch_readers(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web-01")
	f := open(t, dir)
	if err := f.Switch(pairFor(t, f.Enrollment(), "pair 0"), Access{}); err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 {
			p, err := Current(dir)
			if err == nil {
				_, err = os.Stat(p.KeyFile)
			}
			if err != nil && !errors.Is(err, fs.ErrNotExist) || err == nil && p.Record.Name != p.Leaf.Subject.CommonName {
				t.Errorf("a reader sees %v", err)
				return
			}
		}
	}()
	for i := range 30 {
		if err := f.Switch(pairFor(t, f.Enrollment(), "pair "+strings.Repeat("i", i)), Access{}); err != nil {
			t.Fatal(err)
		}
	}
	<-done
}

func TestCurrent_damaged(t *testing.T) {
	for name, damage := range map[string]func(dir string) error{
		"link out of the folder": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "current")), os.Symlink("../pair-1", filepath.Join(dir, "current")))
		},
		"folder instead of the link": func(dir string) error {
			return errors.Join(os.Remove(filepath.Join(dir, "current")), os.Mkdir(filepath.Join(dir, "current"), 0o700))
		},
		"link to nothing": func(dir string) error { return os.RemoveAll(filepath.Join(dir, "pair-1")) },
		"no record":       func(dir string) error { return os.Remove(filepath.Join(dir, "current", recordName)) },
		"empty record":    func(dir string) error { return os.WriteFile(filepath.Join(dir, "current", recordName), nil, 0o600) },
		"other version":   func(dir string) error { return rewrite(dir, recordName, `"schema": 1`, `"schema": 2`) },
		"no server":       func(dir string) error { return rewrite(dir, recordName, "https://ca", "") },
		"no certificate":  func(dir string) error { return rewrite(dir, CertificateName, "CERTIFICATE", "CERT") },
		"damaged":         func(dir string) error { return rewrite(dir, CertificateName, "MII", "AAA") },
		"no bundle":       func(dir string) error { return os.Remove(filepath.Join(dir, "current", BundleName)) },
		"record is a folder": func(dir string) error {
			p := filepath.Join(dir, "current", recordName)
			return errors.Join(os.Remove(p), os.Mkdir(p, 0o700))
		},
	} {
		dir := filepath.Join(t.TempDir(), "web-01")
		f := open(t, dir)
		if err := f.Switch(pairFor(t, f.Enrollment(), "x"), Access{}); err != nil {
			t.Fatal(err)
		}
		if err := damage(dir); err != nil {
			t.Fatal(err)
		}
		_, err := Current(dir)
		if err == nil || strings.Contains(err.Error(), "x509:") || strings.Contains(err.Error(), "asn1") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func rewrite(dir, name, from, to string) error {
	path := filepath.Join(dir, "current", name)
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return os.WriteFile(path, []byte(strings.ReplaceAll(string(data), from, to)), 0o600)
}

func TestState(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web-01")
	f := open(t, dir)
	if got := ReadState(dir); got != (State{}) {
		t.Errorf("no state reads as %+v", got)
	}
	want := State{LastTry: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC), Failures: 3, Error: "x"}
	if err := f.WriteState(want, Access{}); err != nil {
		t.Fatal(err)
	}
	if got := ReadState(dir); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if err := os.WriteFile(filepath.Join(dir, stateName), []byte("{"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := ReadState(dir); got != (State{}) {
		t.Errorf("a damaged state reads as %+v", got)
	}
}

// Whatever is left after a removal that was stopped, another one finishes it; the state goes last.
func TestRemove_stopped(t *testing.T) {
	for n := 1; ; n++ {
		dir := filepath.Join(t.TempDir(), "web-01")
		f := open(t, dir)
		if err := f.Switch(pairFor(t, f.Enrollment(), "x"), Access{}); err != nil {
			t.Fatal(err)
		}
		if err := f.WriteState(State{Removing: "0a"}, Access{}); err != nil {
			t.Fatal(err)
		}
		f.Watch(stopAt(n))
		err := f.Remove()
		f.Close()
		if err == nil {
			break
		}
		if _, err := Current(dir); err != nil && !errors.As(err, new(*NotEnrolledError)) && ReadState(dir).Removing != "0a" {
			t.Errorf("stopped at %d: nothing says that the files are being removed", n)
		}
		if err := open(t, dir).Remove(); err != nil {
			t.Errorf("stopped at %d: %v", n, err)
		}
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("stopped at %d: %q is left", n, names(t, dir))
		}
	}
}

func TestRemove_otherFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "web-01")
	f := open(t, dir)
	if err := os.WriteFile(filepath.Join(dir, "notes"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := f.Remove(); err != nil {
		t.Fatal(err)
	}
	if got := names(t, dir); !slices.Equal(got, []string{"notes"}) {
		t.Errorf("the folder has %q", got)
	}
}
