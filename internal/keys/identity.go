package keys

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"sync"

	"kedge/pkcs11"
	"kedge/signer"
	"kedge/tpm"
)

// Pair specifies where the key and the certificate of an identity in hardware are.
type Pair struct {
	// Key is the URI of the key; empty: it is the TSS2 key in Files.PrivateKey.
	Key string
	// Certificate is the pkcs11: URI of the certificate, whose issuers are then read from its
	// token; empty: they are in Files.Certificate.
	Certificate string
	// Files are the other files. Now is always set.
	Files signer.Files
	// Meanwhile, if not nil, is called while the key is opened: concurrently with the hardware, and
	// before a PIN is asked for. Its error is returned.
	Meanwhile func() error
	Options
}

// now returns the pair with what is in its files, which are read together: a key of a TPM and its
// certificate in one folder are of one version of that.
func (p *Pair) now() *Pair {
	now := *p
	now.Files = p.Files.Together()
	now.file = now.Files.PrivateKey
	return &now
}

// IsTPMFile reports whether Files.PrivateKey is a TSS2 key file.
func (p *Pair) IsTPMFile() bool {
	data, err := p.Files.PrivateKey.Read()
	return err == nil && tpm.IsKeyFile(data)
}

// openKey opens the key, and checks the certificate concurrently.
func (p *Pair) openKey(ctx context.Context) (*Key, error) {
	o := p.Options
	o.precheck = sync.OnceValues(p.precheck)
	go o.precheck()
	key, err := p.openWith(ctx, o)
	if _, precheckErr := o.precheck(); precheckErr != nil {
		if err == nil {
			key.Close()
		}
		return nil, precheckErr
	}
	return key, err
}

func (p *Pair) openWith(ctx context.Context, o Options) (*Key, error) {
	if p.Key == "" {
		return OpenBlob(ctx, p.Files.PrivateKey, o)
	}
	return Open(ctx, p.Key, o)
}

// precheck does the checks that come before a secret is asked for, so that the user does not type it in
// vain. It returns the public key if the certificate is in a file.
func (p *Pair) precheck() (public crypto.PublicKey, err error) {
	if p.Meanwhile != nil {
		if err := p.Meanwhile(); err != nil {
			return nil, err
		}
	}
	if p.Certificate != "" {
		return nil, nil
	}
	return p.Files.PublicKey()
}

// InTPM reports whether the key can be in a TPM: it has no URI of a token.
func (p *Pair) InTPM() bool { return !IsTokenURI(p.Key) }

// reopenKey opens the key that the URI refers to now. On a token it uses the module that is logged
// in, so that no PIN is tried again.
func (p *Pair) reopenKey(ctx context.Context, old *Key) (*Key, error) {
	if old.mod == nil {
		return p.openKey(ctx)
	}
	u, err := pkcs11.ParseURI(p.Key)
	if err != nil {
		return nil, err
	}
	return findOnToken(ctx, old.mod, u, p.precheck)
}

// identity returns the identity of the key and the current certificates.
func (p *Pair) identity(ctx context.Context, key *Key) (*signer.Identity, error) {
	f := p.Files
	f.PrivateKey, f.Key = signer.Blob{}, key
	if p.Certificate != "" {
		certs, err := p.onToken(ctx, key)
		if err != nil {
			return nil, err
		}
		f.Certificate = signer.Bytes(WithoutSecrets(p.Certificate), bytes.Join(certs, nil))
	}
	return signer.Load(f)
}

// onToken returns the certificates that the URI matches, and those that may have issued them.
func (p *Pair) onToken(ctx context.Context, key *Key) ([][]byte, error) {
	if p.Certificate == p.Key {
		certs, err := key.Certificates(ctx)
		return raw(certs), err
	}
	u, err := pkcs11.ParseURI(p.Certificate)
	if err != nil {
		return nil, err
	}
	mod, done, err := p.module(ctx, u, key)
	if err != nil {
		return nil, err
	}
	defer done()
	meant, err := mod.Certificates(ctx, u)
	if err != nil {
		return nil, err
	}
	all, err := mod.Certificates(ctx, pkcs11.URI{})
	if err != nil {
		return nil, err
	}
	if len(meant) == 0 {
		return nil, &pkcs11.NotFoundError{URI: u, What: "certificate", There: uris(all)}
	}
	return chosen(meant, all, key.Public())
}

// module returns the module of key if the URI means the same one, else another one to be closed.
func (p *Pair) module(ctx context.Context, u pkcs11.URI, key *Key) (mod *pkcs11.Module, done func(), err error) {
	path, err := pkcs11.ModulePath(u, p.Library)
	if err != nil {
		return nil, nil, err
	}
	if key.mod != nil && key.mod.Path() == path {
		return key.mod, func() {}, nil
	}
	mod, err = pkcs11.Load(ctx, u, p.TokenOptions())
	if err != nil {
		return nil, nil, err
	}
	return mod, func() { mod.Close() }, nil
}

// chosen returns the matching certificates, and after them all others except those of the same key,
// which the URI did not select.
func chosen(meant, all []pkcs11.Certificate, public crypto.PublicKey) ([][]byte, error) {
	var certs [][]byte
	for _, c := range meant {
		if c.X509 == nil {
			return nil, c.Error
		}
		certs = append(certs, c.X509.Raw)
	}
	own, _ := public.(interface{ Equal(crypto.PublicKey) bool })
	for _, c := range all {
		if c.X509 != nil && c.X509.IsCA && (own == nil || !own.Equal(c.X509.PublicKey)) {
			certs = append(certs, c.X509.Raw)
		}
	}
	return certs, nil
}

func raw(certs []*x509.Certificate) (der [][]byte) {
	for _, c := range certs {
		der = append(der, c.Raw)
	}
	return der
}
