package hostdir

import (
	"os"
	"path/filepath"
	"testing"
)

// TestBefore: only files behind the link have one before, and it is that of the pair with the next lower
// number.
func TestBefore(t *testing.T) {
	base := t.TempDir()
	for dir, pairs := range map[string][]string{
		"web": {"pair-1", "pair-3", "pair-7", "pair-9", "pair-x", "renew-1"}, "first": {"pair-1", "pair-2"}, "away": {"pair-1"}, "none": {"pair-1", "pair-2"},
	} {
		for _, pair := range pairs {
			if err := os.MkdirAll(filepath.Join(base, dir, pair), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	for dir, target := range map[string]string{"web": "pair-7", "first": "pair-1", "away": "../web/pair-7"} {
		if err := os.Symlink(target, filepath.Join(base, dir, CurrentName)); err != nil {
			t.Fatal(err)
		}
	}
	for path, want := range map[string]string{
		"web/current/leaf.pem": "web/pair-3/leaf.pem", "web//current/./leaf.key": "web/pair-3/leaf.key", "web/../web/current/x": "web/pair-3/x",
		"web/pair-7/leaf.pem": "", "web/current": "", "web/current/deep/leaf.pem": "", "first/current/leaf.pem": "", "away/current/leaf.pem": "",
		"none/current/leaf.pem": "", "nosuch/current/leaf.pem": "", "current/leaf.pem": "",
	} {
		got, ok := Before(base + "/" + path)
		if want != "" {
			want = filepath.Join(base, want)
		}
		if ok != (want != "") || got != want {
			t.Errorf("%s: %q, %t", path, got, ok)
		}
	}
	for _, text := range []string{"", "-", "env:CERT", "fd:3", "pkcs11:token=a;object=current/leaf"} {
		if got, ok := Before(text); ok {
			t.Errorf("%q: %q", text, got)
		}
	}
	t.Chdir(filepath.Join(base, "web"))
	if got, ok := Before("current/leaf.pem"); !ok || got != "pair-3/leaf.pem" {
		t.Errorf("a relative path: %q, %t", got, ok)
	}
}
