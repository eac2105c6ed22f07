package keys

import (
	"context"

	"kedge/pkcs11"
)

// Certificates lists the certificates that a pkcs11: URI matches, on every token that does, each
// with its URI. Nobody is asked for a PIN.
func Certificates(ctx context.Context, uri string, o Options) ([]pkcs11.Certificate, error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return nil, err
	}
	mod, err := pkcs11.Load(ctx, u, o.TokenOptions())
	if err != nil {
		return nil, err
	}
	defer mod.Close()
	return mod.Certificates(ctx, u)
}
