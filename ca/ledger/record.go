package ledger

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"kedge/ca"
)

const (
	insertColumns = `INSERT INTO certificates (seq, issued_at, fingerprint, serial, issuer_key_id, kind, not_before, not_after, replaces,
		common_name, subject, issuer, host, profile, why, der, key_hash, issuer_key, lineage)
		VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `
	insertCA       = insertColumns + "NULL) ON CONFLICT DO NOTHING"
	insertName     = "INSERT INTO names (seq, place, kind, value, server) VALUES (?, ?, ?, ?, ?)"
	updateReplaced = "UPDATE certificates SET replaced_seq = ? WHERE fingerprint = ?"
)

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
	if i.Probe {
		if err := asProbe(&row, i); err != nil {
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
	body.Server, body.Probe = i.Server, i.Probe
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

// isFirst reports whether a record is the first of its names in a batch: the rules must see what
// another has changed.
func (r *record) isFirst(names map[string]bool) bool {
	subject, common := "subject "+r.row.Subject, "name "+r.row.CommonName
	taken := names[subject] || r.row.CommonName != "" && names[common]
	names[subject], names[common] = true, true
	return !taken
}

func orNull(b []byte) any {
	if len(b) == 0 {
		return nil
	}
	return b
}
