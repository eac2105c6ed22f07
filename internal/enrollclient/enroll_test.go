package enrollclient

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/hostdir"
	"kedge/internal/keys"
	"kedge/signer"
)

// fileKeys makes and opens keys of a type in files.
func fileKeys(kind string) Keys {
	return Keys{
		Place: enrollapi.InFile, Type: kind,
		Create: func(ctx context.Context, path string) error {
			_, err := keys.Create(ctx, "", keys.CreateOptions{Type: kind, Out: path})
			return err
		},
		Open: func(ctx context.Context, name string) (Key, error) { return keys.Open(ctx, name, keys.Options{}) },
	}
}

// hashed compares bytes in messages.
func hashed(der []byte) [32]byte { return sha256.Sum256(der) }

func ofRecord(r hostdir.Record) (Keys, error) { return fileKeys(r.KeyType), nil }

func connection() Connection { return Connection{Now: time.Now, Version: "1.2.3"} }

func enrolling(t testing.TB, s *enrolltest.Server, dir string) Enrolling {
	t.Helper()
	return Enrolling{Connection: connection(), Token: s.Token(t), Name: "web-01", Dir: dir, Keys: fileKeys("P-256")}
}

// enrolled enrolls a host.
func enrolled(t testing.TB, s *enrolltest.Server) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "web-01")
	if _, err := Enroll(t.Context(), enrolling(t, s, dir)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// checkUsable checks that the files of the current pair work as kedge's commands use them.
func checkUsable(t *testing.T, dir string) *signer.Identity {
	t.Helper()
	id, err := signer.Load(signer.Files{
		Certificate: signer.File(filepath.Join(dir, "current", "leaf.pem")), PrivateKey: signer.File(filepath.Join(dir, "current", "leaf.key")), Now: time.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func TestEnroll(t *testing.T) {
	s := enrolltest.New(t)
	dir := filepath.Join(t.TempDir(), "hosts", "web-01")
	e := enrolling(t, s, dir)
	got, err := Enroll(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if got.Already || got.Resumed || got.Dir != dir || got.Pair.Record.Name != "web-01" || got.Pair.Record.Token != e.Token.IDText() {
		t.Errorf("got %+v", got)
	}
	if leaf := checkUsable(t, dir).Leaf(); !leaf.Equal(got.Pair.Leaf) {
		t.Error("another certificate is in use")
	}
	again, err := Enroll(t.Context(), e)
	if err != nil || !again.Already || s.Issued != 1 || len(s.Asked) != 1 {
		t.Errorf("again: %+v, %v, %d certificates", again, err, s.Issued)
	}
	e.Force, e.Token = true, s.Token(t)
	if forced, err := Enroll(t.Context(), e); err != nil || forced.Already || s.Issued != 2 {
		t.Errorf("with force: %+v, %v", forced, err)
	}
	if after := checkUsable(t, dir).Leaf(); after.Equal(got.Pair.Leaf) {
		t.Error("the old certificate is in use")
	}
}

// Without a name the server chooses it, and the folder has that name.
func TestEnroll_serverChooses(t *testing.T) {
	s := enrolltest.New(t)
	base := t.TempDir()
	e := enrolling(t, s, "")
	e.Name, e.Base = "", base
	got, err := Enroll(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if got.Dir != filepath.Join(base, "web-01") {
		t.Errorf("the folder is %s", got.Dir)
	}
	checkUsable(t, got.Dir)
	if left, err := os.ReadDir(base); err != nil || len(left) != 1 {
		t.Errorf("there are %v (%v)", left, err)
	}
	if again, err := Enroll(t.Context(), e); err != nil || !again.Already || again.Dir != got.Dir {
		t.Errorf("again: %+v, %v", again, err)
	}
	e.Token = s.Token(t)
	if _, err := Enroll(t.Context(), e); !errors.As(err, new(*NameTakenError)) {
		t.Errorf("another token for the same name: %v", err)
	}
	if leaf := checkUsable(t, got.Dir).Leaf(); !leaf.Equal(got.Pair.Leaf) {
		t.Error("the certificate in use was replaced")
	}
}

func TestEnroll_keys(t *testing.T) {
	for _, kind := range []string{"P-256", "P-384", "P-521", "RSA-2048", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"} {
		s := enrolltest.New(t)
		dir := filepath.Join(t.TempDir(), kind)
		e := enrolling(t, s, dir)
		e.Keys = fileKeys(kind)
		if _, err := Enroll(t.Context(), e); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		first := checkUsable(t, dir)
		if _, err := Renew(t.Context(), Renewing{Connection: connection(), Dir: dir, Force: true, Keys: ofRecord}); err != nil {
			t.Errorf("%s: %v", kind, err)
			continue
		}
		if second := checkUsable(t, dir); signer.KeyKind(second.Signer().Public()) != kind || second.Leaf().Equal(first.Leaf()) {
			t.Errorf("%s: the renewal has a %s key", kind, signer.KeyKind(second.Signer().Public()))
		}
	}
}

// A lost answer costs nothing: the next run has the same key, and gets the same certificate.
func TestEnroll_lostAnswer(t *testing.T) {
	s := enrolltest.New(t)
	dir := filepath.Join(t.TempDir(), "web-01")
	e := enrolling(t, s, dir)
	s.Lose = func(string) bool { return true }
	if _, err := Enroll(t.Context(), e); !errors.As(err, new(*UnreachableError)) {
		t.Errorf("got %v", err)
	}
	s.Lose = nil
	got, err := Enroll(t.Context(), e)
	if err != nil || !got.Resumed || s.Issued != 1 {
		t.Errorf("got %+v, %v, %d certificates", got, err, s.Issued)
	}
	checkUsable(t, dir)
}

// A key that the policy does not allow makes way for another one.
func TestEnroll_keyNotAllowed(t *testing.T) {
	s := enrolltest.New(t)
	dir := filepath.Join(t.TempDir(), "web-01")
	e := enrolling(t, s, dir)
	s.Refuse = func(string) error { return &enrollapi.Error{Code: enrollapi.KeyNotAllowed, Message: "too small"} }
	_, err := Enroll(t.Context(), e)
	if refusal, ok := errors.AsType[*enrollapi.Error](err); !ok || refusal.Code != enrollapi.KeyNotAllowed || !strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("got %v", err)
	}
	s.Refuse = nil
	if got, err := Enroll(t.Context(), e); err != nil || got.Resumed {
		t.Errorf("got %+v, %v", got, err)
	}
	// So does one of another type that an interrupted run left.
	dir = filepath.Join(t.TempDir(), "web-01")
	e = enrolling(t, s, dir)
	s.Lose = func(string) bool { return true }
	if _, err := Enroll(t.Context(), e); err == nil {
		t.Error("an answer came")
	}
	s.Lose = nil
	e.Keys, e.Token = fileKeys("P-384"), s.Token(t)
	if got, err := Enroll(t.Context(), e); err != nil || got.Resumed {
		t.Errorf("got %+v, %v", got, err)
	}
}

// Enrollment is stopped in front of each of its steps, as by kill -9, and run again: there is one
// certificate, and it is in use.
func TestEnroll_stopped(t *testing.T) {
	for _, named := range []bool{true, false} {
		for n := 1; ; n++ {
			s := enrolltest.New(t)
			base := t.TempDir()
			e := enrolling(t, s, "")
			e.Base = base
			if !named {
				e.Name = ""
			}
			count := n
			e.step = func(string) error {
				if count--; count <= 0 {
					return errStopped
				}
				return nil
			}
			_, err := Enroll(t.Context(), e)
			if err != nil && !errors.Is(err, errStopped) {
				t.Fatal(err)
			}
			finished := err == nil
			e.step = nil
			got, err := Enroll(t.Context(), e)
			if err != nil {
				t.Fatalf("after a stop at %d: %v", n, err)
			}
			checkUsable(t, got.Dir)
			if left, err := os.ReadDir(base); err != nil || len(left) != 1 {
				t.Errorf("after a stop at %d there are %v (%v)", n, left, err)
			}
			if s.Issued != 1 || s.Clones != 0 {
				t.Errorf("after a stop at %d there are %d certificates and %d clones", n, s.Issued, s.Clones)
			}
			if finished {
				if n < 12 {
					t.Errorf("there were only %d steps", n)
				}
				break
			}
		}
	}
}

var errStopped = errors.New("stopped")

func TestEnroll_badFolder(t *testing.T) {
	s := enrolltest.New(t)
	e := enrolling(t, s, "")
	e.Base = t.TempDir()
	for _, name := range []string{"..", ".", "/", "-"} {
		e.Dir, e.Name = "", name
		if name == "/" {
			continue // becomes "_"
		}
		if _, err := Enroll(t.Context(), e); !errors.As(err, new(*NameError)) {
			t.Errorf("%q: %v", name, err)
		}
	}
	e.Dir, e.Name = filepath.Join(e.Base, "file"), "web-01"
	if err := os.WriteFile(e.Dir, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Enroll(t.Context(), e); err == nil {
		t.Error("a file as the folder is taken")
	}
	if len(s.Asked) > 0 {
		t.Errorf("the server was asked %q", slices.Compact(s.Asked))
	}
}

// An enrollment that is forced has a new key, although the run before was killed between the switch to
// its key and the removal of what had been pending.
func TestEnroll_forcedAfterKill(t *testing.T) {
	s := enrolltest.New(t)
	e := enrolling(t, s, filepath.Join(t.TempDir(), "web-01"))
	killed := errors.New("killed")
	e.step = func(what string) error {
		if what == "remove enroll" {
			return killed
		}
		return nil
	}
	if _, err := Enroll(t.Context(), e); !errors.Is(err, killed) {
		t.Fatal(err)
	}
	before := checkUsable(t, e.Dir).Leaf()
	e.step, e.Force, e.Token = nil, true, s.Token(t)
	got, err := Enroll(t.Context(), e)
	if err != nil {
		t.Fatal(err)
	}
	if got.Resumed || checkUsable(t, e.Dir).Leaf().PublicKey.(*ecdsa.PublicKey).Equal(before.PublicKey) {
		t.Error("the key is the old one")
	}
}

// The end of an earlier certificate is none of the host that has enrolled anew, also if the state was not written
// since.
func TestEnrolled_Ended(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	s.Refuse = func(string) error { return &enrollapi.Error{Code: enrollapi.Revoked, Message: "no"} }
	if _, err := Renew(t.Context(), at(dir, 19*time.Hour)); err == nil {
		t.Fatal("it was renewed")
	}
	pair, err := hostdir.Current(dir)
	if err != nil {
		t.Fatal(err)
	}
	found := &Enrolled{Dir: dir, Pair: pair, Already: true}
	if ended, ok := errors.AsType[*EndedError](found.Ended()); !ok || ended.Name != pair.Record.Name || ended.Reason == "" || ended.At.IsZero() {
		t.Errorf("%+v", ended)
	}
	pair.Record.Serial = "another"
	if err := found.Ended(); err != nil {
		t.Error(err)
	}
}
