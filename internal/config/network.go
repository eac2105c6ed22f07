package config

import (
	"crypto/x509"
	"errors"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// maxBundle bounds a file of CA certificates; what systems ship is about 250 KiB.
const maxBundle = 8 << 20

// Bundle is a file of CA certificates that may vouch for the service; the zero Bundle means
// the system's.
type Bundle struct {
	file    Input
	setting string // where its path came from
}

// CABundle returns the bundle of --ca-bundle, else of AWS_CA_BUNDLE. As with the AWS CLI, it
// replaces the system's certificates. Nothing is read yet: to parse a bundle takes longer than
// all the rest of a short run.
func CABundle(flag string) (Bundle, error) {
	in, err := ParseInput(flag)
	if err != nil {
		return Bundle{}, &FlagError{Flag: "ca-bundle", Err: err}
	}
	if in.onlyOnce() {
		return Bundle{}, flagErrorf("ca-bundle", "needs a file: %s is for keys and certificates", in.Name())
	}
	if path := os.Getenv("AWS_CA_BUNDLE"); in.IsZero() && path != "" {
		return Bundle{Input{kind: fileInput, value: path}, "AWS_CA_BUNDLE"}, nil
	}
	return Bundle{in, "--ca-bundle"}, nil
}

// Roots reads the bundle; nil means the system's certificates. The error is a *BundleError.
func (b Bundle) Roots() (*x509.CertPool, error) {
	if b.file.IsZero() {
		return nil, nil
	}
	data, err := b.file.read(nil, maxBundle)
	if err != nil {
		return nil, &BundleError{b.setting, err}
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, &BundleError{b.setting, errors.New(b.file.Name() + " holds no PEM certificate")}
	}
	return pool, nil
}

// BundleError is a CA bundle that cannot be used. Setting says where its path came from.
type BundleError struct {
	Setting string // "--ca-bundle" or "AWS_CA_BUNDLE"
	Err     error
}

func (e *BundleError) Error() string { return e.Setting + ": " + e.Err.Error() }
func (e *BundleError) Unwrap() error { return e.Err }

// Proxy returns how requests find their proxy: the URL of --proxy, the environment with
// --with-proxy, else nil: no proxy, whatever the environment says, as the official helper has it.
func Proxy(flag string, fromEnvironment bool) (func(*http.Request) (*url.URL, error), error) {
	switch {
	case flag != "" && fromEnvironment:
		return nil, flagErrorf("proxy", "cannot be used together with --with-proxy")
	case fromEnvironment:
		return http.ProxyFromEnvironment, checkProxyVariables()
	case flag == "":
		return nil, nil
	}
	u, err := parseProxy(flag)
	if err != nil {
		return nil, &FlagError{Flag: "proxy", Err: err}
	}
	return http.ProxyURL(u), nil
}

// parseProxy reads the address of a proxy. No error quotes it: it may hold a password.
func parseProxy(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" {
		return nil, errors.New("not a URL like http://proxy.example.com:3128")
	}
	switch u.Scheme {
	case "http", "https", "socks5", "socks5h":
		return u, nil
	}
	return nil, errors.New("the scheme must be http, https or socks5")
}

// checkProxyVariables refuses what http.ProxyFromEnvironment passes over in silence, and
// would go around the proxy.
func checkProxyVariables() error {
	for _, name := range [...]string{"HTTPS_PROXY", "https_proxy", "HTTP_PROXY", "http_proxy"} {
		value := os.Getenv(name)
		if value == "" {
			continue
		}
		if !strings.Contains(value, "://") {
			value = "http://" + value
		}
		if _, err := parseProxy(value); err != nil {
			return flagErrorf("with-proxy", "%s: %w", name, err)
		}
	}
	return nil
}

// ProxyVariable returns the name of the environment variable that sets a proxy for HTTPS, or
// an empty string: for advice when a connection fails and --with-proxy was not given.
func ProxyVariable() string {
	for _, name := range []string{"HTTPS_PROXY", "https_proxy"} {
		if os.Getenv(name) != "" {
			return name
		}
	}
	return ""
}
