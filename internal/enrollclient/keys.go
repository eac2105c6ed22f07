package enrollclient

import (
	"context"
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"

	"kedge/internal/csr"
	"kedge/internal/enrollapi"
	"kedge/internal/hostdir"
	"kedge/signer"
)

// Key is an open private key.
type Key interface {
	crypto.Signer
	Close() error
}

// Keys specifies where the key of a host is, and makes and opens it.
type Keys struct {
	Place string // one of enrollapi.InFile, InTPM and InPKCS11
	// URI names a key that has no file, in hardware. Empty: the key is in a file of the folder, which for
	// a TPM holds what only that TPM can use.
	URI  string
	Type string // such as "P-256"
	// Create makes a new key of the type in the file at path.
	Create func(ctx context.Context, path string) error
	// Open opens the key in a file, or what URI names.
	Open func(ctx context.Context, name string) (Key, error)
	// PasswordFrom and Library say how Open unlocks the key; they are kept for renewals.
	PasswordFrom, Library string
	Device                string // of the TPM; empty: that of the system
}

// isReplaced reports whether each renewal has a new key: those that are in files do, so that a copied
// one is of no use for long.
func (k Keys) isReplaced() bool { return k.Place == enrollapi.InFile }

// pending opens the key that an interrupted run left, if it is of the type, or else makes one.
func (k Keys) pending(ctx context.Context, place hostdir.Pending) (key Key, resumed bool, err error) {
	there, err := place.Exists()
	if err != nil {
		return nil, false, err
	}
	if there {
		if key, err = k.Open(ctx, place.KeyFile()); err != nil {
			return nil, false, err
		}
		if signer.KeyKind(key.Public()) == k.Type {
			return key, true, nil
		}
		if err := key.Close(); err != nil {
			return nil, false, err
		}
		if err := place.Discard(); err != nil {
			return nil, false, err
		}
	}
	if err := place.Make(func(path string) error { return k.Create(ctx, path) }); err != nil {
		return nil, false, err
	}
	key, err = k.Open(ctx, place.KeyFile())
	return key, false, err
}

// note writes into a record what the next renewal needs to open the key.
func (k Keys) note(r *hostdir.Record) {
	r.Key, r.KeyPlace, r.KeyType, r.PasswordFrom, r.Library, r.Device = k.URI, k.Place, k.Type, k.PasswordFrom, k.Library, k.Device
}

// firstRequest asks for a common name; none leaves it to the server.
func firstRequest(name string, key crypto.Signer) ([]byte, error) {
	return sign(x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}, key, name)
}

// nextRequest asks for exactly the names that a certificate has.
func nextRequest(leaf *x509.Certificate, key crypto.Signer) ([]byte, error) {
	return sign(x509.CertificateRequest{
		RawSubject: leaf.RawSubject, DNSNames: leaf.DNSNames, EmailAddresses: leaf.EmailAddresses, IPAddresses: leaf.IPAddresses, URIs: leaf.URIs,
	}, key, leaf.Subject.CommonName)
}

func sign(request x509.CertificateRequest, key crypto.Signer, name string) ([]byte, error) {
	der, err := csr.Sign(request, key)
	if err != nil {
		return nil, &signer.SignError{Subject: name, Err: err}
	}
	return der, nil
}
