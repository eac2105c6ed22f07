package ca

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// Issued is what is recorded of a certificate.
type Issued struct {
	Certificate *x509.Certificate
	Issuer      *x509.Certificate // of the authority that signed it; nil for a root
	Profile     string            // by which a leaf was made; empty for a CA certificate
	Host        string            // which machine it is for; may be empty
	Why         string            // may be empty
	Replaces    []byte            // SHA-256 of the certificate that it renews; nil otherwise
	At          time.Time

	// Once asks for one certificate only: a Recorder that knows of a valid one, of this key,
	// subject and issuer, refuses another.
	Once bool
	// AllowRevokedKey is the operator's word that a key may be certified of which a certificate
	// was revoked. No word helps a compromised key.
	AllowRevokedKey bool
}

// Recorder keeps what was issued. When RecordIssued returns nil, the record must survive a
// crash of the machine, since the certificate is handed out next; when it returns an error,
// the certificate is thrown away. It is called concurrently.
type Recorder interface {
	RecordIssued(ctx context.Context, i Issued) error
}

// Unrecorded is the Recorder of a CA without a ledger, such as one made for a test: it keeps
// nothing.
type Unrecorded struct{}

// RecordIssued does nothing.
func (Unrecorded) RecordIssued(context.Context, Issued) error { return nil }

// ErrSpent says that a prepared certificate was issued before, or that trying to failed.
var ErrSpent = errors.New("a prepared certificate can be issued once; prepare another")

// Issue signs the certificate, verifies the signature, records the certificate and only then
// returns it. Once it began, whatever the outcome, another call returns ErrSpent: a serial
// number is used once. It does not begin without a recorder or with a context that has ended.
func (p *Prepared) Issue(ctx context.Context, to Recorder) (*x509.Certificate, error) {
	if to == nil {
		return nil, errors.New("a certificate is issued only with a recorder")
	}
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if p.spent.Swap(true) {
		return nil, ErrSpent
	}
	cert, err := p.sign()
	if err != nil {
		return nil, fmt.Errorf("sign the certificate %q: %w", p.preview.Subject, err)
	}
	record := p.record
	record.Certificate, record.Issuer = cert, p.issuer
	if err := to.RecordIssued(ctx, record); err != nil {
		return nil, fmt.Errorf("record the certificate %q: %w", cert.Subject, err)
	}
	return cert, nil
}

// sign signs the very bytes that were checked. A faulty key store is found here: a
// signature that does not verify is not handed out.
func (p *Prepared) sign() (*x509.Certificate, error) {
	signature, err := crypto.SignMessage(p.key, rand.Reader, p.tbs, p.options)
	if err != nil {
		return nil, err
	}
	der, err := p.assemble(signature)
	if err != nil {
		return nil, err
	}
	// But for the signature it is what was parsed already.
	cert := new(*p.preview)
	cert.Raw, cert.Signature = der, signature
	issuer := p.issuer
	if issuer == nil {
		issuer = cert
	}
	if cert.CheckSignatureFrom(issuer) != nil { // the reason says no more
		return nil, errors.New("the signature does not verify: the key is another's, or its key store is faulty")
	}
	return cert, nil
}
