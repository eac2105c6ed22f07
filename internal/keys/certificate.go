package keys

import (
	"context"
	"errors"

	"kedge/pkcs11"
)

// Certificates lists the certificates that a pkcs11: URI matches, on every token that matches, each
// with its URI. It asks for no PIN. If the URI has a label or an id, it must match one certificate:
// else the error is a *pkcs11.AmbiguousError. If nothing matches, it is a *pkcs11.NotFoundError.
func Certificates(ctx context.Context, uri string, o Options) (found []pkcs11.Certificate, one bool, err error) {
	u, err := pkcs11.ParseURI(uri)
	if err != nil {
		return nil, false, err
	}
	mod, err := pkcs11.Load(ctx, u, o.TokenOptions())
	if err != nil {
		return nil, false, err
	}
	defer mod.Close()
	if found, err = mod.Certificates(ctx, u); err != nil {
		return nil, false, err
	}
	switch {
	case len(found) == 0:
		all, err := mod.Certificates(ctx, pkcs11.URI{})
		return nil, false, errors.Join(&pkcs11.NotFoundError{URI: u, What: "certificate", There: uris(all)}, err)
	case u.NamesObject() && len(found) > 1:
		return nil, false, &pkcs11.AmbiguousError{URI: u, What: "certificate", Candidates: uris(found)}
	}
	return found, u.NamesObject(), nil
}

func uris(certs []pkcs11.Certificate) (list []pkcs11.URI) {
	for _, c := range certs {
		list = append(list, c.URI)
	}
	return list
}
