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
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/config"
	"kedge/internal/pkcs8"
	"kedge/signer"
)

// storeFlags say where the CA is and how its key is opened.
type storeFlags struct {
	dir      string
	config   string
	password string
}

func (f *storeFlags) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "ca", "`PATH` of the CA's folder, with ca.pem and ca.key")
	cmd.Flags().StringVar(&f.config, "config", "", "`FILE` with the configuration; kedge-ca.yaml in the CA's folder when not given")
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
	key, err := f.parse(data, password)
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

// parse reads the key. An empty password that does not open it is called that: a file whose
// content went missing looks like one with the wrong content.
func (f *storeFlags) parse(data []byte, password signer.PasswordFunc) (crypto.Signer, error) {
	empty := false
	key, err := signer.ParsePrivateKey(data, func() ([]byte, error) {
		given, err := password()
		empty = err == nil && len(given) == 0
		return given, err
	})
	if empty && errors.Is(err, signer.ErrWrongPassword) {
		from, _ := config.ParseInput(f.password) // keys parsed it before
		return nil, errors.New(strings.TrimSuffix("the password in "+from.Name(), " in ") + " is empty")
	}
	return key, err
}

// create writes a new CA: the key first, since a certificate without key is of no use, and
// neither over something that is there.
func (f *storeFlags) create(cert *x509.Certificate, key crypto.Signer, password []byte) error {
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
	if err := atomicfile.Create(f.certPath(), certPEM(cert), 0o644); err != nil {
		return errors.Join(err, os.Remove(f.keyPath()))
	}
	return nil
}

// folderError says that a flag names no folder.
type folderError struct {
	flag, path string
	absent     bool // nothing is there
}

func (e *folderError) Error() string {
	if e.absent {
		return fmt.Sprintf("--%s: the folder %s does not exist", e.flag, e.path)
	}
	return fmt.Sprintf("--%s: %s is not a folder", e.flag, e.path)
}

// folder returns a *folderError when the value of a flag is no folder.
func folder(flag, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return &folderError{flag: flag, path: path, absent: err != nil}
	}
	return nil // or a trouble that the next call names
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
