package ledger

import (
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"kedge/ca"
)

// Filter matches certificates for which all set fields hold. In Host, CommonName, Subject, SAN and
// Issuer a * matches any run of characters; a pattern that begins with it is compared with all
// names, which is slow if few match.
type Filter struct {
	Kind       string // Root, Intermediate, Leaf, Server or Probe
	NoProbes   bool   // without those of probes
	State      string // Valid, Expired, Revoked, Held or Pending, by the clock of the ledger
	Host       string
	CommonName string
	Subject    string // a distinguished name as in RFC 2253; without a = the common name
	SAN        string // a DNS name, URI, IP address or email address
	Issuer     string // a distinguished name as in RFC 2253, or a key identifier in hexadecimal

	Serial      string // hexadecimal; colons and case are ignored
	Fingerprint string // SHA-256, likewise

	ExpiresBefore time.Time
	ExpiresAfter  time.Time
	IssuedAfter   time.Time
	Unreplaced    bool // without those that another one renewed

	// Newest matches only certificates without successor: of leaves the newest of each lineage that
	// has not ended, and of CAs those that no other renewed. Revoked ones do not match.
	Newest bool
	// LifeLeft matches only certificates with less than that percentage of their lifetime left; 0:
	// all. An expired certificate has none left.
	LifeLeft int

	Limit int   // maximum number; 0: no limit
	After int64 // Seq of the last certificate of the previous page; 0: from the beginning
}

// query is a filter as SQL.
type query struct {
	e     *engine
	from  string   // tables, with the index to take
	order []string // columns: those of that index
	where []string
	args  []any
	rank  int // of the chosen index; higher finds fewer rows
}

// query translates the filter. Each condition offers the index that serves it; the one that finds
// the fewest rows is used, and determines the order of the result.
func (f *Filter) query(e *engine, now time.Time, issuers [][]byte) (*query, error) {
	q := &query{e: e, from: "certificates c", order: []string{"c.seq"}}
	if err := f.addIdentity(q); err != nil {
		return nil, err
	}
	f.addNames(q)
	f.addSAN(q)
	f.addKind(q)
	f.addTimes(q)
	if f.Unreplaced {
		q.add("c.replaced_seq IS NULL")
		q.offer(22, "certificates_current", "c.not_after", "c.seq")
	}
	f.addNewest(q, now)
	if f.Issuer != "" {
		q.addIssuers(issuers)
	}
	return q, f.addState(q, now)
}

// offer proposes an index and the order of its rows.
func (q *query) offer(rank int, index string, order ...string) {
	if rank > q.rank {
		q.rank, q.order = rank, order
		q.from = "certificates c" + q.e.using(index)
	}
}

func (q *query) add(condition string, args ...any) {
	q.where = append(q.where, condition)
	q.args = append(q.args, args...)
}

func (f *Filter) addIdentity(q *query) error {
	for _, id := range []struct {
		what, hex, column, index string
		rank                     int
	}{
		{"fingerprint", f.Fingerprint, "c.fingerprint", "certificates_fingerprint", 90},
		{"serial number", f.Serial, "c.serial", "certificates_serial", 80},
	} {
		if id.hex == "" {
			continue
		}
		value, err := parseHex(id.hex)
		if err != nil {
			return fmt.Errorf("the %s %q is not hexadecimal", id.what, id.hex)
		}
		if id.column == "c.serial" {
			value = trimZeros(value)
		}
		q.add(id.column+" = ?", value)
		q.offer(id.rank, id.index, "c.seq")
	}
	return nil
}

func (f *Filter) addNames(q *query) {
	name := []string{"c.common_name", "c.subject", "c.seq"}
	if f.CommonName != "" {
		q.like("c.common_name", f.CommonName, 70, "certificates_name", name...)
	}
	switch {
	case f.Subject == "":
	case !strings.Contains(f.Subject, "="):
		q.like("c.common_name", f.Subject, 70, "certificates_name", name...)
	default:
		if prefix, ok := commonNamePrefix(f.Subject); ok {
			q.within("c.common_name", prefix)
		}
		q.like("c.subject", f.Subject, 70, "certificates_name", name...)
	}
	if f.Host != "" {
		q.like("c.host", f.Host, 72, "certificates_host", "c.host", "c.seq")
	}
}

// commonNamePrefix returns the common prefix of the common names of subjects that match the
// pattern, since the index begins with them.
func commonNamePrefix(subject string) (string, bool) {
	rest, ok := strings.CutPrefix(subject, "CN=")
	if !ok {
		return "", false
	}
	prefix := rest[:len(rest)-len(strings.TrimLeftFunc(rest, func(r rune) bool { return !strings.ContainsRune(`*,+\"#;<>`, r) }))]
	return prefix, prefix != ""
}

// addSAN uses the table of names. A certificate with several matching names is returned once, for
// the first of them.
func (f *Filter) addSAN(q *query) {
	if f.SAN == "" {
		return
	}
	pattern := f.SAN
	if !strings.ContainsAny(pattern, ":/@") {
		pattern = strings.ToLower(pattern) // a DNS name, or an IP address
	}
	q.rank, q.order = 75, []string{"n.value", "n.seq"}
	q.from = "names n" + q.e.using("names_value") + ", certificates c"
	q.add("c.seq = n.seq")
	condition, args := q.matching("n.value", pattern)
	q.add(condition, args...)
	condition, args = q.matching("m.value", pattern)
	q.add("(n.place = 0 OR NOT EXISTS (SELECT 1 FROM names m WHERE m.seq = n.seq AND m.place < n.place AND "+condition+"))", args...)
}

func (f *Filter) addKind(q *query) {
	if f.NoProbes {
		q.add("c.kind <> 'probe'")
	}
	if f.Kind == "" {
		return
	}
	q.add("c.kind = ?", f.Kind)
	if f.Kind != Leaf {
		q.add("c.kind <> 'leaf'")
		q.offer(60, "certificates_ca", "c.seq")
	}
}

func (f *Filter) addTimes(q *query) {
	if !f.ExpiresBefore.IsZero() {
		q.add("c.not_after < ?", f.ExpiresBefore.UnixMicro())
		q.offer(20, "certificates_expiry", "c.not_after", "c.seq")
	}
	if !f.ExpiresAfter.IsZero() {
		q.add("c.not_after >= ?", f.ExpiresAfter.UnixMicro())
		q.offer(20, "certificates_expiry", "c.not_after", "c.seq")
	}
	if !f.IssuedAfter.IsZero() {
		q.add("c.issued_at >= ?", f.IssuedAfter.UnixMicro())
		q.offer(15, "certificates_issued", "c.issued_at", "c.seq")
	}
}

// addNewest uses the index of certificates without successor, a superset: as few as there are
// hosts, however often these have renewed.
func (f *Filter) addNewest(q *query, now time.Time) {
	if f.Newest {
		q.add("c.replaced_seq IS NULL AND c.revoked_at IS NULL AND (c.kind <> 'leaf' OR EXISTS (SELECT 1 FROM lineages l WHERE l.newest = c.seq))")
		q.offer(22, "certificates_current", "c.not_after", "c.seq")
	}
	if f.LifeLeft > 0 {
		q.add("100 * (c.not_after - ?) < ? * (c.not_after - c.not_before)", now.UnixMicro(), int64(f.LifeLeft))
	}
}

// addState is Certificate.State in SQL.
func (f *Filter) addState(q *query, now time.Time) error {
	at := now.UnixMicro()
	switch f.State {
	case "":
	case Revoked:
		q.add("c.revoked_at IS NOT NULL AND c.reason <> ?", int64(ca.CertificateHold))
		q.offer(50, "certificates_revoked", "c.seq")
	case Held:
		q.add("c.revoked_at IS NOT NULL AND c.reason = ?", int64(ca.CertificateHold))
		q.offer(50, "certificates_revoked", "c.seq")
	case Expired:
		q.add("c.revoked_at IS NULL AND c.not_after < ?", at)
		q.offer(20, "certificates_expiry", "c.not_after", "c.seq")
	case Pending: // usually none: an index has those that were not valid yet when issued
		q.add("c.revoked_at IS NULL AND c.not_after >= ? AND c.not_before > ? AND c.not_before > c.issued_at", at, at)
		q.offer(40, "certificates_early", "c.not_before", "c.seq")
	case Valid:
		q.add("c.revoked_at IS NULL AND c.not_after >= ? AND c.not_before <= ?", at, at)
		q.offer(20, "certificates_expiry", "c.not_after", "c.seq")
	default:
		return fmt.Errorf("the state %q is none of %s, %s, %s, %s, %s", f.State, Valid, Expired, Revoked, Held, Pending)
	}
	return nil
}

// addIssuers adds the key identifiers of the issuers that match.
func (q *query) addIssuers(ids [][]byte) {
	if len(ids) == 0 {
		q.add("1 = 0")
		return
	}
	var args []any
	for _, id := range ids {
		args = append(args, id)
	}
	q.add("c.issuer_key_id IN (?"+strings.Repeat(", ?", len(ids)-1)+")", args...)
	if len(ids) == 1 {
		q.offer(12, "certificates_issuer", "c.seq")
		return
	}
	q.offer(12, "certificates_issuer", "c.issuer_key_id", "c.seq")
}

// like adds a condition on a name. A complete name is a better index condition than a pattern, and
// returns its matches in the order of the chain.
func (q *query) like(column, pattern string, rank int, index string, order ...string) {
	condition, args := q.matching(column, pattern)
	q.add(condition, args...)
	if !strings.Contains(pattern, "*") {
		rank, order = rank+5, []string{"c.seq"}
		if column == "c.subject" {
			order = []string{"c.common_name", "c.subject", "c.seq"}
		}
	}
	q.offer(rank, index, order...)
}

// matching returns a condition for a pattern: the text before the first * bounds a range of the
// index.
func (q *query) matching(column, pattern string) (string, []any) {
	prefix, _, wild := strings.Cut(pattern, "*")
	if !wild {
		return column + " = ?", []any{pattern}
	}
	condition, args := column+" "+q.e.match+" ?", []any{q.e.pattern(pattern)}
	if prefix != "" {
		condition += " AND " + column + " >= ? AND " + column + " < ?"
		args = append(args, prefix, prefix+"\U0010FFFF")
	}
	return condition, args
}

// within bounds a column by a prefix.
func (q *query) within(column, prefix string) {
	q.add(column+" >= ? AND "+column+" < ?", prefix, prefix+"\U0010FFFF")
}

// parseHex parses hexadecimal as tools print it: with colons, in upper case, of odd length.
func parseHex(s string) ([]byte, error) {
	s = strings.ReplaceAll(s, ":", "")
	if len(s)%2 != 0 {
		s = "0" + s
	}
	return hex.DecodeString(s)
}

// trimZeros removes the leading zeros of a serial number, as stored.
func trimZeros(b []byte) []byte {
	for len(b) > 1 && b[0] == 0 {
		b = b[1:]
	}
	return b
}
