package takeover

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
)

// The limits of what is read: a bundle of 100,000 certificates has 200 MB.
const (
	maxDepth = 16
	maxSize  = 256 << 20
)

// file is a regular file to be read, named by the operator or found below a folder.
type file struct {
	path string   // as the operator names it
	root *os.Root // nil: the operator named the file
	name string   // relative to root
}

// id returns the same string for every path by which the operator may have named the file.
func (f *file) id() string {
	path := f.path
	if whole, err := filepath.EvalSymlinks(path); err == nil {
		path = whole
	}
	if whole, err := filepath.Abs(path); err == nil {
		path = whole
	}
	return path
}

// read reads the whole file. Its error has no path and no system call.
func (f *file) read() ([]byte, error) {
	in, err := f.open()
	if err != nil {
		return nil, inWords(err)
	}
	defer in.Close()
	info, err := in.Stat()
	switch {
	case err != nil:
		return nil, inWords(err)
	case !info.Mode().IsRegular():
		return nil, errors.New("not a regular file")
	case info.Size() > maxSize:
		return nil, errTooLarge
	}
	data := make([]byte, 0, info.Size()+1)
	for {
		n, err := in.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, inWords(err)
		case len(data) > maxSize:
			return nil, errTooLarge
		case len(data) == cap(data):
			data = slices.Grow(data, len(data)+1)
		}
	}
}

var errTooLarge = errors.New("larger than 256 MiB; split it")

// open does not block on a FIFO.
func (f *file) open() (*os.File, error) {
	const flags = os.O_RDONLY | syscall.O_NONBLOCK
	if f.root != nil {
		return f.root.OpenFile(f.name, flags, 0)
	}
	return os.OpenFile(f.path, flags, 0)
}

// inWords returns the cause of an error of a file: "permission denied".
func inWords(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	return err
}

// isKey reports whether the file's name is that of a private key.
func (f *file) isKey() bool {
	return slices.Contains([]string{".key", ".p12", ".pfx"}, filepath.Ext(f.path))
}

// isBackup reports whether the file's name is that of a previous version, which openssl and
// easy-rsa leave beside a file.
func (f *file) isBackup() bool {
	return f.root != nil && (strings.HasSuffix(f.name, ".old") || strings.HasSuffix(f.name, ".bak") || strings.HasSuffix(f.name, "~"))
}

// bookkeeping reports whether a file is one of openssl's or easy-rsa's own, without information
// about certificates.
func (f *file) bookkeeping() bool {
	if f.root == nil {
		return false
	}
	base := filepath.Base(f.name)
	known := []string{"serial", "crlnumber", "index.txt.attr", "vars", "vars.example", ".rnd", ".rand"}
	return slices.Contains(known, base) || f.isBackup() || slices.Contains([]string{".cnf", ".conf", ".attr", ".srl"}, filepath.Ext(base)) ||
		filepath.Base(filepath.Dir(f.name)) == "x509-types"
}

// openNamed opens a file that the operator named: it must exist.
func openNamed(path string) (*file, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, &Error{path, "there is no such file", err}
	case err != nil:
		return nil, &Error{path, inWords(err).Error(), err}
	case !info.Mode().IsRegular():
		return nil, &Error{path, "not a regular file", nil}
	}
	return &file{path: path}, nil
}
