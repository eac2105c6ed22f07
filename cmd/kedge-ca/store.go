package main

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/pkcs8"
	"kedge/signer"
)

// storeFlags say where the CA is and how its key is opened.
type storeFlags struct {
	dir      string
	password string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "ca", "`PATH` of the CA's folder, with ca.pem and ca.key")
	cmd.Flags().StringVar(&f.password, "key-password-from", "", "where the password of the CA's key is, as `REF`: PATH, fd:N, env:NAME, - (standard input) or prompt; asked on the terminal when not given")
}

func (f *storeFlags) certPath() string { return filepath.Join(f.dir, "ca.pem") }
func (f *storeFlags) keyPath() string  { return filepath.Join(f.dir, "ca.key") }

// keys checks the flags; nothing is read yet.
func (f *storeFlags) keys() (*config.Keys, error) {
	return config.NewKeys(config.KeyFlags{Certificate: "file:" + f.certPath(), PrivateKey: "file:" + f.keyPath(), PasswordFrom: f.password})
}

// caError says that the CA itself cannot be used.
type caError struct {
	error
	absent bool // a file of it is not there
}

func (e *caError) Unwrap() error { return e.error }

// open reads the CA. The key's password is asked for only if it is encrypted.
func (f *storeFlags) open(h host) (*ca.Authority, error) {
	authority, err := f.read(h)
	if err != nil {
		path, ok := errors.AsType[*fs.PathError](err)
		ours := ok && (path.Path == f.certPath() || path.Path == f.keyPath())
		return nil, &caError{err, ours && errors.Is(err, fs.ErrNotExist)}
	}
	return authority, nil
}

func (f *storeFlags) read(h host) (*ca.Authority, error) {
	keys, err := f.keys()
	if err != nil {
		return nil, err
	}
	data, err := signer.File(f.certPath()).Read()
	if err != nil {
		return nil, err
	}
	certs, err := signer.ParseCertificates(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.certPath(), err)
	}
	blob, password, err := keys.PrivateKey(h.inputs)
	if err != nil {
		return nil, err
	}
	if data, err = blob.Read(); err != nil {
		return nil, err
	}
	key, err := signer.ParsePrivateKey(data, password)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.keyPath(), err)
	}
	authority, err := ca.New(certs[0], key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s: %w", f.certPath(), f.keyPath(), err)
	}
	for _, warning := range keys.Warnings() {
		h.warn(warning)
	}
	return authority, nil
}

// create writes a new CA: the key first, since a certificate without key is of no use, and
// neither over something that is there.
func (f *storeFlags) create(authority *ca.Authority, key crypto.Signer, password []byte) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if password != nil {
		if block.Bytes, err = pkcs8.Encrypt(der, password); err != nil {
			return err
		}
		block.Type = "ENCRYPTED PRIVATE KEY"
		clear(der)
	}
	if err := atomicfile.Create(f.keyPath(), pem.EncodeToMemory(block), 0o600); err != nil {
		return err
	}
	if err := atomicfile.Create(f.certPath(), certPEM(authority.Certificate()), 0o644); err != nil {
		return errors.Join(err, os.Remove(f.keyPath()))
	}
	return nil
}

// vacant fails when one of the files is there already: a CA is never overwritten.
func vacant(paths ...string) error {
	for _, path := range paths {
		_, err := os.Lstat(path)
		if err == nil {
			return &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func certPEM(c *x509.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// advise is the table of what to do about an error.
func advise(err error) cli.Advice {
	advice := cli.Advice{Code: cli.ExitFailed}
	unusable, ok := errors.AsType[*caError](err)
	_, outOfDate := errors.AsType[*ca.ValidityError](err)
	if ok || outOfDate {
		advice.Code = cli.ExitKey
	}
	_, isRule := errors.AsType[*ca.RuleError](err)
	flag, isFlag := errors.AsType[*config.FlagError](err)
	switch {
	case isFlag:
		return cli.Advice{Code: cli.ExitUsage, Hint: fmt.Sprintf("run \"%s --help\" for what --%s takes", name, flag.Flag)}
	case isRule:
		advice.Hint = "IAM Roles Anywhere makes session tags of the names in a certificate and would refuse this one"
	case errors.Is(err, signer.ErrWrongPassword):
		advice.Hint = "check the password: one line ending at the end of a password file is left out, anything else counts"
	case errors.Is(err, signer.ErrPasswordRequired), errors.Is(err, cli.ErrNoTerminal):
		advice.Hint = "give the password with --key-password-from PATH, env:NAME or fd:N"
	case outOfDate:
		advice.Hint = "check this host's clock; if it is right, make a CA in another folder with --dir, and register it as a trust anchor"
	case ok && unusable.absent:
		advice.Hint = `make a CA with "kedge-ca init", or name its folder with --dir`
	case errors.Is(err, fs.ErrExist):
		advice.Hint = "nothing is ever overwritten here; move it away, or choose another folder or name"
	}
	return advice
}
