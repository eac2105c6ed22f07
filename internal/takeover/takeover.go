package takeover

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"time"

	"kedge/ca"
)

// Sources says what to read.
type Sources struct {
	CA    []*x509.Certificate // of the CA, current and earlier ones: at least one, all of one key
	Paths []string            // files and folders: certificates, index.txt, CRLs among them
	CRL   []string            // files that must be CRLs of the CA
	Now   time.Time           // what has expired, and when a revocation without a readable time was
}

// Item is a certificate that the CA issued, or the serial number of one that it revoked and
// whose certificate was not found.
type Item struct {
	Certificate *x509.Certificate // nil: only the serial number is known
	Serial      *big.Int          // positive
	NotAfter    time.Time         // zero when neither certificate nor index.txt say it
	Subject     string            // as index.txt has it, where there is no certificate; may be empty
	Revoked     *Revocation       // nil: it is not revoked
	From        string            // the file, with ":LINE" for a line in index.txt
}

// Revocation is what is known of a revocation, merged from all sources that have it: the
// earliest time and the gravest reason.
type Revocation struct {
	At     time.Time // in UTC, whole seconds
	Reason ca.Reason // never RemoveFromCRL
	From   string    // the source that was read first, as in Item
}

// Summary counts what was found. What could not be taken is in Skipped, what was taken in
// spite of a doubt in Notes; of each kind the first few are there, and More counts the rest.
type Summary struct {
	Certificates int                 // items with a certificate
	Revoked      int                 // of these, those that are revoked
	SerialsOnly  int                 // items without a certificate: all are revoked
	Own          []*x509.Certificate // found certificates of the CA's own key that Sources.CA lacks
	Duplicates   int                 // certificates found again
	Forgotten    int                 // lines in index.txt of expired certificates that are not there
	Keys         int                 // private keys, which are left alone
	Requests     int                 // certificate requests
	Bookkeeping  int                 // files of openssl and easy-rsa that hold nothing to take
	CRLs         int                 // CRLs of the CA that were read
	Lists        []List              // these, without those that are there twice
	CRLNumber    *big.Int            // the highest that the CA used, by CRLs and crlnumber; nil: unknown

	Skipped []Skipped
	Notes   []Skipped
	More    int
	Counts  map[Kind]int // of all in Skipped and Notes, with those that More counts
}

// Lacking counts what belongs to the CA and could not be taken.
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

// Skipped is something that could not be taken, or was taken in spite of a doubt.
type Skipped struct {
	Kind Kind
	Path string
	Line int // in the file, from 1; 0: the whole file
	Why  string
}

// String returns "PATH:LINE: WHY".
func (s Skipped) String() string {
	if s.Line == 0 {
		return s.Path + ": " + s.Why
	}
	return fmt.Sprintf("%s:%d: %s", s.Path, s.Line, s.Why)
}

// Kind sorts what was skipped or noted.
type Kind int

// The kinds. Doubt stands in [Summary.Notes], the others in [Summary.Skipped].
const (
	Foreign    Kind = iota + 1 // signed by another CA
	Missing                    // valid by index.txt, and its certificate is not there
	Faulty                     // a line or entry that cannot be read
	Unreadable                 // a certificate, list or file that cannot be read
	Clash                      // another certificate of a serial number that was taken
	Other                      // a file or block that is nothing to take
	Doubt                      // sources disagree, or a part of a revocation cannot be read
)

// maxNamed is how many of each kind are named.
const maxNamed = 20

// Error reports that a source cannot be read at all; nothing was handed on.
type Error struct {
	Path string
	Why  string
	Err  error // nil when Why says it all
}

// Error returns "PATH: WHY".
func (e *Error) Error() string { return e.Path + ": " + e.Why }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Read reads the sources and calls yield for each item, in the order of the sources; those
// without a certificate come last, by serial number. An error of yield ends it and is returned.
//
// What the operator named must be there: a path that does not exist, and a file in Sources.CRL
// that is not a complete CRL of the CA, are an *[Error] before yield is called at all. Read
// has no state, and is safe for concurrent use.
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

// Check reads what Read reads before it yields for the first time: what it returns, Read would
// return as well, and hand on nothing.
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
	pass   int // of the walk: 1 or 2
	sum    Summary

	files   []string               // names of indexes and CRLs, for place
	known   map[string]bool        // absolute paths of these, so that each is read once
	revoked map[serial]*revocation // by index.txt and CRLs
	listed  map[serial]place       // valid and not expired, by index.txt
	expired map[serial]struct{}    // neither, by index.txt
	taken   map[serial]fingerprint
	own     map[serial]bool // of certificates of the CA itself
}

func newReader(ctx context.Context, s Sources, yield func(Item) error) (*reader, error) {
	if len(s.CA) == 0 {
		return nil, errors.New("there is no certificate of the CA to check signatures with")
	}
	for _, c := range s.CA[1:] {
		if !sameKey(c.PublicKey, s.CA[0].PublicKey) {
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

// sameKey compares public keys, whatever their type.
func sameKey(a, b crypto.PublicKey) bool {
	key, ok := a.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(b)
}

// skip names something that is not taken, or, of the kind Doubt, that is all the same.
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
