package issuance

import (
	"context"
	"errors"
	"fmt"

	"kedge/ca/ledger"
)

// Selector selects certificates to be revoked or released. Use SelectName and the other
// constructors.
type Selector struct {
	Text    string
	Queries []Query // likeliest first
	Word    bool    // a * is literal; otherwise it matches any run of characters
	Precise bool    // it selects one certificate, for which the operation must be possible
}

// SelectName selects by text that a user typed, parsed as ParseQueries does.
func SelectName(text string) (Selector, error) {
	all, err := ParseQueries(text)
	return Selector{Text: text, Queries: all, Word: true}, err
}

// SelectSerial selects by a serial number, hex or decimal.
func SelectSerial(text string) (Selector, error) {
	return preciseSelector(text, only(BySerial, text), "a serial number, hex or decimal")
}

// SelectFingerprint selects by the SHA-256 of a certificate.
func SelectFingerprint(text string) (Selector, error) {
	return preciseSelector(text, only(ByFingerprint, text), "a SHA-256, 64 digits in hex")
}

// SelectFile selects the certificate in a file, which Config.Certificate reads.
func SelectFile(path string) (Selector, error) {
	return preciseSelector(path, []Query{{ByFile, path}}, "a file")
}

// SelectSubject selects by a common name, or a distinguished name in any order; a * matches any
// characters.
func SelectSubject(text string) (Selector, error) {
	var all []Query
	for _, name := range subjects(text) {
		all = append(all, Query{BySubject, name})
	}
	if len(all) == 0 {
		all = append(all, Query{BySubject, text}) // a common name, or a pattern
	}
	return newSelector(text, all, "a name")
}

// SelectHost selects by the name of a host; a * matches any characters.
func SelectHost(text string) (Selector, error) {
	return newSelector(text, []Query{{ByHost, text}}, "a name")
}

func preciseSelector(text string, queries []Query, what string) (Selector, error) {
	one, err := newSelector(text, queries, what)
	one.Precise = true
	return one, err
}

func newSelector(text string, queries []Query, what string) (Selector, error) {
	if len(queries) == 0 || text == "" {
		return Selector{}, fmt.Errorf("%q is not %s", text, what)
	}
	return Selector{Text: text, Queries: queries}, nil
}

// only returns the queries of a number that have one kind.
func only(kind QueryKind, text string) []Query {
	var all []Query
	for _, q := range numberQueries(text) {
		if q.Kind == kind {
			all = append(all, q)
		}
	}
	return all
}

// keeps reports whether the selector selects a certificate that a query found.
func (t Selector) keeps(q Query, c *ledger.Certificate) bool { return !t.Word || q.is(c) }

// Selection holds the selected certificates that can be revoked, or released.
type Selection struct {
	Certificates []ledger.Certificate
	Skipped      int // selected as well, and not usable
}

// choose returns the selected certificates. usable returns why one cannot be used; if a selector
// has none that can, choose fails as a whole.
func (s *Service) choose(ctx context.Context, all []Selector, usable func(*ledger.Certificate) error) (*Selection, error) {
	chosen := &Selection{}
	seen := map[string]bool{} // fingerprints
	for _, one := range all {
		matches, err := s.selected(ctx, one)
		if err != nil {
			return nil, err
		}
		found := false
		var reason error
		for _, m := range matches {
			switch err := usable(&m.Certificate); {
			case err != nil && one.Precise:
				return nil, err
			case err != nil:
				reason = err
				chosen.Skipped++
				continue
			}
			found = true
			if sum := string(m.Fingerprint); !seen[sum] {
				seen[sum] = true
				chosen.Certificates = append(chosen.Certificates, m.Certificate)
			}
		}
		if !found {
			return nil, reason
		}
	}
	return chosen, nil
}

// selected returns the certificates of a selector. A file of SelectFile must be readable, as it is
// not one interpretation among others; its certificate may be unknown to the ledger.
func (s *Service) selected(ctx context.Context, one Selector) ([]Match, error) {
	file := !one.Word && one.Queries[0].Kind == ByFile
	if file {
		if _, err := s.readFile(one.Text); err != nil {
			return nil, err
		}
	}
	matches, err := s.matches(ctx, one.Text, one.Queries, one.keeps)
	if _, none := errors.AsType[*NoMatchError](err); !none || !file {
		return matches, err
	}
	unknown, unreadable := s.unknownIn(ctx, one.Text)
	if unreadable != nil || unknown == nil {
		return nil, errors.Join(unreadable, err)
	}
	return []Match{{*unknown, ByFile}}, nil
}
