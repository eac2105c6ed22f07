package takeover

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"kedge/ca"
)

// Sources specifies what to read.
type Sources struct {
	CA    []*x509.Certificate // of the CA, current and earlier ones: at least one, all of one key
	Paths []string            // files and folders: certificates, index.txt, CRLs among them
	CRL   []string            // files that must be CRLs of the CA
	Now   time.Time           // to decide what has expired, and for a revocation without a valid time
}

// Item is a certificate that the CA issued, or the serial number of one that it revoked and that
// was not found.
type Item struct {
	Certificate *x509.Certificate // nil: only the serial number is known
	Serial      *big.Int          // positive
	NotAfter    time.Time         // zero if neither the certificate nor index.txt has it
	Subject     string            // from index.txt, if there is no certificate; may be empty
	Revoked     *Revocation       // nil: it is not revoked
	From        string            // the file, with ":LINE" for a line of index.txt
}

// Revocation is a revocation, merged from all sources that have it: the earliest time and the
// gravest reason.
type Revocation struct {
	At     time.Time // in UTC, whole seconds
	Reason ca.Reason // never RemoveFromCRL
	From   string    // the first source that has it, as in Item
}

// Summary counts what was found. Skipped has what could not be used, Notes what was used in spite
// of a doubt; they have the first few of each kind, and More counts the rest.
type Summary struct {
	Certificates int                 // items with a certificate
	Revoked      int                 // of these, those that are revoked
	SerialsOnly  int                 // items without a certificate; all are revoked
	Own          []*x509.Certificate // certificates of the CA itself that were found and are not in Sources.CA
	Duplicates   int                 // certificates found again
	Forgotten    int                 // lines of index.txt for expired certificates that were not found
	Keys         int                 // private keys, which are not read
	Requests     int                 // certificate requests
	Bookkeeping  int                 // files of openssl and easy-rsa without certificates
	CRLs         int                 // CRLs of the CA that were read
	Lists        []List              // those CRLs, without duplicates
	CRLNumber    *big.Int            // the highest that the CA used, from CRLs and crlnumber; nil: unknown

	Skipped []Skipped
	Notes   []Skipped
	More    int
	Counts  map[Kind]int // all of Skipped and Notes, including those that More counts
}

// Lacking counts what belongs to the CA and could not be used.
func (s *Summary) Lacking() (n int) {
	for _, kind := range []Kind{Missing, Faulty, Unreadable, Clash} {
		n += s.Counts[kind]
	}
	return n
}

// List is a CRL of the CA.
type List struct {
	Path string
	CRL  *x509.RevocationList
}

// Skipped is something that could not be used, or was used in spite of a doubt.
type Skipped struct {
	Kind Kind
	Path string
	Line int // of the file, from 1; 0: the whole file
	Why  string
}

// String returns "PATH:LINE: WHY".
func (s Skipped) String() string {
	if s.Line == 0 {
		return s.Path + ": " + s.Why
	}
	return fmt.Sprintf("%s:%d: %s", s.Path, s.Line, s.Why)
}

// Kind is why something was skipped or noted.
type Kind int

// The kinds. Doubt occurs in [Summary.Notes], the others in [Summary.Skipped].
const (
	Foreign    Kind = iota + 1 // signed by another CA
	Missing                    // valid by index.txt, and not found
	Faulty                     // a line or entry that cannot be parsed
	Unreadable                 // a certificate, CRL or file that cannot be read
	Clash                      // another certificate with the same serial number
	Other                      // a file or block of another kind
	Doubt                      // sources disagree, or a part of a revocation cannot be parsed
)

// maxNamed is how many of each kind are listed.
const maxNamed = 20

// Error reports that a source cannot be read at all; nothing was yielded.
type Error struct {
	Path string
	Why  string
	Err  error // nil if Why is complete
}

// Error returns "PATH: WHY".
func (e *Error) Error() string { return e.Path + ": " + e.Why }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Read reads the sources and calls yield for each item, in the order of the sources; those without
// a certificate come last, by serial number. It returns an error of yield.
//
// If a path of the sources does not exist, or a file in Sources.CRL is not a complete CRL of the
// CA, it returns an *[Error] before it calls yield. Read has no state, and is safe for concurrent
// use.
func Read(ctx context.Context, s Sources, yield func(Item) error) (Summary, error) {
	r, err := newReader(ctx, s, yield)
	if err != nil {
		return Summary{}, err
	}
	for _, pass := range []func() error{r.readCRLs, r.readLists, r.readCertificates, r.finish} {
		if err := pass(); err != nil {
			return r.sum, err
		}
	}
	return r.sum, nil
}

// Check does everything that Read does before its first call of yield, and returns the same error.
func Check(ctx context.Context, s Sources) error {
	r, err := newReader(ctx, s, nil)
	if err != nil {
		return err
	}
	for _, pass := range []func() error{r.readCRLs, r.readLists} {
		if err := pass(); err != nil {
			return err
		}
	}
	return nil
}

// reader is one run of Read.
type reader struct {
	ctx    context.Context
	src    Sources
	issuer *x509.Certificate // any of the CA's
	yield  func(Item) error
	pass   int // over the files: 1 or 2
	sum    Summary

	files   []string               // names of indexes and CRLs, for place
	known   map[string]bool        // their absolute paths, so that each is read once
	revoked map[serial]*revocation // from index.txt and CRLs
	listed  map[serial]place       // valid and not expired, by index.txt
	expired map[serial]struct{}    // expired and not revoked, by index.txt
	taken   map[serial]fingerprint
	own     map[serial]bool // of certificates of the CA itself
}

func newReader(ctx context.Context, s Sources, yield func(Item) error) (*reader, error) {
	if len(s.CA) == 0 {
		return nil, errors.New("there is no certificate of the CA to check signatures with")
	}
	for _, c := range s.CA[1:] {
		if !ca.SameKey(c.PublicKey, s.CA[0].PublicKey) {
			return nil, fmt.Errorf("the certificates %q and %q of the CA have different keys", s.CA[0].Subject, c.Subject)
		}
	}
	return &reader{
		ctx: ctx, src: s, issuer: s.CA[0], yield: yield,
		sum:     Summary{Counts: map[Kind]int{}},
		known:   map[string]bool{},
		revoked: map[serial]*revocation{}, listed: map[serial]place{}, expired: map[serial]struct{}{}, taken: map[serial]fingerprint{}, own: map[serial]bool{},
	}, nil
}

// skip records something that is not used, or, of the kind Doubt, is used nevertheless.
func (r *reader) skip(kind Kind, path string, line int, why string) {
	r.sum.Counts[kind]++
	switch s := (Skipped{kind, path, line, why}); {
	case r.sum.Counts[kind] > maxNamed:
		r.sum.More++
	case kind == Doubt:
		r.sum.Notes = append(r.sum.Notes, s)
	default:
		r.sum.Skipped = append(r.sum.Skipped, s)
	}
}
