package keys

import (
	"context"

	"kedge/signer"
)

// Reference is where a private key is: in hardware, or in a file, which may be that of a key in a TPM.
type Reference struct {
	URI  string      // of hardware; empty: Blob has the key
	Blob signer.Blob // the key's

	// Certificate, of a key in hardware, may be zero: it tells the public key where the token does not.
	Certificate signer.Blob
}

// Open opens the key. Errors are those of Open and OpenBlob, and what is wrong with the certificate.
func (r Reference) Open(ctx context.Context, o Options) (*Key, error) {
	if r.URI == "" {
		return OpenBlob(ctx, r.Blob, o)
	}
	if !r.Certificate.IsZero() {
		var err error
		if o.Public, err = (signer.Files{Certificate: r.Certificate, Password: o.Password}).PublicKey(); err != nil {
			return nil, err
		}
	}
	return Open(ctx, r.URI, o)
}
