package config

import (
	"crypto/x509"
	"net/http"
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
	bundle, err := CABundle(flag)
	if err != nil {
		return nil, err
	}
	return bundle.Roots()
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
		{filepath.Join(dir, "empty"), "", "--ca-bundle: " + dir + "/empty holds no PEM certificate"},
		{"", filepath.Join(dir, "broken"), "AWS_CA_BUNDLE: " + dir + "/broken holds no PEM certificate"},
		{filepath.Join(dir, "none"), filepath.Join(dir, "empty"), "--ca-bundle: open " + dir + "/none: no such file or directory"},
		{dir, "", "--ca-bundle: read " + dir + ": is a directory"},
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

func TestProxy(t *testing.T) {
	request, err := http.NewRequest("POST", "https://example.com", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, flag := range []string{"http://proxy:3128", "https://user:secret@proxy", "socks5://proxy:1080"} {
		proxy, err := Proxy(flag, false)
		if err != nil {
			t.Fatal(err)
		}
		if u, err := proxy(request); err != nil || u.String() != flag {
			t.Errorf("%s leads to %v, %v", flag, u, err)
		}
	}
	if proxy, err := Proxy("", false); proxy != nil || err != nil {
		t.Errorf("a proxy by default: %v", err)
	}
	if proxy, err := Proxy("", true); proxy == nil || err != nil {
		t.Errorf("no proxy from the environment: %v", err)
	}
	for _, flag := range []string{"proxy:3128", "ftp://user:secret@proxy", "http://user:sec ret@proxy", "/secret"} {
		_, err := Proxy(flag, false)
		if err == nil || !strings.HasPrefix(err.Error(), "--proxy: ") || strings.Contains(err.Error(), "sec") && !strings.Contains(err.Error(), "scheme") {
			t.Errorf("%s: %v", flag, err)
		}
	}
}

func TestProxy_environment(t *testing.T) {
	for _, tt := range []struct{ variable, value, want string }{
		{"HTTPS_PROXY", "http://user:secret@proxy:3128", ""},
		{"HTTPS_PROXY", "proxy:3128", ""},
		{"https_proxy", "10.0.0.1:3128", ""},
		{"HTTP_PROXY", "socks5://proxy", ""},
		{"HTTPS_PROXY", "http://user:sec ret@proxy", "--with-proxy: HTTPS_PROXY: not a URL like http://proxy.example.com:3128"},
		{"https_proxy", "http://user:secret@proxy:port", "--with-proxy: https_proxy: not a URL like http://proxy.example.com:3128"},
		{"HTTP_PROXY", "http://:3128", "--with-proxy: HTTP_PROXY: not a URL like http://proxy.example.com:3128"},
		{"http_proxy", "ftp://user:secret@proxy", "--with-proxy: http_proxy: the scheme must be http, https or socks5"},
	} {
		t.Run(tt.variable, func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			_, err := Proxy("", true)
			if err == nil && tt.want != "" || err != nil && err.Error() != tt.want {
				t.Errorf("%s: got %v, want %s", tt.value, err, tt.want)
			}
		})
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
