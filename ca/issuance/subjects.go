package issuance

import (
	"context"
	"iter"

	"kedge/ca/ledger"
)

// ValidHosts yields the newest valid certificate of each host. An error ends it.
func (s *Service) ValidHosts(ctx context.Context) iter.Seq2[ledger.Certificate, error] {
	return s.ledger.Hosts(ctx, s.now())
}

// HasSubject reports whether the ledger has a certificate, of a host or of a probe, with a distinguished name as in RFC
// 2253.
func (s *Service) HasSubject(ctx context.Context, subject string) (bool, error) {
	for _, err := range s.ledger.List(ctx, ledger.Filter{Subject: subject, Limit: 1}) {
		return err == nil, err
	}
	return false, nil
}
