package hostdir

import (
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"kedge/internal/safefile"
)

// maxFile bounds what is read of one file of a pair.
const maxFile = 1 << 20

// Pair is a key, its certificate and what belongs to them.
type Pair struct {
	KeyFile string // a path; empty: the key is in hardware, and Record names it
	Leaf    *x509.Certificate
	Chain   []*x509.Certificate
	Bundle  []*x509.Certificate // the roots that the host trusts
	Record  Record
}

// Current reads the pair in use. The error is a *NotEnrolledError if there is none, and a
// *FolderError if it is damaged.
func Current(path string) (*Pair, error) {
	switch info, err := os.Stat(path); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &NotEnrolledError{Path: path}
	case err != nil:
		return nil, unreadable(path, path, err)
	case !info.IsDir():
		return nil, &FolderError{Path: path, Problem: "is not a folder"}
	}
	n, err := currentNumber(path)
	if err != nil {
		return nil, err
	}
	if n == 0 {
		return nil, &NotEnrolledError{Path: path}
	}
	return readPair(filepath.Join(path, pairName(n)))
}

// Current reads the pair in use, see the function.
func (f *Folder) Current() (*Pair, error) { return Current(f.path) }

func readPair(dir string) (*Pair, error) {
	p := &Pair{KeyFile: filepath.Join(dir, KeyName)}
	path := filepath.Join(dir, recordName)
	data, err := safefile.ReadRegular(path, maxFile)
	if err != nil {
		return nil, unreadable(filepath.Dir(dir), path, err)
	}
	if p.Record, err = parseRecord(data); err != nil {
		return nil, &FolderError{Path: path, Problem: err.Error()}
	}
	if p.Record.Key != "" {
		p.KeyFile = ""
	}
	certs, err := readCertificates(filepath.Join(dir, CertificateName))
	if err != nil {
		return nil, err
	}
	p.Leaf, p.Chain = certs[0], certs[1:]
	p.Bundle, err = readCertificates(filepath.Join(dir, BundleName))
	return p, err
}

// readCertificates reads at least one.
func readCertificates(path string) (certs []*x509.Certificate, err error) {
	data, err := safefile.ReadRegular(path, maxFile)
	if err != nil {
		return nil, unreadable(filepath.Dir(filepath.Dir(path)), path, err)
	}
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		cert, err := x509.ParseCertificate(block.Bytes)
		if err != nil || block.Type != "CERTIFICATE" {
			return nil, &FolderError{Path: path, Problem: "has something other than certificates"}
		}
		certs = append(certs, cert)
	}
	if len(certs) == 0 {
		return nil, &FolderError{Path: path, Problem: "has no certificate"}
	}
	return certs, nil
}

func encodeCertificates(certs ...*x509.Certificate) (out []byte) {
	for _, c := range certs {
		out = append(out, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return out
}

// Access returns the group that may read the current key or, if that is not in a file, the certificate; ok
// is false if there is neither. It follows the files, so that a change by hand is kept.
func (f *Folder) Access() (a Access, ok bool) {
	certificate, key := Files(f.path)
	for _, name := range []string{key, certificate} {
		if info, err := os.Stat(name); err == nil {
			return accessOf(info), true
		}
	}
	return Access{}, false
}

// List returns the folders below base that have an identity, in the order of their names; none if there
// is no such folder.
func List(base string) (dirs []string, err error) {
	entries, err := os.ReadDir(base)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, unreadable(base, base, err)
	}
	for _, e := range entries {
		dir := filepath.Join(base, e.Name())
		if hasIdentity(dir) {
			dirs = append(dirs, dir)
		}
	}
	return dirs, nil
}

func isPresent(path string) bool {
	info, err := os.Lstat(path)
	return err == nil && info.Mode().IsRegular()
}
