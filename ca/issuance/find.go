package issuance

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"slices"
	"strings"

	"kedge/ca/ledger"
)

// NoMatchError reports that no certificate in the ledger matches the text.
type NoMatchError struct {
	Text    string
	NoFile  bool   // the text is like a path, and there is no such file
	Subject string // of the certificate in the file, if the text names one
}

func (e *NoMatchError) Error() string {
	switch {
	case e.Subject != "":
		return fmt.Sprintf("the certificate %q in %s is not in the ledger", e.Subject, e.Text)
	case e.NoFile:
		return fmt.Sprintf("there is no file %q, and no certificate in the ledger is named so", e.Text)
	}
	return fmt.Sprintf("no certificate in the ledger is named by %q", e.Text)
}

// noMatch returns the error for a text that no certificate matches.
func (s *Service) noMatch(text string, all []Query) error {
	e := &NoMatchError{Text: strings.TrimSpace(text)}
	path := e.Text
	switch {
	case s.readCert == nil || len(all) == 0:
		return e
	case all[0].Kind == ByFile:
		path = all[0].Value
	case !looksLikeEvents(path):
		return e
	}
	cert, err := s.readCert(path)
	e.NoFile = errors.Is(err, fs.ErrNotExist)
	if err == nil {
		e.Subject = cert.Subject.String()
	}
	return e
}

// Match is a certificate with the query that found it.
type Match struct {
	ledger.Certificate
	By QueryKind
}

// Find returns every certificate that text can mean, parsed as ParseQueries does, those of the
// likeliest query first. If there is none, the error is a *NoMatchError.
func (s *Service) Find(ctx context.Context, text string) ([]Match, error) {
	all, err := ParseQueries(text)
	if err != nil {
		return nil, err
	}
	return s.matches(ctx, text, all, Query.is)
}

// FindLast returns the last issued of what Find returns, and the number of the others. One of a probe is returned
// if there is no other.
func (s *Service) FindLast(ctx context.Context, text string) (last ledger.Certificate, others int, err error) {
	all, err := s.Find(ctx, text)
	for i, m := range all {
		if i == 0 || later(&m.Certificate, &last) {
			last = m.Certificate
		}
	}
	return last, len(all) - 1, err
}

// later reports whether a was issued after b; one of a probe counts as earlier than all others.
func later(a, b *ledger.Certificate) bool {
	if probe := a.Kind == ledger.Probe; probe != (b.Kind == ledger.Probe) {
		return !probe
	}
	return a.Seq > b.Seq
}

// matches returns every certificate that a query of text finds and keep accepts.
func (s *Service) matches(ctx context.Context, text string, all []Query, keep func(Query, *ledger.Certificate) bool) ([]Match, error) {
	matches, err := s.matchesIn(all, keep, func(f ledger.Filter) iter.Seq2[ledger.Certificate, error] { return s.ledger.List(ctx, f) })
	if len(matches) == 0 && err == nil {
		err = s.noMatch(text, all)
	}
	return matches, err
}

// matchesIn is matches among what list returns for a filter. No match is no error.
func (s *Service) matchesIn(all []Query, keep func(Query, *ledger.Certificate) bool, list func(ledger.Filter) iter.Seq2[ledger.Certificate, error]) ([]Match, error) {
	var matches []Match
	seen := map[int64]bool{}
	for _, q := range all {
		f, ok, err := s.filter(q, ledger.Filter{})
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		for c, err := range list(f) {
			if err != nil {
				return nil, err
			}
			if !seen[c.Seq] && keep(q, &c) {
				seen[c.Seq] = true
				matches = append(matches, Match{c, q.Kind})
			}
		}
	}
	return matches, nil
}

// Lookup returns the filter that finds what text names, parsed as ParseQueries does: the first
// query that finds a certificate. narrow has further conditions, such as a state; its names, serial
// and fingerprint are overwritten. If nothing is found, the error is a *NoMatchError.
func (s *Service) Lookup(ctx context.Context, text string, narrow ledger.Filter) (ledger.Filter, error) {
	all, err := ParseQueries(text)
	if err != nil {
		return narrow, err
	}
	for _, q := range all {
		f, ok, err := s.filter(q, narrow)
		if err != nil {
			return narrow, err
		}
		if !ok {
			continue
		}
		one := f
		one.Limit = 1
		for _, err := range s.ledger.List(ctx, one) {
			return f, err
		}
	}
	return narrow, s.noMatch(text, all)
}

// filter adds a query to a filter; ok is false for a file that does not exist.
func (s *Service) filter(q Query, f ledger.Filter) (_ ledger.Filter, ok bool, err error) {
	switch q.Kind {
	case ByFile:
		cert, err := s.readFile(q.Value)
		if errors.Is(err, fs.ErrNotExist) {
			return f, false, nil
		}
		if err != nil {
			return f, false, err
		}
		f.Fingerprint = fingerprint(cert)
	case ByFingerprint:
		f.Fingerprint = q.Value
	case BySerial:
		f.Serial = q.Value
	case BySubject:
		f.Subject = q.Value
	case ByCommonName:
		f.CommonName = q.Value
	case ByHost:
		f.Host = q.Value
	case BySAN:
		f.SAN = q.Value
	}
	return f, true, nil
}

func (s *Service) readFile(path string) (*x509.Certificate, error) {
	if s.readCert == nil {
		return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
	}
	return s.readCert(path)
}

// is reports whether the query matches the certificate literally. In a filter a * matches any
// characters; a certificate's name can contain one.
func (q Query) is(c *ledger.Certificate) bool {
	if !strings.Contains(q.Value, "*") {
		return true
	}
	switch q.Kind {
	case BySubject:
		return c.Subject == q.Value
	case ByCommonName:
		return c.CommonName == q.Value
	case ByHost:
		return c.Host == q.Value
	case BySAN:
		names, err := c.SANs()
		all := slices.Concat(names.URIs, names.IPs, names.Emails)
		return err == nil && (slices.Contains(all, q.Value) || slices.ContainsFunc(names.DNS, func(name string) bool { return strings.EqualFold(name, q.Value) }))
	}
	return true
}

// fingerprint returns the SHA-256 of a certificate in hex.
func fingerprint(cert *x509.Certificate) string {
	sum := sha256.Sum256(cert.Raw)
	return hex.EncodeToString(sum[:])
}

// ResolveFilter returns a filter with its issuer as ResolveIssuer returns it, and its subject, if that
// is a distinguished name, as ResolveSubject does.
func (s *Service) ResolveFilter(ctx context.Context, f ledger.Filter) (ledger.Filter, error) {
	var err error
	if f.Issuer != "" {
		if f.Issuer, err = s.ResolveIssuer(ctx, f.Issuer); err != nil {
			return f, err
		}
	}
	if strings.Contains(f.Subject, "=") {
		f.Subject, err = s.ResolveSubject(ctx, f.Subject)
	}
	return f, err
}

// ResolveIssuer returns the ledger's identifier of an issuer, for ledger.Filter: its key identifier
// for the name of an authority, and otherwise its distinguished name in the ledger's order. A
// pattern and a key identifier are returned as they are; an unknown name is an
// *UnknownAuthorityError.
func (s *Service) ResolveIssuer(ctx context.Context, text string) (string, error) {
	authorities, err := s.ledger.Authorities(ctx)
	if err != nil {
		return "", err
	}
	var known []string
	for _, a := range authorities {
		known = append(known, a.Name)
		if a.Name == text {
			return keyID(a), nil
		}
	}
	for _, a := range authorities {
		for _, name := range subjects(text) {
			if name == a.Certificate.Subject.String() {
				return name, nil
			}
		}
	}
	if _, isHex := hexDigits(text); isHex || strings.ContainsAny(text, "*=") {
		return text, nil
	}
	return "", &UnknownAuthorityError{text, known}
}

// ResolveSubject returns a distinguished name in the order in which the ledger has it, or text if
// the ledger does not have it.
func (s *Service) ResolveSubject(ctx context.Context, text string) (string, error) {
	for _, name := range subjects(text) {
		for _, err := range s.ledger.List(ctx, ledger.Filter{Subject: name, Limit: 1}) {
			return name, err
		}
	}
	return text, nil
}
