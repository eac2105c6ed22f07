package issuance

import (
	"context"
	"iter"

	"kedge/ca/ledger"
)

// Archive moves certificates that expired before a time, and were superseded, from the ledger into
// segments in a folder, which the issuing authority signs: see ledger.Ledger.Archive. o.Signer is not used.
func (s *Service) Archive(ctx context.Context, o ledger.ArchiveOptions) (ledger.Archived, error) {
	path, err := s.Path(ctx, "")
	if err != nil {
		return ledger.Archived{}, err
	}
	authority, err := s.Authority(ctx, path)
	if err != nil {
		return ledger.Archived{}, err
	}
	o.Signer = authority
	return s.ledger.Archive(ctx, o)
}

// FindAll is Find in the ledger and in the segments of its archive, in a folder; what segments have comes
// last. broken is called once for each segment that cannot be read.
func (s *Service) FindAll(ctx context.Context, text, dir string, broken func(*ledger.SegmentError)) ([]Match, error) {
	all, err := ParseQueries(text)
	if err != nil {
		return nil, err
	}
	found, err := s.FindQueries(ctx, all, dir, broken)
	if len(found) == 0 && err == nil {
		err = s.noMatch(text, all)
	}
	return found, err
}

// FindQueries returns the certificates that match one of several queries, as FindAll does. No match is no error.
func (s *Service) FindQueries(ctx context.Context, all []Query, dir string, broken func(*ledger.SegmentError)) ([]Match, error) {
	found, err := s.matchesIn(all, Query.is, func(f ledger.Filter) iter.Seq2[ledger.Certificate, error] { return s.ledger.List(ctx, f) })
	if err != nil {
		return nil, err
	}
	seen := map[int64]bool{} // each query reads all segments
	once := func(e *ledger.SegmentError) {
		if !seen[e.Number] {
			seen[e.Number] = true
			broken(e)
		}
	}
	archived, err := s.matchesIn(all, Query.is, func(f ledger.Filter) iter.Seq2[ledger.Certificate, error] {
		return s.ledger.ListArchived(ctx, dir, f, once)
	})
	return append(found, archived...), err
}
