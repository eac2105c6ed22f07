package ledger

import (
	"context"
	"crypto/x509"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"kedge/ca"
)

// backfill fills the columns and tables of schema 2 from the rows of schema 1. It accepts
// everything that the rules of schema 1 allowed: see history.
func backfill(ctx context.Context, tx *sql.Tx, e *engine) error {
	h := newHistory()
	for from := int64(0); ; {
		all, err := oldCertificates(ctx, tx, e, from)
		if err != nil {
			return err
		}
		if len(all) == 0 {
			break
		}
		for i := range all {
			if err := fillCertificate(ctx, tx, e, h, &all[i]); err != nil {
				return err
			}
		}
		from = all[len(all)-1].Seq
	}
	for id, l := range h.lineages {
		if _, err := tx.ExecContext(ctx, e.sql("INSERT INTO lineages (id, name, newest, old) VALUES (?, ?, ?, 1)"), id, l.name, l.newest); err != nil {
			return err
		}
	}
	for id, key := range h.keys {
		if _, err := tx.ExecContext(ctx, e.sql("UPDATE crls SET issuer_key = ? WHERE issuer_key_id = ?"), []byte(key), []byte(id)); err != nil {
			return err
		}
	}
	return nil
}

// oldCertificates reads a page of certificates in schema 1.
func oldCertificates(ctx context.Context, tx *sql.Tx, e *engine, from int64) ([]Certificate, error) {
	rows, err := tx.QueryContext(ctx, e.sql("SELECT seq, kind, subject, fingerprint, replaces, issuer_key_id, der FROM certificates WHERE seq > ? ORDER BY seq LIMIT ?"), from, int64(page))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var all []Certificate
	for rows.Next() {
		var c Certificate
		if err := rows.Scan(&c.Seq, &c.Kind, &c.Subject, &c.Fingerprint, &c.Replaces, &c.keyID, &c.DER); err != nil {
			return nil, err
		}
		all = append(all, c)
	}
	return all, rows.Err()
}

func fillCertificate(ctx context.Context, tx *sql.Tx, e *engine, h *history, c *Certificate) error {
	cert, err := x509.ParseCertificate(c.DER)
	if err != nil {
		return &BrokenError{Where: e.where, Err: fmt.Errorf("certificate %d, of %q, cannot be read: it was changed", c.Seq, c.Subject)}
	}
	hash := ca.KeyHash(cert)
	c.KeyHash = hash[:]
	h.add(c, cert, issuedBody{Replaces: hex.EncodeToString(c.Replaces)})
	var lineage any
	if c.Kind == Leaf {
		lineage = c.Lineage
	}
	result, err := tx.ExecContext(ctx, e.sql("UPDATE certificates SET key_hash = ?, issuer_key = ?, lineage = ? WHERE seq = ?"), c.KeyHash, c.IssuerKey, lineage, c.Seq)
	if err != nil {
		return err
	}
	if n, err := result.RowsAffected(); n != 1 {
		return errors.Join(err, &BrokenError{Where: e.where, Err: fmt.Errorf("it did not take what belongs to certificate %d", c.Seq)})
	}
	return nil
}

// history replays certificates, in the order of the chain, into lineages and keys. It is a second
// implementation: the statements of lineage.go are the first, and Verify compares both. Its memory
// grows with the open lineages, not with the chain.
type history struct {
	lineages    map[int64]*lineage
	byName      map[string][]int64  // ids, by subject
	byCommon    map[string][]int64  // ids, by common name
	byNewest    map[string]int64    // fingerprint -> id
	keys        map[string]string   // key identifier of a CA -> ca.KeyHash
	keysOf      map[string]string   // fingerprint of the certificate of a CA -> ca.KeyHash
	authorities map[string][]string // name -> fingerprints of its certificates, all of one key
}

type lineage struct {
	name, common, key, fingerprint string // of the newest certificate
	newest                         int64
	from, until                    time.Time // notBefore and notAfter of the newest
	old                            bool
	recoveries                     int64  // renewals by a host after the certificate had expired
	onlyKey                        string // that can renew the newest; empty: any
}

func newHistory() *history {
	return &history{lineages: map[int64]*lineage{}, byName: map[string][]int64{}, byCommon: map[string][]int64{}, byNewest: map[string]int64{},
		keys: map[string]string{}, keysOf: map[string]string{}, authorities: map[string][]string{}}
}

// add replays the next certificate, and sets its lineage and the key of its issuer.
func (h *history) add(c *Certificate, cert *x509.Certificate, body issuedBody) {
	c.IssuerKey = h.issuerKey(c, body)
	if cert.IsCA {
		h.keysOf[string(c.Fingerprint)] = string(c.KeyHash)
		if _, known := h.keys[string(cert.SubjectKeyId)]; !known {
			h.keys[string(cert.SubjectKeyId)] = string(c.KeyHash)
		}
		return
	}
	if body.Server || body.Probe {
		return
	}
	replaces, _ := hex.DecodeString(body.Replaces)
	id, ok := h.byNewest[string(replaces)]
	if ok && len(replaces) != 0 {
		if l := h.lineages[id]; body.Proof == ca.ProofRenewal && c.IssuedAt.After(l.until) {
			l.recoveries++
		}
		h.extend(id, c)
		return
	}
	id, ok = h.withKey(c)
	if !ok {
		id = c.Seq
	}
	if body.By != "" { // schema 2: a name has one lineage
		h.end(h.byName[c.Subject], id)
	}
	if body.Proof == ca.ProofToken || body.Proof == ca.ProofApproval { // whatever its subject
		h.end(h.byCommon[c.CommonName], id)
	}
	if ok {
		h.extend(id, c)
		return
	}
	h.lineages[id] = &lineage{name: c.Subject, common: c.CommonName, old: body.By == ""}
	h.byName[c.Subject] = append(h.byName[c.Subject], id)
	h.byCommon[c.CommonName] = append(h.byCommon[c.CommonName], id)
	h.extend(id, c)
}

// addImport is add for an import, which is not the newest if its name has one from a later time, or
// if it was revoked permanently.
func (h *history) addImport(c *Certificate, cert *x509.Certificate, body issuedBody) {
	late := body.Late || slices.ContainsFunc(h.byName[c.Subject], func(id int64) bool {
		return h.lineages[id].from.After(c.NotBefore) || body.Revoked.forGood()
	})
	if cert.IsCA || !late {
		h.add(c, cert, body)
		return
	}
	c.IssuerKey = h.issuerKey(c, body)
	id, ok := h.withKey(c)
	if !ok {
		id = c.Seq
	}
	c.Lineage = id
}

// issuerKey returns the key that signed a certificate: that of the authority which the entry names
// or, in schema 1, of the one with the key identifier.
func (h *history) issuerKey(c *Certificate, body issuedBody) []byte {
	switch {
	case c.Kind == Root:
		return c.KeyHash
	case body.By != "":
		return []byte(h.keyOf(body.By))
	}
	return []byte(h.keys[string(c.keyID)])
}

// keyOf returns the key of an authority, which does not change.
func (h *history) keyOf(authority string) string {
	for _, fingerprint := range h.authorities[authority] {
		if key, known := h.keysOf[fingerprint]; known {
			return key
		}
	}
	return ""
}

// withKey returns the newest lineage with the name and the key of a certificate.
func (h *history) withKey(c *Certificate) (id int64, ok bool) {
	for _, one := range h.byName[c.Subject] {
		if h.lineages[one].key == string(c.KeyHash) && one > id {
			id, ok = one, true
		}
	}
	return id, ok
}

// extend makes a certificate the newest of a lineage.
func (h *history) extend(id int64, c *Certificate) {
	l := h.lineages[id]
	delete(h.byNewest, l.fingerprint)
	l.newest, l.from, l.until, l.key, l.fingerprint, l.onlyKey = c.Seq, c.NotBefore, c.NotAfter, string(c.KeyHash), string(c.Fingerprint), ""
	h.byNewest[l.fingerprint] = id
	c.Lineage = id
}

// resolve makes a certificate the newest of its lineage, to be renewed by one key alone unless that is
// empty. back reports that the certificate had been replaced; ok, that its lineage has not ended.
func (h *history) resolve(c *Certificate, key string) (back, ok bool) {
	l := h.lineages[c.Lineage]
	if l == nil {
		return false, false
	}
	if back = l.newest != c.Seq; back {
		h.extend(c.Lineage, c)
	}
	l.onlyKey = key
	return back, true
}

// decommission ends the lineages of a common name.
func (h *history) decommission(name string) { h.end(h.byCommon[name], 0) }

// end ends lineages, except one.
func (h *history) end(ids []int64, but int64) {
	for _, id := range slices.Clone(ids) {
		if id == but {
			continue
		}
		l := h.lineages[id]
		delete(h.byNewest, l.fingerprint)
		delete(h.lineages, id)
		remove(h.byName, l.name, id)
		remove(h.byCommon, l.common, id)
	}
}

// remove removes an id from those of a name.
func remove(ids map[string][]int64, name string, id int64) {
	left := slices.DeleteFunc(ids[name], func(other int64) bool { return other == id })
	if ids[name] = left; len(left) == 0 {
		delete(ids, name)
	}
}
