package config

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
)

func TestParseCache(t *testing.T) {
	for _, tt := range []struct {
		flag, runtime string
		want          Cache
		err           string
	}{
		{"off", "/run/user/1000", Cache{}, ""},
		{"auto", "/run/user/1000", Cache{Dir: "/run/user/1000/kedge", Parent: "/run/user/1000"}, ""},
		{"auto", "", Cache{}, ""},
		{"auto", "run", Cache{}, ""},
		{"/var/cache/kedge/", "", Cache{Dir: "/var/cache/kedge"}, ""},
		{"./cache", "", Cache{Dir: "cache"}, ""},
		{"on", "", Cache{}, `--cache: "on" is neither auto nor off, and no path with a slash`},
		{"", "", Cache{}, `--cache: "" is neither auto nor off, and no path with a slash`},
		{"/a\x00b", "", Cache{}, `--cache: "/a\x00b" is neither auto nor off, and no path with a slash`},
	} {
		t.Setenv("XDG_RUNTIME_DIR", tt.runtime)
		got, err := ParseCache(tt.flag)
		if _, ok := errors.AsType[*FlagError](err); got != tt.want || ok != (tt.err != "") || ok && err.Error() != tt.err {
			t.Errorf("--cache %q with %q: %+v, %v", tt.flag, tt.runtime, got, err)
		}
	}
}

func TestCertificateHash(t *testing.T) {
	path := filepath.Join(t.TempDir(), "c.pem")
	if err := os.WriteFile(path, []byte("one"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("KEDGE_TEST_CERTIFICATE", "one")
	hash := func(certificate string) string {
		t.Helper()
		k, err := NewKeys(KeyFlags{Certificate: certificate})
		if err != nil {
			t.Fatal(err)
		}
		return k.CertificateHash()
	}
	one := hash(path)
	if len(one) != 64 || hash("file:"+path) != one || hash("env:KEDGE_TEST_CERTIFICATE") != one {
		t.Errorf("the same bytes have different hashes: %q", one)
	}
	if err := os.WriteFile(path, []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	if two := hash(path); two == one || len(two) != 64 {
		t.Errorf("another certificate has the hash %q", two)
	}
	for _, certificate := range []string{"-", "fd:9", "", path + ".none", t.TempDir()} {
		if got := hash(certificate); got != "" {
			t.Errorf("%q has the hash %q", certificate, got)
		}
	}
}
