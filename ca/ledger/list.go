package ledger

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"
	"time"
)

// List yields the certificates that match f; an error ends it. They are in the order of the chain,
// except that a filter by time, by state Valid, Expired or Pending, or for the unreplaced or
// newest, orders by expiry (IssuedAfter: by issue; Pending: by notBefore), and a pattern by the
// matching names. Filter.After continues in that order.
//
// The rows are those at the moment of the call, whatever is written meanwhile.
func (l *Ledger) List(ctx context.Context, f Filter) iter.Seq2[Certificate, error] {
	return func(yield func(Certificate, error) bool) {
		q, err := l.query(ctx, &f)
		if err == nil && f.After != 0 {
			err = l.skip(ctx, q, &f)
		}
		if err != nil {
			yield(Certificate{}, l.engine.explain(err))
			return
		}
		text := "SELECT " + certificateColumns + " FROM " + q.from + q.conditions() + " ORDER BY " + strings.Join(q.order, ", ")
		if f.Limit > 0 {
			text += " LIMIT ?"
			q.args = append(q.args, int64(f.Limit))
		}
		each(ctx, l, scanCertificate, text, q.args...)(yield)
	}
}

// Certificate returns the certificate with a fingerprint, the SHA-256 of its DER, or a
// *NotFoundError.
func (l *Ledger) Certificate(ctx context.Context, fingerprint []byte) (Certificate, error) {
	all, err := l.known.get(ctx, fingerprint)
	c, ok := all[string(fingerprint)]
	if err == nil && !ok {
		err = &NotFoundError{What: fmt.Sprintf("a certificate with the SHA-256 %x", fingerprint)}
	}
	return c, l.engine.explain(err)
}

// readStanding looks certificates up, and what the ledger has about each: PostgreSQL, asked to join them,
// would read all lineages of a small ledger.
const readStanding = "SELECT " + certificateColumns + `,
	(SELECT l.recoveries FROM lineages l WHERE l.newest = c.seq AND l.name = c.subject),
	(SELECT l.only_key FROM lineages l WHERE l.newest = c.seq AND l.name = c.subject),
	(SELECT d.seq FROM denials d WHERE d.name = c.common_name) FROM certificates c WHERE c.fingerprint IN `

// readKnown reads certificates by their fingerprints.
func (l *Ledger) readKnown(ctx context.Context, fingerprints [][]byte) (map[string]Certificate, error) {
	found := map[string]Certificate{}
	for some := range slices.Chunk(fingerprints, maxBatch) {
		rows, err := l.db.QueryContext(ctx, l.engine.sql(readStanding+marks(len(some))), anys(some)...)
		if err != nil {
			return nil, err
		}
		defer rows.Close()
		for rows.Next() {
			c, err := scanKnown(rows)
			if err != nil {
				return nil, err
			}
			found[string(c.Fingerprint)] = c
		}
		if err := rows.Err(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

func scanKnown(row scanner) (Certificate, error) {
	var s standing
	var recoveries, denied sql.NullInt64
	c, err := scanCertificate(and{row, []any{&recoveries, &s.onlyKey, &denied}})
	s.recoveries, s.denied = recoveries.Int64, denied.Valid
	if recoveries.Valid {
		c.standing = &s
	}
	return c, err
}

// Hosts yields for each host its newest leaf that is valid at a time: which hosts have moved to a
// new CA, and which have not.
func (l *Ledger) Hosts(ctx context.Context, now time.Time) iter.Seq2[Certificate, error] {
	// A lookup in the index for each host, instead of a scan of all its certificates.
	const text = `WITH RECURSIVE h (host) AS (
			SELECT min(host) FROM certificates WHERE host > ''
			UNION ALL SELECT (SELECT min(host) FROM certificates WHERE host > h.host) FROM h WHERE h.host IS NOT NULL)
		SELECT ` + certificateColumns + ` FROM h, certificates c WHERE h.host IS NOT NULL AND c.seq = (
			SELECT v.seq FROM certificates v WHERE v.host = h.host AND v.kind = 'leaf' AND v.revoked_at IS NULL
				AND v.not_after >= ? AND v.not_before <= ? ORDER BY v.seq DESC LIMIT 1)`
	return each(ctx, l, scanCertificate, text, now.UnixMicro(), now.UnixMicro())
}

// query translates the filter, and looks up its issuers.
func (l *Ledger) query(ctx context.Context, f *Filter) (*query, error) {
	var issuers [][]byte
	if f.Issuer != "" {
		var err error
		if issuers, err = l.issuers(ctx, f.Issuer); err != nil {
			return nil, err
		}
	}
	return f.query(l.engine, l.now(), issuers)
}

func (q *query) conditions() string {
	if len(q.where) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(q.where, " AND ")
}

// skip continues after a certificate, in the order of the query.
func (l *Ledger) skip(ctx context.Context, q *query, f *Filter) error {
	if len(q.order) == 1 {
		q.add("c.seq > ?", f.After)
		return nil
	}
	keys, targets := make([]any, len(q.order)), make([]any, len(q.order))
	for i := range keys {
		targets[i] = &keys[i]
	}
	from, args := "certificates c WHERE c.seq = ?", []any{f.After} // whatever has changed since
	if f.SAN != "" {
		from = q.from + q.conditions() + " AND c.seq = ?"
		args = append(slices.Clone(q.args), f.After)
	}
	err := l.db.QueryRowContext(ctx, l.engine.sql("SELECT "+strings.Join(q.order, ", ")+" FROM "+from), args...).Scan(targets...)
	if errors.Is(err, sql.ErrNoRows) {
		return &NotFoundError{What: fmt.Sprintf("certificate %d, to go on after,", f.After)}
	}
	if err != nil {
		return err
	}
	q.add("("+strings.Join(q.order, ", ")+") > (?"+strings.Repeat(", ?", len(keys)-1)+")", keys...)
	return nil
}

// issuers returns the key identifiers that match a filter for issuers. It reads only the
// certificates that are not leaves: they have all authorities of the ledger, and their issuers.
func (l *Ledger) issuers(ctx context.Context, pattern string) ([][]byte, error) {
	if id, err := parseHex(pattern); err == nil {
		return [][]byte{id}, nil
	}
	var ids [][]byte
	seen := map[string]bool{}
	add := func(name string, id []byte) {
		if Matches(pattern, name) && !seen[string(id)] {
			seen[string(id)] = true
			ids = append(ids, id)
		}
	}
	for c, err := range each(ctx, l, scanCertificate, "SELECT "+certificateColumns+" FROM certificates c"+l.engine.using("certificates_ca")+" WHERE c.kind <> 'leaf' AND c.kind <> 'server' AND c.kind <> 'probe'") {
		if err != nil {
			return nil, err
		}
		cert, err := c.X509()
		if err != nil {
			return nil, err
		}
		add(c.Subject, cert.SubjectKeyId)
		add(c.Issuer, c.keyID)
	}
	return ids, nil
}

// Matches reports whether a name matches a pattern of a [Filter], in which * is any run of characters.
func Matches(pattern, name string) bool {
	parts := strings.Split(pattern, "*")
	first, last := parts[0], parts[len(parts)-1]
	if len(parts) == 1 {
		return pattern == name
	}
	if len(name) < len(first)+len(last) || !strings.HasPrefix(name, first) || !strings.HasSuffix(name, last) {
		return false
	}
	name = name[len(first) : len(name)-len(last)]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, found := strings.Cut(name, part)
		if !found {
			return false
		}
		name = after
	}
	return true
}
