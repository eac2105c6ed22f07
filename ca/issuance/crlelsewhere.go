package issuance

import (
	"context"
	"crypto/x509"
	"errors"

	"kedge/ca/ledger"
)

// CompareList compares a complete CRL of an authority, in DER or PEM, that was found at a place, such as an
// ARN, with the ledger, by the rules for the list that PublishCRL would replace: it is an *OddListError if the
// authority's key did not sign it, and a *ForgottenError if the ledger lacks its number or some of its
// revocations. With a *ForgottenError the list is returned as well. Nothing is changed.
func (s *Service) CompareList(ctx context.Context, a ledger.Authority, data []byte, place string) (*x509.RevocationList, error) {
	found, err := s.listAt(ctx, a, data, place)
	if found == nil {
		return nil, err
	}
	return found.list, err
}

// listAt is CompareList with what the ledger lacks.
func (s *Service) listAt(ctx context.Context, a ledger.Authority, data []byte, place string) (*lastCRL, error) {
	found := &lastCRL{by: a, place: place}
	list, err := found.parse(data)
	if err != nil {
		return nil, err
	}
	found.list = list
	found.foreign, err = s.forgotten(ctx, found, list)
	return found, err
}

// TakeList records a CRL of an authority that was found at a place, as PublishCRL does with CRLRequest.Take: what
// the ledger lacks of it is revoked, and the next CRL has a higher number. It returns the serial numbers, in hex,
// that were taken; nothing happens if the ledger lacks nothing. why is recorded.
func (s *Service) TakeList(ctx context.Context, a ledger.Authority, data []byte, place, why string) (taken []string, err error) {
	found, err := s.listAt(ctx, a, data, place)
	forgotten, ok := errors.AsType[*ForgottenError](err)
	if !ok {
		return nil, err
	}
	return forgotten.Serials, s.ledger.TakeList(ctx, *found.foreign, why)
}
