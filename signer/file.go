package signer

import (
	"crypto"
	"errors"
	"fmt"
	"io/fs"
	"sync"
	"time"

	"kedge/internal/safefile"
	"kedge/signer/keyfile"
)

// MaxFile is the size in bytes from which key and certificate files are refused, before
// they are in memory. A chain of five RSA-4096 certificates takes a hundredth of it.
const MaxFile = 1 << 20

// Blob is where the bytes of a key or of certificates come from. The zero Blob is none.
type Blob struct {
	name string
	path string
	data []byte
	err  error // why a file that was read is not in data
}

// File is a file that is read when it is needed, and again when it changes. What is not a regular
// file is an error at once, unless it is an open descriptor such as /dev/stdin.
func File(path string) Blob { return Blob{name: path, path: path} }

// Bytes are at hand already, read from standard input, a descriptor or the environment;
// name is what messages call them. They are not copied and must not be changed.
func Bytes(name string, data []byte) Blob { return Blob{name: name, data: data} }

// IsZero reports whether nothing was given.
func (b Blob) IsZero() bool { return b.name == "" }

// IsFile reports whether the blob is a file, and not bytes at hand.
func (b Blob) IsFile() bool { return b.path != "" }

// Name is what messages call the blob.
func (b Blob) Name() string { return b.name }

// Read returns the bytes, at most MaxFile of them. The error is a *FileError.
func (b Blob) Read() ([]byte, error) {
	data, err := b.data, b.err
	switch {
	case b.path != "" && data == nil && err == nil:
		data, err = safefile.ReadInput(b.path, MaxFile)
	case len(data) > MaxFile:
		err = fmt.Errorf("is larger than the %d KiB that keys and certificates can take", MaxFile>>10)
	}
	if err != nil {
		return nil, &FileError{File: b.name, Err: err}
	}
	return data, nil
}

// Files names the inputs of an identity.
type Files struct {
	// Certificate holds the leaf, and may hold intermediates, in any order. As PKCS#12, or
	// as PEM with a key in it, it makes PrivateKey superfluous.
	Certificate Blob
	// PrivateKey holds the key; zero when it is in Certificate.
	PrivateKey Blob
	// Key is a private key that is open already, as one in hardware is; PrivateKey is not
	// read then. If it is a fmt.Stringer, that is what messages call it.
	Key crypto.Signer
	// Intermediates holds more certificates for the path; zero for none.
	Intermediates Blob
	// Password decrypts a key or a PKCS#12 file. It is asked at most once a load, and only
	// if something is encrypted; nil stands for no password.
	Password keyfile.PasswordFunc
	// Now is the clock, time.Now outside tests. It must not be nil.
	Now func() time.Time
	// ServiceTime, where it is not nil, is asked for the service's time when a certificate is out of
	// its validity by Now, and decides. Once it returned a time, Now must be of the same clock.
	ServiceTime func() (time.Time, error)
}

// Load reads the files and makes an identity of them. Errors name the file: *FileError for
// what cannot be read or understood, else those of [NewIdentity].
func Load(f Files) (*Identity, error) {
	switch {
	case f.Now == nil:
		return nil, errors.New("signer.Files has no clock: set Now to time.Now")
	case f.Certificate.IsZero():
		return nil, errors.New("signer.Files has no certificate: set Certificate")
	}
	if f.Password != nil {
		f.Password = sync.OnceValues(f.Password)
	}
	id, err := f.load()
	if !meanwhile(err) {
		return id, err
	}
	again, errAgain := f.load()
	if errAgain != nil && !meanwhile(errAgain) {
		return nil, err // a pipe is empty the second time
	}
	return again, errAgain
}

// meanwhile reports whether an error can come from files that were replaced while they were read:
// those of different folders cannot be read at once.
func meanwhile(err error) bool {
	_, mismatch := errors.AsType[*KeyMismatchError](err)
	return mismatch || errors.Is(err, fs.ErrNotExist)
}

// Together reads the files, and returns Files that hold what was in them. Those in one folder are of
// one version of that, even if the folder, or a symbolic link to it, is replaced meanwhile. What
// cannot be read is an error when it is needed. PrivateKey is left alone where there is a Key.
func (f Files) Together() Files {
	blobs := []*Blob{&f.Certificate, &f.Intermediates}
	if f.Key == nil {
		blobs = append(blobs, &f.PrivateKey)
	}
	paths := make([]string, len(blobs))
	for i, b := range blobs {
		if b.data == nil && b.err == nil {
			paths[i] = b.path
		}
	}
	files := safefile.OpenTogether(paths...)
	defer files.Close()
	for i, b := range blobs {
		if paths[i] != "" {
			b.data, b.err = files.Read(paths[i], MaxFile)
		}
	}
	return f
}

func (f Files) load() (*Identity, error) {
	f = f.Together()
	l := loader{password: f.Password}
	if err := l.readAll(f); err != nil {
		return nil, err
	}
	if len(l.certs) == 0 {
		return nil, &FileError{File: f.Certificate.name, Err: errors.New("there is no certificate in it")}
	}
	key, err := chooseKey(l.keys, l.certs[:l.given])
	if err != nil {
		return nil, &FileError{File: l.keyFile, Err: err}
	}
	id, err := f.judged(key, l.certs)
	if mismatch, ok := errors.AsType[*KeyMismatchError](err); ok {
		mismatch.KeyFile = l.keyFile
		for _, u := range l.unreadable {
			mismatch.Unreadable = append(mismatch.Unreadable, u.String())
		}
	}
	if id != nil {
		id.unreadable = l.unreadable
	}
	return id, err
}

// PublicKey returns that of the leaf in Certificate: of the first that is no CA's, else of the first.
// The error is a *FileError.
func (f Files) PublicKey() (crypto.PublicKey, error) {
	data, err := f.Certificate.Read()
	if err != nil {
		return nil, err
	}
	certs, err := keyfile.ParseCertificates(data, f.Password)
	if err != nil {
		return nil, &FileError{File: f.Certificate.name, Err: err}
	}
	for _, c := range certs {
		if !c.IsCA {
			return c.PublicKey, nil
		}
	}
	return certs[0].PublicKey, nil
}

// sameFile reports whether two blobs are one path. Bytes are never the same: their names are
// for messages only.
func (b Blob) sameFile(other Blob) bool { return b.path != "" && b.path == other.path }

// loader gathers what the inputs hold.
type loader struct {
	password keyfile.PasswordFunc
	certs    []located
	keys     []crypto.Signer // of the input that is meant to have the one, keyFile
	keyFile  string

	given      int // certs that are from Certificate: the first ones
	unreadable []unreadable
}

// readAll reads the inputs, the certificate's file only once if it is named twice. Keys in another input than
// the one meant are not parsed: they may be encrypted, or of no use.
func (l *loader) readAll(f Files) error {
	l.keyFile = f.Certificate.name
	if f.Key != nil {
		return l.readCertificates(f)
	}
	apart := !f.PrivateKey.IsZero() && !f.PrivateKey.sameFile(f.Certificate)
	inCertificate := keyfile.Anything
	if apart {
		inCertificate = keyfile.Certificates
	}
	keys, err := l.read(f.Certificate, inCertificate)
	l.given = len(l.certs)
	if err == nil && apart {
		l.keyFile = f.PrivateKey.name
		keys, err = l.read(f.PrivateKey, keyfile.Anything)
	}
	more := f.Intermediates
	if err == nil && !more.IsZero() && !more.sameFile(f.Certificate) {
		// The key's file is read again: a certificate must be in it, and twice does no harm.
		_, err = l.read(more, keyfile.Certificates)
	}
	l.keys = keys
	return err
}

// readCertificates reads them for a key that is open.
func (l *loader) readCertificates(f Files) error {
	l.keys, l.keyFile = []crypto.Signer{f.Key}, ""
	if named, ok := f.Key.(fmt.Stringer); ok {
		l.keyFile = named.String()
	}
	_, err := l.read(f.Certificate, keyfile.Certificates)
	l.given = len(l.certs)
	if more := f.Intermediates; err == nil && !more.IsZero() && !more.sameFile(f.Certificate) {
		_, err = l.read(more, keyfile.Certificates)
	}
	return err
}

// read adds the certificates of one input and returns its keys.
func (l *loader) read(b Blob, w keyfile.Want) ([]crypto.Signer, error) {
	data, err := b.Read()
	if err != nil {
		return nil, err
	}
	m, err := keyfile.Read(data, l.password, w)
	if err != nil {
		return nil, &FileError{File: b.name, Err: err}
	}
	if b.path != "" && len(m.Certificates) == 0 {
		clear(data) // a key lies there in the clear; certificates may point into it
	}
	for _, u := range m.Unreadable {
		l.unreadable = append(l.unreadable, unreadable{b.name, u})
	}
	for _, c := range m.Certificates {
		l.certs = append(l.certs, located{c, b.name})
	}
	return m.Keys, nil
}

// ErrNoPrivateKey reports that an input holds no private key.
var ErrNoPrivateKey = errors.New("there is no private key in it")
