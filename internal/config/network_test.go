package config

import (
	"crypto/x509"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const someCA = `-----BEGIN CERTIFICATE-----
MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdUZXN0IENB
-----END CERTIFICATE-----
`

// roots reads the bundle of a flag.
func roots(flag string) (*x509.CertPool, error) {
	bundle, err := CABundle(flag, ProcessEnvironment())
	if err != nil {
		return nil, err
	}
	pool, _, err := bundle.Roots()
	return pool, err
}

func TestBundle_refusals(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{"empty": "", "broken": someCA} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct{ flag, variable, want string }{
		{filepath.Join(dir, "none"), "", "--ca-bundle: open " + dir + "/none: no such file or directory"},
		{filepath.Join(dir, "empty"), "", "--ca-bundle: " + dir + "/empty: it is empty"},
		{"", filepath.Join(dir, "broken"), "AWS_CA_BUNDLE: " + dir + "/broken: the block CERTIFICATE in it is cut short: lines are missing"},
		{filepath.Join(dir, "none"), filepath.Join(dir, "empty"), "--ca-bundle: open " + dir + "/none: no such file or directory"},
		{dir, "", "--ca-bundle: " + dir + " is a folder, not a file"},
		{"-", "", "--ca-bundle: needs a file: standard input is for keys and certificates"},
	}
	for _, tt := range tests {
		t.Setenv("AWS_CA_BUNDLE", tt.variable)
		if _, err := roots(tt.flag); err == nil || err.Error() != tt.want {
			t.Errorf("--ca-bundle %q with AWS_CA_BUNDLE=%q: %v", tt.flag, tt.variable, err)
		}
	}
	t.Setenv("AWS_CA_BUNDLE", "")
	if pool, err := roots(""); pool != nil || err != nil {
		t.Errorf("without setting: %v, %v", pool, err)
	}
}

func TestDescribeAccess(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "key")
	if err := os.WriteFile(path, nil, 0o400); err != nil {
		t.Fatal(err)
	}
	got := DescribeAccess(path)
	if !strings.HasPrefix(got, path+" has mode 0400 and belongs to ") || !strings.Contains(got, "; this process runs as ") {
		t.Errorf("got %q", got)
	}
	if got := DescribeAccess(filepath.Join(dir, "none")); got != "" {
		t.Errorf("a missing file: %q", got)
	}
}
