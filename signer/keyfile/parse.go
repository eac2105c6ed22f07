package keyfile

import (
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"strings"

	"kedge/internal/pemread"
	"kedge/internal/pkcs8"
)

// ErrPasswordRequired reports that the input is encrypted and the caller gave no way to get a
// password.
var ErrPasswordRequired = errors.New("encrypted, and no password was given")

// ErrWrongPassword reports that the password does not open the input. Formats without a MAC cannot tell
// this from damage, so damaged ciphertext is reported as this too.
var ErrWrongPassword = pkcs8.ErrWrongPassword

// ErrNoCertificate reports that certificates were wanted of an input that holds a private key alone.
var ErrNoCertificate = errors.New("it is a private key, not a certificate")

// PasswordFunc returns the password of what is being read. It is called only when something
// is encrypted, and at most once for one input. An empty password is a password.
type PasswordFunc = func() ([]byte, error)

// Material is what one input holds, in its order. Nothing says yet that a key belongs to a
// certificate: NewIdentity checks that.
type Material struct {
	// Keys are *rsa.PrivateKey, *ecdsa.PrivateKey, *mldsa.PrivateKey, or for an ML-DSA key
	// stored without its seed another crypto.Signer whose Public is a *mldsa.PublicKey.
	Keys         []crypto.Signer
	Certificates []*x509.Certificate
	// Unreadable are the certificates that were passed over. They matter only where what was
	// looked for is not among the others.
	Unreadable []Unreadable
}

// Parse reads private keys and certificates from PEM (any mixture, with text around it),
// from DER (one after another), from base64 of either, or from PKCS#12. Keys may be PKCS#1,
// SEC 1 or PKCS#8, encrypted with PBES2 or as "Proc-Type: 4,ENCRYPTED".
//
// At least one key or certificate must be there. Errors say what the input is or what is
// wrong with it, but not where it came from, which only the caller knows. Whatever the
// input, the memory (257 MiB for scrypt) and the rounds of key derivation are bounded.
func Parse(data []byte, password PasswordFunc) (*Material, error) {
	return Read(data, password, Anything)
}

// ParsePrivateKey reads what Parse reads and returns the one private key that must be there.
// Certificates beside it are not parsed.
func ParsePrivateKey(data []byte, password PasswordFunc) (crypto.Signer, error) {
	found, err := Read(data, password, PrivateKeys)
	if err != nil {
		return nil, err
	}
	if n := len(found.Keys); n != 1 {
		return nil, fmt.Errorf("%d private keys where one is expected", n)
	}
	return found.Keys[0], nil
}

// ParseCertificates reads what Parse reads and returns its certificates, at least one, in
// their order. Private keys beside them are not parsed; the password is for PKCS#12 only.
func ParseCertificates(data []byte, password PasswordFunc) ([]*x509.Certificate, error) {
	found, err := Read(data, password, Certificates)
	if err != nil {
		return nil, err
	}
	return found.Certificates, nil
}

// Want is what the caller is after; the rest of the input is passed over unread.
type Want int

// What callers want.
const (
	Anything     Want = iota // keys and certificates
	PrivateKeys              // no certificates
	Certificates             // no keys
)

// String completes "…, not …".
func (w Want) String() string {
	switch w {
	case PrivateKeys:
		return "a private key"
	case Certificates:
		return "a certificate"
	}
	return "a certificate or a private key"
}

// maxKeys bounds the work that one input can ask for: each encrypted key costs a key derivation.
const maxKeys = 4

var errManyKeys = errors.New("more than 4 private keys") // maxKeys

type parser struct {
	want         Want
	password     PasswordFunc
	found        Material
	certificates int    // in the input, with those that cannot be read
	passed       string // the first thing that was passed over, in words: "a certificate request"
}

// Read reads what Parse reads, as far as the caller wants it.
func Read(data []byte, password PasswordFunc, w Want) (*Material, error) {
	p := &parser{want: w, password: askOnce(password)}
	blocks, err := pemread.Blocks(data, pemread.Options{MaxSize: max(len(data), 1), Skip: p.skip, NoUTF16: true})
	if err != nil {
		return nil, err
	}
	for _, b := range blocks {
		if err := p.block(b); err != nil {
			return nil, err
		}
	}
	switch {
	case len(p.found.Keys)+len(p.found.Certificates) > 0:
		return &p.found, nil
	case len(p.found.Unreadable) > 0:
		return nil, noneReadable(p.found.Unreadable)
	}
	if isKey := strings.HasSuffix(p.passed, "private key"); isKey && w == Certificates {
		return nil, ErrNoCertificate
	} else if isKey { // its label says so, and is none of those that are read
		return nil, errors.New("the private key in it is of a kind that is not read here")
	}
	return nil, fmt.Errorf("it is %s, not %s", p.passed, w)
}

// askOnce asks for the password at the first need and remembers the answer.
func askOnce(ask PasswordFunc) PasswordFunc {
	var password []byte
	var err error
	asked := false
	return func() ([]byte, error) {
		if ask == nil {
			return nil, ErrPasswordRequired
		}
		if !asked {
			asked = true
			password, err = ask()
		}
		return password, err
	}
}

func (p *parser) pass(what string) {
	if p.passed == "" {
		p.passed = what
	}
}

// addKey adds the key that read returns, unless nobody asked for keys.
func (p *parser) addKey(read func() (crypto.Signer, error)) error {
	if p.want == Certificates {
		p.pass("a private key")
		return nil
	}
	if len(p.found.Keys) == maxKeys {
		return errManyKeys
	}
	key, err := read()
	if err != nil {
		return err
	}
	p.found.Keys = append(p.found.Keys, key)
	return nil
}
