package ledger

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"kedge/ca"
)

// issuedBody is the entry of a certificate. The certificate itself is kept beside the chain,
// which holds its fingerprint; serial and subject are there to be read by people.
type issuedBody struct {
	Fingerprint string `json:"fingerprint"`
	Serial      string `json:"serial"`
	Subject     string `json:"subject"`
	Host        string `json:"host,omitempty"`
	Profile     string `json:"profile,omitempty"`
	Why         string `json:"why,omitempty"`
	Replaces    string `json:"replaces,omitempty"`
}

// record is a certificate made ready to be written, by the goroutine that brought it.
type record struct {
	body string
	row  Certificate
	sans SANs
}

const (
	insertCertificate = `INSERT INTO certificates (seq, issued_at, fingerprint, serial, issuer_key_id, kind, not_before, not_after, replaces,
		common_name, subject, issuer, host, profile, why, der) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`
	insertName     = "INSERT INTO names (seq, place, kind, value) VALUES (?, ?, ?, ?)"
	updateReplaced = "UPDATE certificates SET replaced_seq = ? WHERE fingerprint = ?"
)

// RecordIssued writes down a certificate: one that was just signed and has not left the
// process, or one made elsewhere, such as the root of a CA that is taken over. When it
// returns nil, the record is on disk. A serial number that the issuer has used before is a
// *DuplicateError, and nothing is written.
//
// A leaf without a host is recorded for the host that is called like it. Concurrent calls
// share a transaction. Once ctx is done, RecordIssued returns: the certificate may be
// recorded then, and must not be handed out.
func (l *Ledger) RecordIssued(ctx context.Context, i ca.Issued) error {
	r, err := newRecord(i)
	if err != nil {
		return err
	}
	return l.writer.submit(ctx, &job{record: r})
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
	if row.Host == "" && row.Kind == Leaf {
		row.Host = row.CommonName
	}
	for what, text := range map[string]string{"host": row.Host, "profile": row.Profile, "reason": row.Why} {
		if err := writable(what, text); err != nil {
			return nil, fmt.Errorf("record the certificate %q: %w", row.Subject, err)
		}
	}
	body, err := encode(issuedBody{Fingerprint: hex.EncodeToString(row.Fingerprint), Serial: row.Serial, Subject: row.Subject,
		Host: row.Host, Profile: row.Profile, Why: row.Why, Replaces: hex.EncodeToString(row.Replaces)})
	return &record{body: body, row: row, sans: sansOf(i.Certificate)}, err
}

// writable refuses a text that PostgreSQL would.
func writable(what, text string) error {
	if !utf8.ValidString(text) || strings.ContainsRune(text, 0) {
		return fmt.Errorf("the %s %q is not text", what, text)
	}
	return nil
}

// statements are those for a record with its place in the chain.
func (r *record) statements(c *chain) []statement {
	row := &r.row
	all := []statement{c.next(kindIssue, r.body, row.IssuedAt)}
	all = append(all, statement{insertCertificate, r.values(c.seq)})
	for _, name := range r.names(c.seq) {
		all = append(all, statement{insertName, name})
	}
	if len(row.Replaces) != 0 {
		all = append(all, statement{updateReplaced, []any{c.seq, row.Replaces}})
	}
	return all
}

// values are the columns of insertCertificate.
func (r *record) values(seq int64) []any {
	row := &r.row
	return []any{seq, row.IssuedAt.UnixMicro(), row.Fingerprint, row.serial, row.keyID, row.Kind, row.NotBefore.UnixMicro(), row.NotAfter.UnixMicro(),
		orNull(row.Replaces), row.CommonName, row.Subject, row.Issuer, row.Host, row.Profile, row.Why, row.DER}
}

// names are the rows of insertName.
func (r *record) names(seq int64) [][]any {
	var rows [][]any
	for place, name := range r.sans.list() {
		rows = append(rows, []any{seq, int64(place), name.kind, name.value})
	}
	return rows
}

// insert writes certificates, and says which are there already.
func (t *transaction) insert(ctx context.Context, batch []*job) (map[int]error, error) {
	var all []statement
	for _, j := range batch {
		all = append(all, j.record.statements(&t.chain)...)
	}
	changed, err := t.send(ctx, byText(all)...)
	if err != nil {
		return nil, err
	}
	spoiled := map[int]error{}
	for i, j := range batch {
		if changed[len(batch)+i] == 0 { // after all entries, the certificates
			spoiled[i] = t.duplicate(ctx, &j.record.row)
		}
	}
	return spoiled, nil
}

// duplicate finds out what of a certificate is in the ledger already.
func (t *transaction) duplicate(ctx context.Context, c *Certificate) error {
	var seq int64
	err := t.queryRow(ctx, "SELECT seq FROM certificates WHERE fingerprint = ?", c.Fingerprint).Scan(&seq)
	if err == nil {
		return &DuplicateError{What: fmt.Sprintf("the certificate %q (SHA-256 %x)", c.Subject, c.Fingerprint)}
	}
	err = t.queryRow(ctx, "SELECT seq FROM certificates WHERE serial = ? AND issuer_key_id = ?", c.serial, c.keyID).Scan(&seq)
	if err == nil {
		return &DuplicateError{What: fmt.Sprintf("the serial number %s of the issuer %q", c.Serial, c.Issuer)}
	}
	return fmt.Errorf("record the certificate %q: its place in the chain is taken; the ledger was changed by another hand: verify it", c.Subject)
}

func orNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}

// newCertificate is the row of a certificate, without what only its entry knows.
func newCertificate(c *x509.Certificate) Certificate {
	fingerprint := sha256.Sum256(c.Raw)
	row := Certificate{
		Fingerprint: fingerprint[:],
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

// text makes a name of a foreign certificate storable; ours hold nothing else.
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

// issuerKeyID is the key identifier of the issuer, by which CRLs are made: one CA can have
// several certificates. A root that does not repeat its own is its own issuer all the same.
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
