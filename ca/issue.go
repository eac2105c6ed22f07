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

// Issued is a certificate with what is recorded about it.
type Issued struct {
	Certificate *x509.Certificate
	Issuer      *x509.Certificate // of the authority that signed it; nil for a root
	Profile     string            // of a leaf; empty for a certificate of a CA or a server
	Host        string            // the machine it is for; may be empty
	Why         string            // may be empty
	Replaces    []byte            // SHA-256 of the certificate that it renews; nil otherwise
	At          time.Time

	// Once asks for one certificate only: if a Recorder has a valid one with this key, subject and
	// issuer, it refuses another.
	Once bool
	// AllowRevokedKey is the operator's permission to certify a key that has a revoked certificate.
	// It does not apply to a compromised key.
	AllowRevokedKey bool
	// Enrollment is the proof of a host that asked a server; nil: the operator issued it at the CA.
	Enrollment *Enrollment
	// Server marks the certificate of an enrollment server. It is no identity of a host, and its DNS
	// names and addresses are in no leaf.
	Server bool
	// Probe marks the certificate of a probe: its key is in memory only, for one session at AWS. It is in no lineage,
	// and is never renewed.
	Probe bool
}

// Recorder records issued certificates. When RecordIssued returns nil, the record must survive a
// crash of the machine, since the certificate is returned next; when it returns an error, the
// certificate is discarded. It is called concurrently.
type Recorder interface {
	RecordIssued(ctx context.Context, i Issued) error
}

// Unrecorded is the Recorder of a CA without a ledger, such as one in a test: it records nothing.
type Unrecorded struct{}

// RecordIssued does nothing.
func (Unrecorded) RecordIssued(context.Context, Issued) error { return nil }

// ErrSpent is returned for a prepared certificate for which Issue was called before.
var ErrSpent = errors.New("a prepared certificate can be issued once; prepare another")

// Issue signs the certificate, verifies the signature, records the certificate and only then
// returns it. After the first call, whatever its result, another one returns ErrSpent: a serial
// number is used once. A call without a recorder or with a context that has ended does not count.
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
		return nil, fmt.Errorf("sign the certificate %q: %w", namesOf(p.preview), err)
	}
	record := p.record
	record.Certificate, record.Issuer = cert, p.issuer
	if err := to.RecordIssued(ctx, record); err != nil {
		return nil, fmt.Errorf("cannot record the certificate %q: %w", namesOf(cert), err)
	}
	return cert, nil
}

// sign signs exactly the bytes that were checked, and verifies the signature, so that a faulty key
// store is detected.
func (p *Prepared) sign() (*x509.Certificate, error) {
	signature, err := crypto.SignMessage(p.key, rand.Reader, p.tbs, p.options)
	if err != nil {
		return nil, err
	}
	der, err := p.assemble(signature)
	if err != nil {
		return nil, err
	}
	// Except for the signature it equals the preview.
	cert := new(*p.preview)
	cert.Raw, cert.Signature = der, signature
	issuer := p.issuer
	if issuer == nil {
		issuer = cert
	}
	if cert.CheckSignatureFrom(issuer) != nil { // x509's error adds nothing
		return nil, errors.New("the signature does not verify: the key is another's, or its key store is faulty")
	}
	return cert, nil
}
