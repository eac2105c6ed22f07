package enrollclient

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"

	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/hostdir"
	"kedge/signer"
)

// TestRenew_combined: where there are no links, the commands of kedge use one file, before a renewal and
// after it.
func TestRenew_combined(t *testing.T) {
	s := enrolltest.New(t)
	dir := filepath.Join(t.TempDir(), "web-01")
	if err := errors.Join(os.Mkdir(dir, 0o700), os.WriteFile(filepath.Join(dir, "current.pem"), []byte("pair-1\n"), 0o600)); err != nil {
		t.Fatal(err)
	}
	e := enrolling(t, s, dir)
	e.Force = true // there is no pair yet
	if _, err := Enroll(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	var last *signer.Identity
	for round := range 3 {
		if round > 0 {
			if got, err := Renew(t.Context(), at(dir, time.Duration(round)*19*time.Hour)); err != nil || !got.Done {
				t.Fatalf("%+v, %v", got, err)
			}
		}
		certificate, _ := hostdir.Files(dir)
		id, err := signer.Load(signer.Files{Certificate: signer.File(certificate), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		if last != nil && last.Leaf().Equal(id.Leaf()) {
			t.Error("the certificate is the old one")
		}
		last = id
		if _, err := os.Lstat(filepath.Join(dir, hostdir.CurrentName)); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("there is a link: %v", err)
		}
	}
	pair, err := hostdir.Current(dir)
	if err != nil {
		t.Fatal(err)
	}
	pair.Record.AWS = settings("111122223333")
	flags := RoleFlags(dir, pair)
	if flags[1] != filepath.Join(dir, "current.pem") || flags[2] != "--trust-anchor-arn" {
		t.Errorf("the flags are %q", flags)
	}
}
