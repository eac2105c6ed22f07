package ledger

import (
	"context"
	"database/sql"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/netip"
	"time"

	"kedge/ca"
)

// Holder is a lineage that has not ended: what holds a name.
type Holder struct {
	Certificate                // the newest, whether valid, expired or revoked
	Recoveries  int            // how often the host renewed a certificate that had expired
	Enrollment  *ca.Enrollment // the proof by which Certificate was issued; nil: the operator issued it
	Contact     *Contact       // the last answer of a server to a holder of the name; nil: unknown
}

// Holders yields the lineages that have not ended, those whose certificate expires first first.
func (l *Ledger) Holders(ctx context.Context) iter.Seq2[Holder, error] {
	const text = "SELECT " + certificateColumns + `, h.recoveries, e.body, k.at, k.renew_at, k.version FROM lineages h
		JOIN certificates c ON c.seq = h.newest JOIN entries e ON e.seq = h.newest LEFT JOIN contacts k ON k.name = c.common_name ORDER BY c.not_after, c.seq`
	return each(ctx, l, scanHolder, text)
}

// and adds targets to those of a scan.
type and struct {
	scanner
	more []any
}

func (a and) Scan(targets ...any) error { return a.scanner.Scan(append(targets, a.more...)...) }

func scanHolder(row scanner) (h Holder, err error) {
	var body string
	var at, renewAt sql.NullInt64
	var version sql.NullString
	if h.Certificate, err = scanCertificate(and{row, []any{&h.Recoveries, &body, &at, &renewAt, &version}}); err != nil {
		return h, err
	}
	if at.Valid {
		h.Contact = &Contact{Name: h.CommonName, At: time.UnixMicro(at.Int64).UTC(), RenewAt: time.UnixMicro(renewAt.Int64).UTC(), Version: version.String}
	}
	h.Enrollment, err = enrollmentIn(body)
	return h, err
}

// enrollmentIn reads the proof in the body of an entry.
func enrollmentIn(body string) (*ca.Enrollment, error) {
	var b issuedBody
	if err := json.Unmarshal([]byte(body), &b); err != nil {
		return nil, fmt.Errorf("the entry of a certificate cannot be read: verify the ledger")
	}
	return b.enrollment()
}

// Enrollment returns the proof by which a certificate was issued to a host; nil if the operator
// issued it.
func (l *Ledger) Enrollment(ctx context.Context, c Certificate) (*ca.Enrollment, error) {
	var body string
	if err := l.db.QueryRowContext(ctx, l.engine.sql("SELECT body FROM entries WHERE seq = ?"), c.Seq).Scan(&body); err != nil {
		return nil, l.engine.explain(err)
	}
	return enrollmentIn(body)
}

// Clone is a renewal that was refused, since another key has the newest certificate of the lineage.
type Clone struct {
	Seq       int64 // of its entry
	At        time.Time
	Subject   string
	Presented []byte     // the fingerprint of the certificate to be renewed
	Serial    string     // of that; only from OpenClones
	Newest    []byte     // the fingerprint of the one that had replaced it
	Key       []byte     // ca.KeyHash of the requester's key
	Proof     string     // of a host that asked a server; empty if the operator asked at the CA
	Address   netip.Addr // of the requester; invalid if it did not ask a server
}

// Clones yields the renewals that were refused, in order.
func (l *Ledger) Clones(ctx context.Context) iter.Seq2[Clone, error] {
	return each(ctx, l, scanClone, "SELECT seq, at, kind, body, prev, hash FROM entries WHERE kind <> 'issue' AND kind = 'clone' ORDER BY seq")
}

func scanClone(row scanner) (Clone, error) {
	e, err := scanEntry(row)
	if err != nil {
		return Clone{}, err
	}
	return e.clone()
}

func (e *Entry) clone() (Clone, error) {
	var body cloneBody
	if err := e.decode(&body); err != nil {
		return Clone{}, err
	}
	c := Clone{Seq: e.Seq, At: e.At, Subject: body.Subject, Proof: body.Proof}
	var errs [4]error
	c.Presented, errs[0] = hex.DecodeString(body.Presented)
	c.Newest, errs[1] = hex.DecodeString(body.Newest)
	c.Key, errs[2] = hex.DecodeString(body.Key)
	if body.Address != "" {
		c.Address, errs[3] = netip.ParseAddr(body.Address)
	}
	return c, errors.Join(errs[:]...)
}
