package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"sync/atomic"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Prepared is a certificate that has passed every check and lacks only its signature. Only a
// Prepared can be issued, and only once. Its methods are safe for concurrent use.
type Prepared struct {
	key       crypto.Signer
	issuer    *x509.Certificate // nil for a root
	tbs       []byte            // the bytes to be signed
	algorithm []byte            // AlgorithmIdentifier, in DER
	options   crypto.SignerOpts
	preview   *x509.Certificate
	record    Issued // without the certificate
	spent     atomic.Bool
}

// Certificate returns the certificate as it will be, with zeros as the signature: a preview to show
// or to test. It must not be changed.
func (p *Prepared) Certificate() *x509.Certificate { return p.preview }

// draft is the input from which a certificate is prepared.
type draft struct {
	template *x509.Certificate
	public   crypto.PublicKey
	kind     kind     // server, or 0 for all others, which lint tells apart
	allowed  []string // lint warnings that are not errors
	record   Issued
}

// prepare adds what every certificate has, builds the bytes to be signed with key, and lints them,
// including the public key. path holds the issuer and the certificates above it; none for a root.
func (d draft) prepare(key crypto.Signer, path []*x509.Certificate) (*Prepared, error) {
	p := &Prepared{key: key, record: d.record}
	parent := d.template
	if len(path) > 0 {
		p.issuer, parent = path[0], path[0]
		d.template.AuthorityKeyId = parent.SubjectKeyId
	}
	if err := d.identify(); err != nil {
		return nil, err
	}
	c := &capture{public: key.Public()}
	_, err := x509.CreateCertificate(nil, d.template, parent, d.public, c)
	if !errors.Is(err, errCaptured) {
		return nil, fmt.Errorf("the certificate %q cannot be built: %s", namesOf(d.template), buildFault(d.template))
	}
	p.tbs, p.options = c.tbs, c.options
	if p.algorithm, err = signatureAlgorithm(c.tbs); err != nil {
		return nil, err
	}
	if p.preview, err = p.parse(); err != nil {
		return nil, err
	}
	lint := Lint
	if d.kind == server {
		lint = lintServer
	}
	if err := Refuse(p.preview, lint(p.preview, path), d.allowed); err != nil {
		return nil, err
	}
	return p, nil
}

// buildFault finds what crypto/x509 would refuse to encode.
func buildFault(template *x509.Certificate) string {
	for _, rdn := range template.Subject.ToRDNSequence() {
		for _, attribute := range rdn {
			if text, ok := attribute.Value.(string); ok && !utf8.ValidString(text) {
				return fmt.Sprintf("%q is not valid UTF-8", text)
			}
		}
	}
	return "its key, its names or those of its issuer cannot be written as X.509"
}

// identify sets the serial number and the key identifier (RFC 5280, 4.1.2.2 and 4.2.1.2).
func (d draft) identify() (err error) {
	if d.template.SerialNumber, err = newSerial(); err != nil {
		return err
	}
	if d.template.SubjectKeyId == nil {
		if d.template.SubjectKeyId, err = keyID(d.public); err != nil {
			return fmt.Errorf("the key for %q: %w", namesOf(d.template), err)
		}
	}
	return nil
}

// newSerial returns 128 random bits as a positive number: RFC 5280, 4.1.2.2 allows 20 bytes, and
// the CA/Browser Forum requires at least 64 random bits.
func newSerial() (*big.Int, error) {
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		return nil, err
	}
	return serial.Add(serial, big.NewInt(1)), nil
}

// keyID returns the key identifier by method 1 of RFC 7093, section 2: 160 bits of the SHA-256 of
// the key.
func keyID(public crypto.PublicKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return nil, fmt.Errorf("one of type %T cannot be in a certificate; take RSA, EC or ML-DSA", public)
	}
	var info struct {
		Algorithm asn1.RawValue
		Key       asn1.BitString
	}
	if _, err := asn1.Unmarshal(der, &info); err != nil {
		return nil, err
	}
	sum := sha256.Sum256(info.Key.Bytes)
	return sum[:20], nil
}

// capture is a signer that signs nothing: it keeps the bytes that x509 passes to it.
type capture struct {
	public  crypto.PublicKey
	tbs     []byte
	options crypto.SignerOpts
}

var errCaptured = errors.New("captured")

func (c *capture) Public() crypto.PublicKey { return c.public }

func (c *capture) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("a digest cannot be captured")
}

// SignMessage makes c a crypto.MessageSigner, which gets the message and not its digest.
func (c *capture) SignMessage(_ io.Reader, tbs []byte, options crypto.SignerOpts) ([]byte, error) {
	c.tbs, c.options = tbs, options
	return nil, errCaptured
}

// signatureAlgorithm returns the AlgorithmIdentifier in a TBSCertificate: the one next to the
// signature must be equal (RFC 5280, 4.1.1.2).
func signatureAlgorithm(tbs []byte) ([]byte, error) {
	in := cryptobyte.String(tbs)
	var algorithm cryptobyte.String
	if !in.ReadASN1(&in, cbasn1.SEQUENCE) ||
		!in.SkipASN1(cbasn1.Tag(0).ContextSpecific().Constructed()) || // version
		!in.SkipASN1(cbasn1.INTEGER) || // serialNumber
		!in.ReadASN1Element(&algorithm, cbasn1.SEQUENCE) {
		return nil, errors.New("the certificate to be signed cannot be read")
	}
	return algorithm, nil
}

// signatureSize returns the maximum size of a signature, for checks of size limits: one of ECDSA is
// a SEQUENCE of two INTEGERs up to the order of the curve (RFC 3279, 2.2.3).
func signatureSize(public crypto.PublicKey) int {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return key.Size()
	case *ecdsa.PublicKey:
		return 3 + 2*(2+key.Params().BitSize/8+1)
	case *mldsa.PublicKey:
		return key.Parameters().SignatureSize()
	}
	return 0 // x509 refuses such a key
}

// parse returns the preview: the certificate with zeros as the signature.
func (p *Prepared) parse() (*x509.Certificate, error) {
	der, err := p.assemble(make([]byte, signatureSize(p.key.Public())))
	if err != nil {
		return nil, err
	}
	cert, err := ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("what was built is not read again: %w", err)
	}
	return cert, nil
}

// assemble returns the certificate with a signature: Certificate of RFC 5280, 4.1.
func (p *Prepared) assemble(signature []byte) ([]byte, error) {
	const around = 16 // the tags and lengths of the two elements that are encoded here
	b := cryptobyte.NewBuilder(make([]byte, 0, len(p.tbs)+len(p.algorithm)+len(signature)+around))
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddBytes(p.tbs)
		b.AddBytes(p.algorithm)
		b.AddASN1BitString(signature)
	})
	return b.Bytes()
}
