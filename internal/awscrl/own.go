package awscrl

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"

	"kedge/ca"
	"kedge/ca/ledger"
)

// signedList is a list whose signature by the authority's key was verified.
type signedList struct {
	*x509.RevocationList
	pem []byte
}

// own returns the CA's current list, as it was signed, if IAM Roles Anywhere would take it.
func (p *Pusher) own(ctx context.Context) (*signedList, error) {
	der, err := p.Service.PublishedList(ctx, p.Authority)
	if _, none := errors.AsType[*ledger.NotFoundError](err); none {
		return nil, &NoListError{Authority: p.Authority.Name}
	}
	if err != nil {
		return nil, err
	}
	parsed, err := p.Service.CompareList(ctx, p.Authority, der, "the list in the ledger")
	if err != nil {
		return nil, err
	}
	text := pem.EncodeToMemory(&pem.Block{Type: "X509 CRL", Bytes: der})
	if len(text) > ca.MaxCRLSize {
		return nil, &SizeError{Authority: p.Authority.Name, Size: len(text)}
	}
	return &signedList{parsed, text}, nil
}

// number is that of a list that was compared with the ledger, which refuses others.
func (l *signedList) number() int64 { return l.Number.Int64() }

func (l *signedList) is(other *x509.RevocationList) bool { return bytes.Equal(l.Raw, other.Raw) }

func (l *signedList) sum() []byte {
	sum := sha256.Sum256(l.Raw)
	return sum[:]
}

// describe names a list in errors; nil is data that is none of the authority.
func describe(l *x509.RevocationList) string {
	if l == nil {
		return "no list of this authority"
	}
	return fmt.Sprintf("list %v with %d revoked", l.Number, len(l.RevokedCertificateEntries))
}
