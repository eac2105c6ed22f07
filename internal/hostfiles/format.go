package hostfiles

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"software.sslmate.com/src/go-pkcs12"

	"kedge/internal/atomicfile"
	ownpkcs12 "kedge/internal/pkcs12"
)

// Format specifies which files are written beside the certificate and its issuers' certificates.
type Format struct {
	FullChain bool   // the certificate and the intermediates, in one file
	PKCS12    bool   // key, certificate and issuers
	Legacy    bool   // with the weak encryption that old readers of PKCS#12 need
	Password  []byte // of the PKCS#12
}

// Certificates are a certificate and those of its issuers.
type Certificates struct {
	Leaf          *x509.Certificate
	Issuers       []*x509.Certificate // from the one that issued Leaf up to the root
	Intermediates []*x509.Certificate // those of Issuers that a host sends: without the root
}

// encode returns the files except the key, in the order in which they are to be written: the
// certificate last, since it shows that the others are there. Paths of files that are not written
// are cleared. key is for the PKCS#12 only.
func (f Format) encode(c Certificates, key crypto.Signer, paths *Paths) ([]atomicfile.File, error) {
	files := []atomicfile.File{{Path: paths.Chain, Data: CertificatePEM(c.Issuers...), Mode: 0o644}}
	if f.FullChain {
		all := append([]*x509.Certificate{c.Leaf}, c.Intermediates...)
		files = append(files, atomicfile.File{Path: paths.FullChain, Data: CertificatePEM(all...), Mode: 0o644})
	} else {
		paths.FullChain = ""
	}
	if f.PKCS12 {
		if public, ok := c.Leaf.PublicKey.(interface{ Equal(crypto.PublicKey) bool }); !ok || key == nil || !public.Equal(key.Public()) {
			return nil, fmt.Errorf("%s is not written: %s is not the key of the certificate", paths.PKCS12, paths.Key)
		}
		encoder := pkcs12.Modern
		if f.Legacy {
			encoder = pkcs12.LegacyDES
		}
		data, err := encoder.Encode(key, c.Leaf, c.Issuers, string(f.Password))
		if err == nil {
			data, err = ownpkcs12.SetFriendlyName(data, f.Password, c.Leaf.Subject.CommonName)
		}
		if err != nil {
			return nil, fmt.Errorf("encode %s: %w", paths.PKCS12, err)
		}
		files = append(files, atomicfile.File{Path: paths.PKCS12, Data: data, Mode: 0o600})
	} else {
		paths.PKCS12 = ""
	}
	return append(files, atomicfile.File{Path: paths.Certificate, Data: CertificatePEM(c.Leaf), Mode: 0o644}), nil
}

// CertificatePEM encodes certificates, one after the other.
func CertificatePEM(certs ...*x509.Certificate) []byte {
	var data []byte
	for _, c := range certs {
		data = append(data, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
	}
	return data
}

// KeyPEM encodes PKCS#8.
func KeyPEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}
