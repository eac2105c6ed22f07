package keyfile

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"kedge/internal/pemread"
)

// The things people hand over by mistake, each with what to do about it.
const (
	pkcs7Advice   = `a PKCS#7 bundle (convert it: openssl pkcs7 -print_certs -in FILE, with -inform DER if it is binary)`
	opensshAdvice = `an OpenSSH key (convert a copy: ssh-keygen -p -N "" -m PKCS8 -f COPY)`
	tpmAdvice     = "a TPM key, which only its TPM can use"
)

// skip reports whether a block of PEM is of no use to the caller: it may be damaged then, or not
// even be base64.
func (p *parser) skip(label string) bool {
	switch label {
	case "CERTIFICATE", "X509 CERTIFICATE", "TRUSTED CERTIFICATE":
		return p.want == PrivateKeys
	case "PRIVATE KEY", "ENCRYPTED PRIVATE KEY", "RSA PRIVATE KEY", "EC PRIVATE KEY":
		return p.want == Certificates
	case "PKCS12": // certtool --to-p12
		return false
	}
	return true
}

func (p *parser) block(b pemread.Block) error {
	if b.DER == nil {
		p.pass(describe(b))
		return nil
	}
	switch b.Kind {
	case pemread.Certificate:
		return p.addCertificate(b.DER)
	case pemread.PrivateKey, pemread.EncryptedKey:
		return p.addKey(func() (crypto.Signer, error) { return p.keyBlock(b) })
	case pemread.PKCS12:
		return p.pkcs12(b.DER)
	}
	p.pass(describe(b))
	return nil
}

// describe names a block that holds neither a certificate nor a usable private key.
func describe(b pemread.Block) string {
	switch {
	case b.Kind == pemread.PKCS7:
		return pkcs7Advice
	case b.Kind == pemread.OpenSSHKey:
		return opensshAdvice
	case b.Kind == pemread.TPMKey:
		return tpmAdvice
	case b.Label == "DSA PRIVATE KEY":
		return "a DSA private key, for which Roles Anywhere has no algorithm"
	case strings.HasPrefix(b.Label, "PGP "):
		return "an OpenPGP block"
	case b.Label == "EC PARAMETERS":
		return "EC parameters alone"
	}
	return b.String()
}

// keyBlock reads a key by what is in the block: labels and contents are met in every pairing.
func (p *parser) keyBlock(b pemread.Block) (crypto.Signer, error) {
	if strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") {
		return p.legacyKeyBlock(&pem.Block{Type: b.Label, Headers: b.Headers, Bytes: b.DER})
	}
	return parseKey(b.DER, p.password)
}

// legacyKeyBlock reads a key encrypted as RFC 1421 did and "openssl rsa -aes256" with
// -traditional still does. It is weak (one round of MD5), but the key is there and has to be read.
func (p *parser) legacyKeyBlock(block *pem.Block) (crypto.Signer, error) {
	password, err := p.password()
	if err != nil {
		return nil, err
	}
	//lint:ignore SA1019 reading only; see above
	der, err := x509.DecryptPEMBlock(block, password)
	if errors.Is(err, x509.IncorrectPasswordError) {
		return nil, ErrWrongPassword
	}
	if err != nil {
		return nil, fmt.Errorf("the block %s in it is encrypted in a way that is not read here: DEK-Info %q", block.Type, block.Headers["DEK-Info"])
	}
	defer clear(der)
	if formOf(der) == formUnknown { // one padding in 256 is right by chance
		return nil, ErrWrongPassword
	}
	return parseKey(der, noPassword)
}
