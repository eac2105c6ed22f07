package signer

import (
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"time"
)

// MaxFile is the size in bytes from which key and certificate files are refused, before
// they are in memory. A chain of five RSA-4096 certificates takes a hundredth of it.
const MaxFile = 1 << 20

// Blob is where the bytes of a key or of certificates come from. The zero Blob is none.
type Blob struct {
	name string
	path string
	data []byte
}

// File is a file that is read when it is needed, and again when it changes.
func File(path string) Blob { return Blob{name: path, path: path} }

// Bytes are at hand already, read from standard input, a descriptor or the environment;
// name is what messages call them. They are not copied and must not be changed.
func Bytes(name string, data []byte) Blob { return Blob{name: name, data: data} }

// IsZero tells whether nothing was given.
func (b Blob) IsZero() bool { return b.name == "" }

// Name is what messages call the blob.
func (b Blob) Name() string { return b.name }

// Read returns the bytes, at most MaxFile of them. The error is a *FileError.
func (b Blob) Read() ([]byte, error) {
	data, err := b.data, error(nil)
	if b.path != "" {
		data, err = readFile(b.path)
	}
	if err == nil && len(data) > MaxFile {
		err = fmt.Errorf("is larger than the %d KiB that keys and certificates can take", MaxFile>>10)
	}
	if err != nil {
		return nil, &FileError{File: b.name, Err: err}
	}
	return data, nil
}

// readFile reads one byte more than is allowed and no further.
func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, errors.New("is a directory, not a file")
	}
	return io.ReadAll(io.LimitReader(f, MaxFile+1))
}

// Files names the inputs of an identity.
type Files struct {
	// Certificate holds the leaf, and may hold intermediates, in any order. As PKCS#12, or
	// as PEM with a key in it, it makes PrivateKey superfluous.
	Certificate Blob
	// PrivateKey holds the key; zero when it is in Certificate.
	PrivateKey Blob
	// Intermediates holds more certificates for the path; zero for none.
	Intermediates Blob
	// Password decrypts a key or a PKCS#12 file. It is asked at most once a load, and only
	// if something is encrypted; nil stands for no password.
	Password PasswordFunc
	// Now is the clock, time.Now outside tests. It must not be nil.
	Now func() time.Time
}

// Load reads the files and makes an identity of them. Errors name the file: *FileError for
// what cannot be read or understood, else those of [NewIdentity].
func Load(f Files) (*Identity, error) {
	if f.Now == nil {
		return nil, errors.New("signer.Files has no clock: set Now to time.Now")
	}
	l := loader{password: f.Password}
	if f.Password != nil {
		l.password = sync.OnceValues(f.Password)
	}
	for _, b := range []Blob{f.Certificate, f.PrivateKey, f.Intermediates} {
		if err := l.add(b); err != nil {
			return nil, err
		}
	}
	key, keyFile, err := l.key(f)
	if err != nil {
		return nil, err
	}
	if len(l.certs) == 0 {
		return nil, &FileError{File: f.Certificate.name, Err: errors.New("there is no certificate in it")}
	}
	id, err := newIdentity(key, l.certs, f.Now())
	if mismatch, ok := errors.AsType[*KeyMismatchError](err); ok {
		mismatch.KeyFile = keyFile
	}
	return id, err
}

// loader gathers what the inputs hold.
type loader struct {
	password PasswordFunc
	read     []Blob
	certs    []located
	keys     []keyIn
}

type keyIn struct {
	crypto.Signer
	file string
}

// add reads one input. A path that was named twice, as one file for key and certificate, is
// read once.
func (l *loader) add(b Blob) error {
	if b.IsZero() {
		return nil
	}
	for _, seen := range l.read {
		if seen.path != "" && seen.path == b.path {
			return nil
		}
	}
	l.read = append(l.read, b)
	data, err := b.Read()
	if err != nil {
		return err
	}
	m, err := Parse(data, l.password)
	if err != nil {
		return &FileError{File: b.name, Err: err}
	}
	if b.path != "" && len(m.Certificates) == 0 {
		clear(data) // a key lies there in the clear; certificates may point into it
	}
	for _, c := range m.Certificates {
		l.certs = append(l.certs, located{c, b.name})
	}
	for _, k := range m.Keys {
		l.keys = append(l.keys, keyIn{k, b.name})
	}
	return nil
}

// key finds the one private key in the input that is meant to have it.
func (l *loader) key(f Files) (crypto.Signer, string, error) {
	want := f.PrivateKey
	if want.IsZero() {
		want = f.Certificate
	}
	var found []crypto.Signer
	for _, k := range l.keys {
		if k.file == want.name {
			found = append(found, k.Signer)
		}
	}
	switch {
	case len(found) == 1:
		return found[0], want.name, nil
	case len(found) > 1:
		return nil, "", &FileError{File: want.name, Err: errors.New("there is more than one private key in it")}
	}
	return nil, "", &FileError{File: want.name, Err: ErrNoPrivateKey}
}

// ErrNoPrivateKey says that an input holds no private key.
var ErrNoPrivateKey = errors.New("there is no private key in it")
