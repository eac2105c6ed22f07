package hostdir

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCreate_aboveHost: no identity is made where its renewals would remove another host, whose folder has the name of
// something that is ours; hosts of other names below it stay possible.
func TestCreate_aboveHost(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"enroll", "pair-2", "renew-00", "enroll/a/b", "pair-7/web"} {
		base := t.TempDir()
		host := filepath.Join(base, name)
		if err := os.MkdirAll(filepath.Dir(host), 0o700); err != nil {
			t.Fatal(err)
		}
		f := open(t, host)
		if err := f.Switch(pairFor(t, f.Enrollment(), "web"), Access{}); err != nil {
			t.Fatal(err)
		}
		f.Close()
		_, err := Create(t.Context(), base, Access{}, lockTimeout)
		wrong, ok := errors.AsType[*FolderError](err)
		if !ok || wrong.Host != host || wrong.Error() != base+" has the folder of the enrolled host web in it, which an identity here would remove" {
			t.Errorf("%s: %v", name, err)
		}
		if got := names(t, base); len(got) != 1 {
			t.Errorf("%s: the folder has %q", name, got)
		}
		open(t, host).Close()
	}
	base := t.TempDir() // one that is private, as the folder of a host
	if err := os.Chmod(base, 0o700); err != nil {
		t.Fatal(err)
	}
	f := open(t, filepath.Join(base, "web-01"))
	if err := f.Switch(pairFor(t, f.Enrollment(), "web"), Access{}); err != nil {
		t.Fatal(err)
	}
	f.Close()
	open(t, base).Close()
}

// TestCreate_insideHost: what renewals of a host remove is no place for another identity, whatever way leads
// there, and nothing is made; folders beside, and other folders in it, stay possible.
func TestCreate_insideHost(t *testing.T) {
	base, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	host := filepath.Join(base, "h-01")
	f := open(t, host)
	if err := f.Switch(pairFor(t, f.Enrollment(), "web"), Access{}); err != nil {
		t.Fatal(err)
	}
	for link, target := range map[string]string{"way": "h-01", "deep": "h-01/current", "gone": "h-01/pair-9"} {
		if err := os.Symlink(target, filepath.Join(base, link)); err != nil {
			t.Fatal(err)
		}
	}
	before := names(t, host)
	for _, path := range []string{
		"h-01/current", "h-01/pair-1", "h-01/pair-2", "h-01/enroll", "h-01/renew-00", "h-01/current/a/b/c", "h-01/pair-3/a/b",
		"h-01/x/../current", "way/current", "way/pair-2/a", "deep", "deep/a", "way/../h-01/lock", "h-01/current.new/a", "h-01/current.pem",
	} {
		_, err := Create(t.Context(), base+"/"+path, Access{}, lockTimeout)
		wrong, ok := errors.AsType[*FolderError](err)
		want := filepath.Join(base, path) + " is inside the folder of the enrolled host web, which removes it at a renewal"
		if !ok || wrong.Host != host || wrong.Error() != want {
			t.Errorf("%s: %v", path, err)
		}
	}
	if after := names(t, host); strings.Join(after, " ") != strings.Join(before, " ") {
		t.Errorf("the folder has %q, and had %q", after, before)
	}
	if got := names(t, filepath.Join(host, "current")); strings.Join(got, " ") != "bundle.pem identity.json leaf.key leaf.pem" {
		t.Errorf("the pair has %q", got)
	}
	f.Close()
	for _, path := range []string{"h-02", "h-01", "pair-1", "current", "h-01/web", "h-01/web/pair-x", "plain/current/pair-1"} {
		open(t, filepath.Join(base, path)).Close()
	}
	t.Chdir(host)
	if _, err := Create(t.Context(), "current", Access{}, lockTimeout); !errors.As(err, new(*FolderError)) {
		t.Errorf("a relative path: %v", err)
	}
}
