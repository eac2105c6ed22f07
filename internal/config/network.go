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

// RootCAs returns the certificates that may vouch for the service: those of --ca-bundle, else of
// AWS_CA_BUNDLE, else nil, which means the system's. As with the AWS CLI, a bundle replaces
// the system's certificates.
func RootCAs(flag string) (*x509.CertPool, error) {
	in, err := ParseInput(flag)
	if err != nil {
		return nil, &FlagError{Flag: "ca-bundle", Err: err}
	}
	if in.IsZero() {
		if path := os.Getenv("AWS_CA_BUNDLE"); path != "" {
			in = Input{kind: fileInput, value: path}
		}
	}
	if in.IsZero() {
		return nil, nil
	}
	if in.onlyOnce() {
		return nil, flagErrorf("ca-bundle", "needs a file: %s is for keys and certificates", in.Name())
	}
	data, err := in.read(nil, maxBundle)
	if err != nil {
		return nil, bundleError(flag, err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(data) {
		return nil, bundleError(flag, errors.New(in.Name()+" holds no PEM certificate"))
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

func bundleError(flag string, err error) error {
	if flag == "" {
		return &BundleError{Setting: "AWS_CA_BUNDLE", Err: err}
	}
	return &BundleError{Setting: "--ca-bundle", Err: err}
}

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
