package keyfile

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"

	"kedge/internal/pkcs8"
)

// ErrPasswordRequired says that the input is encrypted and the caller gave no way to get a
// password.
var ErrPasswordRequired = errors.New("encrypted, and no password was given")

// ErrWrongPassword says that the password does not open the input. Formats without a MAC cannot tell
// this from damage, so damaged ciphertext is reported as this too.
var ErrWrongPassword = pkcs8.ErrWrongPassword

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
}

// Parse reads private keys and certificates from PEM (any mixture, with text around it),
// from DER (one key, or certificates one after another) or from PKCS#12. Keys may be PKCS#1,
// SEC 1 or PKCS#8, encrypted with PBES2 or as "Proc-Type: 4,ENCRYPTED".
//
// At least one key or certificate must be there. Errors say what the input is or what is
// wrong with it, but not where it came from, which only the caller knows. Whatever the
// input, the memory (257 MiB for scrypt) and the rounds of key derivation are bounded.
func Parse(data []byte, password PasswordFunc) (*Material, error) {
	return Read(data, password, Anything)
}

// ParsePrivateKey reads what Parse reads and returns the one private key that must be there.
// Certificates beside it are not looked at.
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
// their order. Private keys beside them are not looked at; the password is for PKCS#12 only.
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

type parser struct {
	want     Want
	password PasswordFunc
	found    Material
	passed   string // the first thing that was passed over, in words: "a certificate request"
}

// Read reads what Parse reads, as far as the caller wants it.
func Read(data []byte, password PasswordFunc, w Want) (*Material, error) {
	p := &parser{want: w, password: askOnce(password)}
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	var err error
	switch {
	case len(bytes.TrimSpace(data)) == 0:
		return nil, errors.New("empty")
	case isBinaryDER(data):
		err = p.der(data)
	case bytes.Contains(data, []byte(beginMark)):
		err = p.pem(data)
	case data[0] == derSequence && !isText(data): // a DER element under 128 bytes
		err = p.der(data)
	default:
		p.passed = describe(data)
	}
	if err != nil {
		return nil, err
	}
	if len(p.found.Keys)+len(p.found.Certificates) == 0 {
		return nil, fmt.Errorf("%s, not %s", p.passed, w)
	}
	return &p.found, nil
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

func (p *parser) addCertificate(der []byte) error {
	if p.want == PrivateKeys {
		p.pass("a certificate")
		return nil
	}
	cert, err := parseCertificate(der)
	if err != nil {
		return err
	}
	p.found.Certificates = append(p.found.Certificates, cert)
	return nil
}

// addKey adds the key that read returns, unless nobody asked for keys.
func (p *parser) addKey(read func() (crypto.Signer, error)) error {
	if p.want == Certificates {
		p.pass("a private key")
		return nil
	}
	if len(p.found.Keys) == maxKeys {
		return fmt.Errorf("more than %d private keys", maxKeys)
	}
	key, err := read()
	if err != nil {
		return err
	}
	p.found.Keys = append(p.found.Keys, key)
	return nil
}
