package issuance

import (
	"context"
	"fmt"

	"kedge/ca/ledger"
)

// Selector names certificates that something is to be done with. Make one with SelectName and
// its sisters.
type Selector struct {
	Text    string
	Queries []Query // likeliest first
	Word    bool    // in it a * is a character; elsewhere it stands for any
	Precise bool    // it means one certificate, which must be fit for what is to be done with it
}

// SelectName takes what a person types, read as ParseQueries does.
func SelectName(text string) (Selector, error) {
	all, err := ParseQueries(text)
	return Selector{Text: text, Queries: all, Word: true}, err
}

// SelectSerial takes a serial number, hex or decimal.
func SelectSerial(text string) (Selector, error) {
	return preciseSelector(text, only(BySerial, text), "a serial number, hex or decimal")
}

// SelectFingerprint takes the SHA-256 of a certificate.
func SelectFingerprint(text string) (Selector, error) {
	return preciseSelector(text, only(ByFingerprint, text), "a SHA-256, 64 digits in hex")
}

// SelectFile takes the certificate in a file, which Config.Certificate reads.
func SelectFile(path string) (Selector, error) {
	return preciseSelector(path, []Query{{ByFile, path}}, "a file")
}

// SelectSubject takes a common name, or a distinguished name in any order; a * stands for any
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

// SelectHost takes the name of a host; a * stands for any characters.
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

// only returns the queries of a number that are of one kind.
func only(kind QueryKind, text string) []Query {
	var all []Query
	for _, q := range numberQueries(text) {
		if q.Kind == kind {
			all = append(all, q)
		}
	}
	return all
}

func (t Selector) keeps(q Query, c *ledger.Certificate) bool { return !t.Word || q.is(c) }

// Selection is what was named and can be taken.
type Selection struct {
	Certificates []ledger.Certificate
	Skipped      int // named as well, and not fit
}

// choose returns the certificates that are named. usable says why one is not fit; a selector
// must have one that is. Nothing but an error is returned when a selector has none.
func (s *Service) choose(ctx context.Context, all []Selector, usable func(*ledger.Certificate) error) (*Selection, error) {
	chosen := &Selection{}
	seen := map[int64]bool{}
	for _, t := range all {
		if !t.Word && t.Queries[0].Kind == ByFile {
			if _, err := s.readFile(t.Text); err != nil { // it was meant, and not one way among others
				return nil, err
			}
		}
		matches, err := s.matches(ctx, t.Text, t.Queries, t.keeps)
		if err != nil {
			return nil, err
		}
		fit := false
		var unfit error
		for _, one := range matches {
			switch err := usable(&one.Certificate); {
			case err != nil && t.Precise:
				return nil, err
			case err != nil:
				unfit = err
				chosen.Skipped++
				continue
			}
			fit = true
			if !seen[one.Seq] {
				seen[one.Seq] = true
				chosen.Certificates = append(chosen.Certificates, one.Certificate)
			}
		}
		if !fit {
			return nil, unfit
		}
	}
	return chosen, nil
}
