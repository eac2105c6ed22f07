package localca

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/hostfiles"
	"kedge/internal/safefile"
)

// ServerFile specifies which server gets a key and a certificate, and where they are written.
type ServerFile struct {
	Authority string   // that issues; empty: the issuing one
	Names     []string // DNS names and IP addresses
	Path      string
	Replace   bool // the file may exist, with a server's certificate
}

// MakeServerFile makes a key, issues the certificate of a server for it, and writes both to one
// file, with the certificates of the issuers up to the root. A file that exists is replaced in one
// step, if it may be and has the certificate of a server; otherwise the error is a *ServerFileError.
// Nothing is issued before that is known.
func (c *CA) MakeServerFile(ctx context.Context, f ServerFile) (*issuance.Issued, error) {
	if err := f.check(); err != nil {
		return nil, err
	}
	path, err := c.Service.Issuing(ctx, f.Authority)
	if err != nil {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	issued, err := c.Service.ServerCertificate(ctx, path[0].Name, key.Public(), f.Names)
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	text = append(text, hostfiles.CertificatePEM(issued.Certificate)...)
	for _, a := range path {
		text = append(text, hostfiles.CertificatePEM(a.Certificate)...)
	}
	return issued, f.write(text)
}

// check checks that the file may be written.
func (f ServerFile) check() error {
	if !f.Replace {
		err := atomicfile.Vacant(f.Path)
		if errors.Is(err, fs.ErrExist) {
			return &ServerFileError{Path: f.Path, Exists: true}
		}
		return err
	}
	cert, err := cadir.ReadCertificate(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil || !ca.IsServer(cert) {
		return &ServerFileError{Path: f.Path, Err: err}
	}
	return nil
}

// write writes the file. One that is replaced keeps its owner, its group and its mode, except that
// others cannot read it.
func (f ServerFile) write(text []byte) error {
	if !f.Replace {
		return atomicfile.Create(f.Path, text, keyMode)
	}
	old, err := safefile.OpenRegular(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return atomicfile.Write(f.Path, text, keyMode)
	}
	if err != nil {
		return err
	}
	defer old.Close()
	info, err := old.Stat()
	if err != nil {
		return err
	}
	return atomicfile.WriteAll(atomicfile.File{Path: f.Path, Data: text, Mode: info.Mode().Perm() &^ 0o007, Like: old})
}

const keyMode = 0o600

// ServerFileError reports that a file is not replaced.
type ServerFileError struct {
	Path   string
	Exists bool  // it may not be
	Err    error // that of reading its certificate; nil if that is not a server's
}

func (e *ServerFileError) Error() string {
	switch {
	case e.Exists:
		return e.Path + " exists already"
	case e.Err != nil:
		return fmt.Sprintf("%s is not replaced, since the certificate of a server cannot be read from it: %v", e.Path, e.Err)
	}
	return fmt.Sprintf("%s is not replaced: its certificate is not that of a server", e.Path)
}
