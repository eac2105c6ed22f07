package keys

import (
	"context"
	"crypto"
	"crypto/x509"
	"fmt"
	"io"
	"time"

	"kedge/pkcs11"
	"kedge/signer"
	"kedge/signer/keyfile"
	"kedge/tpm"
)

// Options say how keys are located and unlocked. The zero Options opens keys that need no secret.
type Options struct {
	// Password returns the password of an encrypted key file. nil: there is none.
	Password keyfile.PasswordFunc
	// Auth returns the auth value of a TPM key whose URI has no auth-source, PIN that of a token
	// whose URI has none. nil: none is given. They may be called several times, and the returned
	// bytes are not changed.
	Auth, PIN func() ([]byte, error)
	// Ask asks the user for a PIN or an auth value that is not given otherwise; what completes
	// "Enter the …". nil: the user is not asked.
	Ask func(what string) ([]byte, error)
	// Source reads the references in a tpm: URI: auth-source, parent-auth-source and
	// owner-auth-source; what is as for Ask. nil: a URI with one is an error.
	Source func(ref, what string) ([]byte, error)
	// Device is the TPM of keys whose URI has no device, as tpm.Config.Device.
	Device string
	// Library is the PKCS #11 module; it overrides the URI's. Helper is the path of kedge-pkcs11;
	// empty: it is searched for.
	Library, Helper string
	// ReusePIN keeps a PIN that was right in memory, as pkcs11.Options.ReusePIN.
	ReusePIN bool
	// SpareLast tries no PIN and no auth value if a wrong one would be the last that the hardware takes.
	SpareLast bool
	// Brief means that only one signature is needed; see pkcs11.Options.Brief.
	Brief bool
	// Environment is that of the module's process; nil: this one's. It should have no secrets.
	Environment []string
	// Public is the public key of a token's key, for a token that does not have it.
	Public crypto.PublicKey
	// Timeout bounds a signature of hardware; 0 is 30 seconds.
	Timeout time.Duration

	// file is the content of the file of a TPM key; zero: it has not been read.
	file signer.Blob
	// precheck, if not nil, is called before a secret is asked for, and returns Public.
	precheck func() (crypto.PublicKey, error)
}

// Key is an open private key: a crypto.Signer and crypto.MessageSigner. It is safe for concurrent
// use until it is closed.
type Key struct {
	key   crypto.Signer
	name  string
	token *pkcs11.Key    // nil if the key is not on a token
	mod   *pkcs11.Module // of token
	close func() error
}

var (
	_ crypto.Signer        = (*Key)(nil)
	_ crypto.MessageSigner = (*Key)(nil)
)

// Open opens the key that uri names. The context bounds opening the key, not its use.
func Open(ctx context.Context, uri string, o Options) (*Key, error) {
	switch {
	case tpm.IsURI(uri):
		return openTPM(ctx, uri, o)
	case IsTokenURI(uri):
		return openToken(ctx, uri, o)
	}
	return OpenBlob(ctx, signer.File(uri), o)
}

// OpenBlob opens the key in a file, or in bytes: in a format of package signer, or TSS2.
func OpenBlob(ctx context.Context, blob signer.Blob, o Options) (*Key, error) {
	data, err := blob.Read()
	if err != nil {
		return nil, err
	}
	if tpm.IsKeyFile(data) {
		return loadTPM(ctx, blob.Name(), tpm.URI{}, data, o)
	}
	key, err := keyfile.ParsePrivateKey(data, o.Password)
	if err != nil {
		return nil, &signer.FileError{File: blob.Name(), Err: err}
	}
	return &Key{key: key, name: blob.Name()}, nil
}

// Elsewhere returns a key that another package opened, which is neither in a file, nor in a TPM, nor
// on a token. It needs no closing. name is for messages, and has no secret.
func Elsewhere(key crypto.Signer, name string) *Key {
	return &Key{key: key, name: name, close: func() error { return nil }}
}

// Public returns the public key.
func (k *Key) Public() crypto.PublicKey { return k.key.Public() }

// Sign signs a digest, or with an ML-DSA key a message.
func (k *Key) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.key.Sign(rand, digest, opts)
}

// SignMessage hashes a message by the hash of opts and signs it: some tokens do only that.
func (k *Key) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return crypto.SignMessage(k.key, rand, message, opts)
}

// InHardware reports whether the key is in a TPM, on a token or elsewhere, and not in memory.
func (k *Key) InHardware() bool { return k.close != nil }

// Certificates returns the key's certificate on its token and those of its issuers that are there,
// nearest first. The error is a *pkcs11.NotFoundError if the token has no certificate for the key.
// For keys that are not on a token it returns none, and no error.
func (k *Key) Certificates(ctx context.Context) ([]*x509.Certificate, error) {
	if k.token == nil {
		return nil, nil
	}
	leaf, err := k.token.Certificate(ctx)
	if err != nil {
		return nil, err
	}
	chain, err := k.token.Chain(ctx, leaf)
	if err != nil {
		return nil, fmt.Errorf("%s: issuers on the token: %w", k.name, err)
	}
	return append([]*x509.Certificate{leaf}, chain...), nil
}

// String returns the key's name for messages: its path, or a URI that matches it alone. It has no
// secret.
func (k *Key) String() string { return k.name }

// Close closes the key. In a TPM it waits for signatures in progress; on a token they fail.
func (k *Key) Close() error {
	if k.close == nil {
		return nil
	}
	return k.close()
}
