package ledger

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/ca"
)

// issuedBody is the entry of a certificate. The certificate itself is stored beside the chain,
// which has its fingerprint; serial and subject are for people who read the entry.
type issuedBody struct {
	Fingerprint string `json:"fingerprint"`
	Serial      string `json:"serial"`
	Subject     string `json:"subject"`
	Host        string `json:"host,omitempty"`
	Profile     string `json:"profile,omitempty"`
	Why         string `json:"why,omitempty"`
	Replaces    string `json:"replaces,omitempty"`

	By         string       `json:"by,omitempty"`          // the authority that signed it; absent for a root, and in schema 1
	RevokedKey bool         `json:"revoked_key,omitempty"` // the operator allowed a key that has a revoked certificate
	Revoked    *revokedThen `json:"revoked,omitempty"`     // of an import
	// Late is set for an import that had expired, of a name that had a later certificate: it gets no lineage.
	Late bool `json:"late,omitempty"`

	Server   bool   `json:"server,omitempty"` // it is the certificate of an enrollment server
	Proof    string `json:"proof,omitempty"`  // of a host; absent if the operator issued it
	Token    string `json:"token,omitempty"`  // its ID, or that of the approval
	KeyPlace string `json:"key_place,omitempty"`
	Address  string `json:"address,omitempty"` // of the host
	Hook     string `json:"hook,omitempty"`    // what a policy hook said
}

// revokedThen is a revocation from before the certificate was in the ledger.
type revokedThen struct {
	At     int64     `json:"at"` // microseconds
	Reason ca.Reason `json:"reason"`
}

// forGood reports whether there was a revocation that cannot be released.
func (r *revokedThen) forGood() bool { return r != nil && r.Reason != ca.CertificateHold }

// outweighs reports whether the ledger's revocation takes precedence over the one of an import: a
// permanent one over a hold, and a compromise over other reasons.
func (r *revokedThen) outweighs(other *revokedThen) bool {
	return !other.forGood() || r.Reason == ca.KeyCompromise || r.Reason == ca.CACompromise
}

// record is a certificate ready to be written, encoded by the goroutine that submits it.
type record struct {
	body issuedBody
	row  Certificate
	sans SANs
	// hostNames are the names by which TLS clients could take the holder for a server.
	hostNames []string
	once      bool // ca.Issued.Once
	issuer    *x509.Certificate

	enrollment *ca.Enrollment // nil: the operator issued it
	token      *Token         // that is spent; set in the transaction
}

const (
	insertColumns = `INSERT INTO certificates (seq, issued_at, fingerprint, serial, issuer_key_id, kind, not_before, not_after, replaces,
		common_name, subject, issuer, host, profile, why, der, key_hash, issuer_key, lineage)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `
	insertCA       = insertColumns + "NULL) ON CONFLICT DO NOTHING"
	insertName     = "INSERT INTO names (seq, place, kind, value, server) VALUES (?, ?, ?, ?, ?)"
	updateReplaced = "UPDATE certificates SET replaced_seq = ? WHERE fingerprint = ?"
)

// Receipt is the result of recording a certificate.
type Receipt struct {
	Seq int64 // of its entry
	At  time.Time
	// Ended are the valid certificates of the same name and another key. They can no longer be
	// renewed, and stay valid until they expire or are revoked. At most the last maxEnded.
	Ended []Certificate
}

const maxEnded = 20

// RecordIssued is Record without the receipt: it makes a Ledger a [ca.Recorder].
func (l *Ledger) RecordIssued(ctx context.Context, i ca.Issued) error {
	_, err := l.Record(ctx, i)
	return err
}

// Record records a certificate that was just signed and has not left the process, if the rules of
// the ledger allow it: see rules.go. When it returns nil, the record is on disk. A serial number
// that the issuer has used before is a *DuplicateError. After an error nothing is written, except
// the entry of a *CloneError.
//
// A leaf without a host is recorded for the host with its name. Concurrent calls share a
// transaction. Once ctx is done, Record returns: the certificate may be recorded, and must not be
// used.
func (l *Ledger) Record(ctx context.Context, i ca.Issued) (Receipt, error) {
	r, err := newRecord(i)
	if err != nil {
		return Receipt{}, err
	}
	j := &job{record: r}
	if r.row.Kind == Server { // the rules of leaves in the same batch must see its names
		return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Receipt, error) {
			err := t.insertOne(ctx, j)
			return j.receipt, err
		})
	}
	if err := l.writer.submit(ctx, j); err != nil {
		return Receipt{}, l.noteClone(ctx, err, r.enrollment)
	}
	return j.receipt, nil
}

func newRecord(i ca.Issued) (*record, error) {
	if i.Certificate == nil || len(i.Certificate.Raw) == 0 {
		return nil, errors.New("record a certificate: there is none")
	}
	if i.At.IsZero() {
		return nil, errors.New("record a certificate: the time is missing")
	}
	if n := len(i.Replaces); n != 0 && n != sha256.Size {
		return nil, fmt.Errorf("record a certificate: the fingerprint of what it replaces has %d bytes, not %d", n, sha256.Size)
	}
	row := newCertificate(i.Certificate)
	row.IssuedAt, row.Replaces = i.At, i.Replaces
	row.Host, row.Profile, row.Why = i.Host, i.Profile, i.Why
	if i.Server {
		if err := asServer(&row, i.Certificate); err != nil {
			return nil, err
		}
	}
	if row.Host == "" && row.Kind == Leaf {
		row.Host = row.CommonName
	}
	for what, text := range map[string]string{"host": row.Host, "profile": row.Profile, "reason": row.Why} {
		if err := writable(what, text); err != nil {
			return nil, fmt.Errorf("record the certificate %q: %w", row.Subject, err)
		}
	}
	body := issuedBody{Fingerprint: hex.EncodeToString(row.Fingerprint), Serial: row.Serial, Subject: row.Subject,
		Host: row.Host, Profile: row.Profile, Why: row.Why, Replaces: hex.EncodeToString(row.Replaces), RevokedKey: i.AllowRevokedKey}
	body.Server = i.Server
	r := &record{body: body, row: row, sans: sansOf(i.Certificate), hostNames: ca.HostNames(i.Certificate), once: i.Once, issuer: i.Issuer}
	return r, r.enroll(i.Enrollment)
}

// enroll sets the proof by which a host gets the certificate.
func (r *record) enroll(e *ca.Enrollment) error {
	if e == nil {
		return nil
	}
	renewal := len(r.row.Replaces) != 0
	switch {
	case r.row.Kind != Leaf:
		return fmt.Errorf("record the certificate %q: a host gets only leaves", r.row.Subject)
	case e.Proof == ca.ProofToken && !renewal, isApproval(e) && !renewal, e.Proof == ca.ProofRenewal && renewal && len(e.Token) == 0:
	default:
		return fmt.Errorf("record the certificate %q: the proof %q does not fit", r.row.Subject, e.Proof)
	}
	switch e.KeyPlace {
	case "", ca.KeyInFile, ca.KeyInTPM, ca.KeyInPKCS11:
	default:
		return fmt.Errorf("record the certificate %q: there is no key place %q", r.row.Subject, e.KeyPlace)
	}
	r.enrollment = e
	r.body.Proof, r.body.Token, r.body.KeyPlace = e.Proof, hex.EncodeToString(e.Token), e.KeyPlace
	r.body.Address, r.body.Hook = addressOf(e), e.Hook
	return writable("word of the policy hook", e.Hook)
}

// addressOf returns the address of a host as entries have it; empty if it is unknown.
func addressOf(e *ca.Enrollment) string {
	if e == nil || !e.Address.IsValid() {
		return ""
	}
	return e.Address.Unmap().WithZone("").String()
}

// writable refuses a text that PostgreSQL cannot store.
func writable(what, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("the %s %q is not text", what, text)
	}
	return nil
}

// statements returns those that write a record at its place in the chain. insert is the index of
// the one that inserts the certificate.
func (r *record) statements(t *transaction, kind string) (all []statement, insert int, err error) {
	text, err := encode(r.body)
	if err != nil {
		return nil, 0, err
	}
	row := &r.row
	all = append(all, t.next(kind, text, row.IssuedAt))
	row.Seq, row.IssuedAt = t.seq, t.at
	insert = len(all)
	if row.Kind == Leaf {
		all = append(all, r.insertLeaf())
	} else {
		all = append(all, some(insertCA, r.values()...))
	}
	for _, name := range r.names(row.Seq) {
		all = append(all, one(insertName, name...))
	}
	switch {
	case len(row.Replaces) == 0:
	case row.Kind == Leaf: // a rule checks that the replaced one is in the ledger
		all = append(all, one(updateReplaced, row.Seq, row.Replaces))
	default:
		all = append(all, some(updateReplaced, row.Seq, row.Replaces))
	}
	return all, insert, nil
}

// values returns the columns that follow from a certificate and its entry, except the lineage.
func (r *record) values() []any {
	row := &r.row
	return []any{row.Seq, row.IssuedAt.UnixMicro(), row.Fingerprint, row.serial, row.keyID, row.Kind, row.NotBefore.UnixMicro(), row.NotAfter.UnixMicro(),
		orNull(row.Replaces), row.CommonName, row.Subject, row.Issuer, row.Host, row.Profile, row.Why, row.DER, row.KeyHash, row.IssuerKey}
}

// names returns the rows of insertName.
func (r *record) names(seq int64) [][]any {
	var rows [][]any
	server := int64(0)
	if r.row.Kind == Server {
		server = 1
	}
	for place, name := range r.sans.list() {
		rows = append(rows, []any{seq, int64(place), name.kind, name.value, server})
	}
	return rows
}

// insert writes certificates, and returns those that are refused.
func (t *transaction) insert(ctx context.Context, batch []*job) (map[int]error, error) {
	issuers, spending, err := t.terms(ctx, batch)
	if err != nil {
		return nil, err
	}
	refused := map[int]error{}
	plans := make([]*plan, len(batch))
	names := map[string]bool{}
	var all [][]statement
	first := 0
	for i, j := range batch {
		if !j.record.isFirst(names) {
			refused[i] = errors.New("another of this name comes first")
			continue
		}
		refusal := issuers.check(j.record, t.now())
		if refusal == nil {
			if refusal, err = spending.check(ctx, t, j.record); err != nil {
				return nil, err
			}
		}
		if refusal != nil {
			refused[i] = refusal
			continue
		}
		if plans[i], err = t.plan(j.record, first); err != nil {
			return nil, err
		}
		all = append(all, plans[i].statements)
		first += len(plans[i].statements)
	}
	head := t.head()
	changed, err := t.sendByText(ctx, append(all, []statement{head}))
	if err == nil {
		err = t.exact(head, changed[first])
	}
	if err != nil {
		return nil, err
	}
	for i, p := range plans {
		if p == nil {
			continue
		}
		refusal, err := p.judge(t, changed)
		if err != nil {
			return nil, err
		}
		if refusal != nil {
			refused[i] = refusal
			continue
		}
		if batch[i].receipt, err = t.receipt(ctx, p, changed); err != nil {
			return nil, err
		}
	}
	return refused, nil
}

// insertOne writes a certificate in a transaction that does more, and finds out why it is refused.
func (t *transaction) insertOne(ctx context.Context, j *job) error {
	refused, err := t.insert(ctx, []*job{j})
	if err == nil && refused[0] != nil {
		refused[0], err = t.explain(ctx, refused[0])
	}
	return errors.Join(err, refused[0])
}

// isFirst reports whether a record is the first of its names in a batch: the rules must see what
// another has changed.
func (r *record) isFirst(names map[string]bool) bool {
	subject, common := "subject "+r.row.Subject, "name "+r.row.CommonName
	taken := names[subject] || r.row.CommonName != "" && names[common]
	names[subject], names[common] = true, true
	return !taken
}

// duplicate finds out which part of a certificate is in the ledger already.
func duplicate(ctx context.Context, s *session, r *record) error {
	c := &r.row
	for _, one := range []struct {
		where string
		args  []any
		what  string
	}{
		{"c.fingerprint = ?", []any{c.Fingerprint}, fmt.Sprintf("the certificate %q (SHA-256 %x)", c.Subject, c.Fingerprint)},
		{"c.serial = ? AND c.issuer_key_id = ?", []any{c.serial, c.keyID}, fmt.Sprintf("the serial number %s of the issuer %q", c.Serial, c.Issuer)},
	} {
		found, err := s.certificate(ctx, one.where, one.args...)
		if err != nil {
			return err
		}
		if found != nil {
			return &DuplicateError{What: one.what}
		}
	}
	return &BrokenError{Where: s.e.where, Err: fmt.Errorf("it did not take the certificate %q: its place in the chain is taken, or another hand keeps it out", c.Subject)}
}

func orNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// newCertificate returns the row of a certificate, without the columns that depend on its entry.
func newCertificate(c *x509.Certificate) Certificate {
	fingerprint := sha256.Sum256(c.Raw)
	key := ca.KeyHash(c)
	row := Certificate{
		Fingerprint: fingerprint[:],
		KeyHash:     key[:],
		serial:      c.SerialNumber.Bytes(),
		Subject:     text(c.Subject.String()),
		CommonName:  text(c.Subject.CommonName),
		Issuer:      text(c.Issuer.String()),
		keyID:       issuerKeyID(c),
		Kind:        kindOf(c),
		NotBefore:   c.NotBefore.UTC(),
		NotAfter:    c.NotAfter.UTC(),
		DER:         c.Raw,
	}
	if len(row.serial) == 0 {
		row.serial = []byte{0}
	}
	row.Serial, row.IssuerKeyID = hex.EncodeToString(row.serial), hex.EncodeToString(row.keyID)
	return row
}

// text makes a name of a foreign certificate storable; names of our own need no change.
func text(s string) string {
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

func kindOf(c *x509.Certificate) string {
	switch {
	case !c.IsCA:
		return Leaf
	case string(c.RawSubject) == string(c.RawIssuer):
		return Root
	}
	return Intermediate
}

// issuerKeyID returns the key identifier of the issuer, by which CRLs are made: one CA can have
// several certificates. A root without one has its own.
func issuerKeyID(c *x509.Certificate) []byte {
	id := c.AuthorityKeyId
	if len(id) == 0 && kindOf(c) == Root {
		id = c.SubjectKeyId
	}
	if id == nil {
		id = []byte{}
	}
	return id
}
