package main

import (
	"context"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"
	"software.sslmate.com/src/go-pkcs12"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/signer"
)

// fileName makes a name for files of a common name: slashes and the like, as in a SPIFFE
// ID, would be folders.
func fileName(commonName string) string {
	name := strings.Map(func(r rune) rune {
		if strings.ContainsRune(`/\:`, r) {
			return '_'
		}
		return r
	}, commonName)
	return strings.TrimLeft(name, ".-")
}

// identityFiles are the paths of what is written for one name.
type identityFiles struct {
	Key         string `json:"key,omitempty"`
	KeyURI      string `json:"key_uri,omitempty"` // of the key of an authority that is elsewhere
	Certificate string `json:"certificate"`
	Chain       string `json:"chain,omitempty"`
	FullChain   string `json:"full_chain,omitempty"`
	PKCS12      string `json:"pkcs12,omitempty"`
}

// filesFor returns the paths for a name in a folder.
func filesFor(dir, commonName string) (identityFiles, error) {
	name := fileName(commonName)
	if name == "" {
		return identityFiles{}, fmt.Errorf("the name %q has nothing to call files after", commonName)
	}
	base := filepath.Join(dir, name)
	return identityFiles{Key: base + ".key", Certificate: base + ".pem", Chain: base + ".chain.pem", FullChain: base + ".fullchain.pem", PKCS12: base + ".p12"}, nil
}

// list returns the paths in words.
func (f identityFiles) list() string {
	var paths []string
	for _, path := range []string{f.Key, f.Certificate, f.Chain, f.FullChain, f.PKCS12} {
		if path != "" {
			paths = append(paths, path)
		}
	}
	return strings.Join(paths, ", ")
}

// formFlags say what is written beside the certificate and its chain.
type formFlags struct {
	fullChain bool
	pkcs12    bool
	from      string // the password of the PKCS#12

	password []byte // once read
}

func (f *formFlags) add(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.fullChain, "full-chain", false, "write NAME.fullchain.pem too: the certificate and the intermediates, without the root")
	cmd.Flags().BoolVar(&f.pkcs12, "pkcs12", false, "write NAME.p12 too: key, certificate and issuers, encrypted with a password")
	cmd.Flags().StringVar(&f.from, "pkcs12-password-from", "", "where the password of NAME.p12 is, as `REF`: PATH, fd:N, env:NAME, - (standard input) or prompt; asked on the terminal when not given")
}

// check refuses what contradicts itself.
func (f *formFlags) check(cmd *cobra.Command, keyFrom string) error {
	switch {
	case f.from != "" && !f.pkcs12:
		return cli.Usagef(cmd, "--pkcs12-password-from: there is no --pkcs12 to encrypt")
	case f.from != "" && f.from == keyFrom && readOnce(f.from):
		return cli.Usagef(cmd, "--pkcs12-password-from: %s is read by --key-password-from already", f.from)
	}
	return nil
}

// readPassword reads the password of the PKCS#12, if there is to be one: early, since without
// it nothing should be issued.
func (f *formFlags) readPassword(h host, path string) error {
	if !f.pkcs12 {
		return nil
	}
	p, err := config.NewPassword("pkcs12-password-from", f.from)
	if err != nil {
		return err
	}
	f.password, err = p.Read(h.inputs, path)
	switch {
	case errors.Is(err, context.Canceled):
		return fmt.Errorf("password for %s: %w", path, context.Canceled)
	case errors.Is(err, signer.ErrPasswordRequired):
		return &pkcs12Error{fmt.Errorf("a password is needed to encrypt %s, and %w", path, cli.ErrNoTerminal)}
	case err != nil:
		return &pkcs12Error{fmt.Errorf("password for %s: %w", path, err)}
	}
	for _, warning := range p.Warnings() {
		h.warn(warning)
	}
	return nil
}

// pkcs12Error says that the password of a PKCS#12 could not be had.
type pkcs12Error struct{ error }

func (e *pkcs12Error) Unwrap() error { return e.error }

// identity is what is written: a key, its certificate, and who issued it.
type identity struct {
	key    crypto.Signer // nil when it is not written
	cert   *x509.Certificate
	issuer *ca.Authority
}

// encode makes the files but for the key, in the order in which they are to be written: the
// certificate comes last, since it says that all is there. Paths of what is not written are
// emptied.
func (f *formFlags) encode(id identity, paths *identityFiles) ([]atomicfile.File, error) {
	issuers := append([]*x509.Certificate{id.issuer.Certificate()}, id.issuer.Issuers()...)
	files := []atomicfile.File{{Path: paths.Chain, Data: certPEM(issuers...), Mode: 0o644}}
	if f.fullChain {
		all := append([]*x509.Certificate{id.cert}, id.issuer.Chain()...)
		files = append(files, atomicfile.File{Path: paths.FullChain, Data: certPEM(all...), Mode: 0o644})
	} else {
		paths.FullChain = ""
	}
	if f.pkcs12 {
		data, err := pkcs12.Modern.Encode(id.key, id.cert, issuers, string(f.password))
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", paths.PKCS12, err)
		}
		files = append(files, atomicfile.File{Path: paths.PKCS12, Data: data, Mode: 0o600})
	} else {
		paths.PKCS12 = ""
	}
	return append(files, atomicfile.File{Path: paths.Certificate, Data: certPEM(id.cert), Mode: 0o644}), nil
}

// keyPEM encodes PKCS#8.
func keyPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// readPlainKey reads a private key that is not encrypted: one that issue wrote.
func readPlainKey(path string) (crypto.Signer, error) {
	data, err := signer.File(path).Read()
	if err != nil {
		return nil, err
	}
	key, err := signer.ParsePrivateKey(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}

// exists says whether something is at path. What cannot be looked at is an error.
func exists(path string) (bool, error) { return atomicfile.Exists(path) }
