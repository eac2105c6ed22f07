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

// Options says how keys are reached and unlocked. The zero Options opens what needs no secret.
type Options struct {
	// Password gets the password of an encrypted key file. nil: there is none.
	Password keyfile.PasswordFunc
	// Auth gets the auth value of a TPM key whose URI has no auth-source, PIN that of a token
	// whose URI has none. nil: none is given. They may be called several times, and what they
	// return is not changed.
	Auth, PIN func() ([]byte, error)
	// Ask asks a person for a PIN or an auth value that nothing else says; what completes
	// "Enter the …". nil: nobody is asked.
	Ask func(what string) ([]byte, error)
	// Source reads what the sources of a tpm: URI name: auth-source, parent-auth-source and
	// owner-auth-source; what is as for Ask. nil: a URI with one is an error.
	Source func(ref, what string) ([]byte, error)
	// Device is the TPM of keys whose URI names none, as tpm.Config.Device.
	Device string
	// Library is the PKCS #11 module; it goes before what a URI says. Helper is the path of
	// kedge-pkcs11; empty: it is looked for.
	Library, Helper string
	// ReusePIN keeps a PIN that was right in memory, as pkcs11.Options.ReusePIN.
	ReusePIN bool
	// Brief says that one signature is wanted; see pkcs11.Options.Brief.
	Brief bool
	// Environment is that of the module's process; nil: this one's. Leave secrets out of it.
	Environment []string
	// Public is the public key of a token's key, used where the token does not tell it.
	Public crypto.PublicKey
	// Timeout is how long a signature of hardware may take; 0 is 30 seconds.
	Timeout time.Duration

	// file is what was read of the file of a TPM key; zero: nothing yet.
	file signer.Blob
	// look, where it is not nil, is waited for before a secret is asked for, and says Public.
	look func() (crypto.PublicKey, error)
}

// Key is an open private key: a crypto.Signer and crypto.MessageSigner. It is safe for
// concurrent use until it is closed.
type Key struct {
	key   crypto.Signer
	name  string
	token *pkcs11.Key    // nil where it is not on a token
	mod   *pkcs11.Module // of token
	close func() error
}

var (
	_ crypto.Signer        = (*Key)(nil)
	_ crypto.MessageSigner = (*Key)(nil)
)

// Open opens the key that uri names. The context bounds opening, with all that has to be waited
// for, not the use of the key.
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

// Public returns the public key.
func (k *Key) Public() crypto.PublicKey { return k.key.Public() }

// Sign signs a digest, or with an ML-DSA key a message.
func (k *Key) Sign(rand io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	return k.key.Sign(rand, digest, opts)
}

// SignMessage signs a message, which is hashed first as opts says: some tokens do only that.
func (k *Key) SignMessage(rand io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	return crypto.SignMessage(k.key, rand, message, opts)
}

// InHardware tells whether the key is in a TPM or on a token, and not in memory.
func (k *Key) InHardware() bool { return k.close != nil }

// Certificates returns the certificate of the key on its token and those of its issuers that lie
// there, nearest first. The error is a *pkcs11.NotFoundError where the token has none for it.
// Other keys have no certificates, which is no error.
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

// String is what messages call the key: its path, or a URI that matches it alone. It has no
// secret.
func (k *Key) String() string { return k.name }

// Close lets go of the key. Signatures under way are waited for in a TPM, and fail on a token.
func (k *Key) Close() error {
	if k.close == nil {
		return nil
	}
	return k.close()
}
