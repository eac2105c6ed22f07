package ledger

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"iter"
	"time"
)

// hashSize is the size of a SHA-256.
const hashSize = sha256.Size

// The kinds of entries.
const (
	kindIssue     = "issue"     // a certificate; see issuedBody
	kindRevoke    = "revoke"    // certificates; see revokedBody
	kindRelease   = "release"   // certificates that were on hold; see releasedBody
	kindAuthority = "authority" // an authority was added or changed; see authorityBody
	kindCRL       = "crl"       // see crlBody
	kindImport    = "import"    // a certificate that was issued before the ledger existed, or outside of it; see issuedBody
	kindList      = "list"      // a CRL that another ledger, or this one before a restore, recorded; see listBody
	kindClone     = "clone"     // a renewal that was refused; see cloneBody
	kindResolve   = "resolve"   // which of two hosts with the same certificate goes on; see resolveBody
	kindTakeOver  = "takeover"  // the past of an authority, before the ledger existed; see takeOverBody

	kindToken        = "token"        // see tokenBody
	kindTokenRevoke  = "token-revoke" // a token or an approval; see tokenRevokedBody
	kindApproval     = "approval"     // a host's request was approved; see tokenBody
	kindRequestDeny  = "request-deny" // a host's request was denied: an approval that is revoked when it is made
	kindDeny         = "deny"         // a name gets no certificate, or gets them again; see denyBody
	kindDecommission = "decommission" // a name was given up; see decommissionBody
	kindRestore      = "restore"      // the ledger was restored from a copy that ends here; see restoreBody
)

// Entry is a link of the chain.
type Entry struct {
	Seq  int64 // 1, 2, 3 …
	At   time.Time
	Kind string // issue, revoke, release, authority, crl, import, list, clone, resolve, takeover, token, token-revoke, approval, request-deny, deny, decommission, restore, archive
	Body string // JSON
	Prev []byte // the hash of the entry before; zeros for the first
	Hash []byte
}

// sum returns what Hash must be: SHA-256 of a label, the previous hash, and every field, those of
// variable length preceded by their length, so that no byte can move from one field to the next.
func (e *Entry) sum() []byte {
	b := make([]byte, 0, 128+len(e.Kind)+len(e.Body))
	b = append(b, "kedge ledger entry 1\x00"...)
	b = append(b, e.Prev...)
	b = binary.BigEndian.AppendUint64(b, uint64(e.Seq))
	b = binary.BigEndian.AppendUint64(b, uint64(e.At.UnixMicro()))
	b = binary.BigEndian.AppendUint64(b, uint64(len(e.Kind)))
	b = append(b, e.Kind...)
	b = binary.BigEndian.AppendUint64(b, uint64(len(e.Body)))
	b = append(b, e.Body...)
	hash := sha256.Sum256(b)
	return hash[:]
}

const (
	insertEntry = "INSERT INTO entries (seq, at, kind, body, prev, hash) VALUES (?, ?, ?, ?, ?, ?)"
	updateHead  = "UPDATE head SET seq = ?, hash = ?, tail = ?, at = ?"
	readEntries = "SELECT seq, at, kind, body, prev, hash FROM entries WHERE seq > ? ORDER BY seq"
)

// chain is the end of the chain: the last entry; the caller holds the head lock.
type chain struct {
	seq  int64
	hash []byte
	at   time.Time
}

// now returns the time of the next entry: t, or that of the last entry if that is later because a
// clock was ahead. Times in a ledger never decrease.
func (c *chain) now(t time.Time) time.Time {
	t = t.UTC().Truncate(time.Microsecond)
	if t.Before(c.at) {
		return c.at
	}
	return t
}

// next returns the statement for the entry that follows, and makes it the last.
func (c *chain) next(kind, body string, at time.Time) statement {
	e := Entry{Seq: c.seq + 1, At: c.now(at), Kind: kind, Body: body, Prev: c.hash}
	e.Hash = e.sum()
	c.seq, c.hash, c.at = e.Seq, e.Hash, e.At
	return one(insertEntry, e.Seq, e.At.UnixMicro(), e.Kind, e.Body, e.Prev, e.Hash)
}

// head returns the statement that updates the head.
func (t *transaction) head() statement {
	t.written = t.hash
	return one(updateHead, t.seq, t.hash, -t.seq, t.at.UnixMicro())
}

// Head returns the sequence number and the hash of the last entry; 0 and zeros before the first. If
// it is kept somewhere else, [Ledger.Verify] can find out whether the end of the chain, or all of it,
// was replaced.
func (l *Ledger) Head(ctx context.Context) (seq int64, hash []byte, err error) {
	err = l.db.QueryRowContext(ctx, "SELECT seq, hash FROM head").Scan(&seq, &hash)
	return seq, hash, l.engine.explain(err)
}

// Entries returns the entries after a sequence number, all of them after 0. An error ends it.
func (l *Ledger) Entries(ctx context.Context, after int64) iter.Seq2[Entry, error] {
	return each(ctx, l, scanEntry, readEntries, after)
}

func scanEntry(row scanner) (Entry, error) {
	var e Entry
	var at int64
	err := row.Scan(&e.Seq, &at, &e.Kind, &e.Body, &e.Prev, &e.Hash)
	e.At = time.UnixMicro(at).UTC()
	return e, err
}

// decode decodes the body of an entry; unknown fields are an error.
func (e *Entry) decode(body any) error {
	d := json.NewDecoder(bytes.NewReader([]byte(e.Body)))
	d.DisallowUnknownFields()
	if err := d.Decode(body); err != nil {
		return fmt.Errorf("the body of entry %d: %w", e.Seq, err)
	}
	return nil
}

// encode encodes the body of an entry.
func encode(body any) (string, error) {
	data, err := json.Marshal(body)
	return string(data), err
}
