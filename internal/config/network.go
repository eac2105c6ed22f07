package config

import (
	"crypto/x509"
	"fmt"

	"kedge/signer/keyfile"
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
func CABundle(flag string, env Environment) (Bundle, error) {
	in, err := ParseInput(flag)
	if err != nil {
		return Bundle{}, &FlagError{Flag: "ca-bundle", Err: err}
	}
	if in.onlyOnce() {
		return Bundle{}, flagErrorf("ca-bundle", "needs a file: %s is for keys and certificates", in.Name())
	}
	if path, _ := env.Lookup("AWS_CA_BUNDLE"); in.IsZero() && path != "" {
		return Bundle{Input{kind: fileInput, value: path}, "AWS_CA_BUNDLE"}, nil
	}
	return Bundle{in, "--ca-bundle"}, nil
}

// Setting describes where the bundle is and what names it; empty: none is named.
func (b Bundle) Setting() string {
	if b.file.IsZero() {
		return ""
	}
	return b.setting + " " + b.file.Name()
}

// Roots reads the bundle; nil means the system's certificates. unread lists the certificates in it that
// cannot be read, and are left out. The error is a *BundleError.
func (b Bundle) Roots() (pool *x509.CertPool, unread []string, err error) {
	if b.file.IsZero() {
		return nil, nil, nil
	}
	data, err := b.file.read(nil, maxBundle)
	if err != nil {
		return nil, nil, &BundleError{b.setting, err}
	}
	found, err := keyfile.Read(data, nil, keyfile.Certificates)
	if err != nil {
		return nil, nil, &BundleError{b.setting, fmt.Errorf("%s: %w", b.file.Name(), err)}
	}
	pool = x509.NewCertPool()
	for _, cert := range found.Certificates {
		pool.AddCert(cert)
	}
	for _, u := range found.Unreadable {
		unread = append(unread, fmt.Sprintf("certificate %d in %s cannot be read: %s", u.Number, b.file.Name(), u.Reason))
	}
	return pool, unread, nil
}

// BundleError is a CA bundle that cannot be used. Setting is where its path came from.
type BundleError struct {
	Setting string // "--ca-bundle" or "AWS_CA_BUNDLE"
	Err     error
}

func (e *BundleError) Error() string { return e.Setting + ": " + e.Err.Error() }
func (e *BundleError) Unwrap() error { return e.Err }
