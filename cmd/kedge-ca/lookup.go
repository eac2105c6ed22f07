package main

import (
	"context"

	"kedge/ca/ledger"
)

// lookup returns the filter that finds what text names: the first way to read it that finds a
// certificate.
func (s *store) lookup(ctx context.Context, text string, narrow ledger.Filter) (ledger.Filter, error) {
	return s.service.Lookup(ctx, text, narrow)
}
