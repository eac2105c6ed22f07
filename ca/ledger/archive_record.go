package ledger

import (
	"database/sql"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
)

// archivedRecord is what leaves the database together: the rows of an entry, of its certificate, and of
// the certificate's names.
type archivedRecord struct {
	entry   Entry
	rows    [][]any // as table.rows reads them
	segment int64   // the number of the segment that it was read from
}

func (r *archivedRecord) certificate() []any { return r.rows[1] }
func (r *archivedRecord) names() [][]any     { return r.rows[2:] }

// The keys by which a record is found: the serial number, the fingerprint, and every name.
func keyOfSerial(serial []byte) string           { return "serial " + string(serial) }
func keyOfFingerprint(fingerprint []byte) string { return "fingerprint " + string(fingerprint) }
func keyOfName(name string) string               { return "name " + name }

// keys returns the keys of a record.
func (r *archivedRecord) keys() []string {
	row := r.certificate()
	fingerprint, _ := row[2].([]byte)
	serial, _ := row[3].([]byte)
	all := []string{keyOfFingerprint(fingerprint), keyOfSerial(serial)}
	for _, i := range []int{certCommonName, certSubject, certHost} {
		name, _ := row[i].(string)
		all = append(all, keyOfName(name))
	}
	for _, n := range r.names() {
		name, _ := n[3].(string)
		all = append(all, keyOfName(name))
	}
	return all
}

// The places of columns in certificatesTable.
const (
	certReplaces   = 8
	certCommonName = 9
	certSubject    = 10
	certHost       = 12
)

// The kinds of values in a record.
const (
	valueNull = iota
	valueInteger
	valueText
	valueBytes
)

// encode encodes the rows: for each the number of its values, and each value with its kind.
func (r *archivedRecord) encode() []byte {
	b := make([]byte, 0, 2048)
	for _, row := range r.rows {
		b = binary.AppendUvarint(b, uint64(len(row)))
		for _, v := range row {
			switch v := v.(type) {
			case nil:
				b = append(b, valueNull)
			case int64:
				b = binary.AppendVarint(append(b, valueInteger), v)
			case string:
				b = binary.AppendUvarint(append(b, valueText), uint64(len(v)))
				b = append(b, v...)
			case []byte:
				b = binary.AppendUvarint(append(b, valueBytes), uint64(len(v)))
				b = append(b, v...)
			}
		}
	}
	return b
}

// errRecord reports that a record in a segment is not what encode writes.
var errRecord = errors.New("a record of the segment cannot be decoded")

// decodeRecord is the reverse of encode.
func decodeRecord(seq int64, data []byte) (*archivedRecord, error) {
	r := &archivedRecord{}
	d := decoder{data: data}
	for len(d.data) != 0 && !d.failed {
		row := make([]any, 0, 23)
		for n := d.number(); n > 0 && !d.failed; n-- {
			row = append(row, d.value())
		}
		r.rows = append(r.rows, row)
	}
	if d.failed || len(r.rows) < 2 || len(r.rows[0]) != len(entriesTable().columns) || len(r.certificate()) != len(certificatesTable().columns) {
		return nil, errRecord
	}
	for _, name := range r.names() {
		if len(name) != len(namesTable().columns) {
			return nil, errRecord
		}
	}
	e, ok := entryOf(r.rows[0])
	if !ok || e.Seq != seq || r.certificate()[0] != any(seq) {
		return nil, errRecord
	}
	r.entry = e
	return r, nil
}

// decoder reads values; failed is set when the data ends too early.
type decoder struct {
	data   []byte
	failed bool
}

func (d *decoder) number() uint64 {
	v, n := binary.Uvarint(d.data)
	if n <= 0 || v > uint64(len(d.data)) { // a length
		d.failed = true
		return 0
	}
	d.data = d.data[n:]
	return v
}

func (d *decoder) value() any {
	if len(d.data) == 0 {
		d.failed = true
		return nil
	}
	kind := d.data[0]
	d.data = d.data[1:]
	switch kind {
	case valueNull:
		return nil
	case valueInteger:
		v, n := binary.Varint(d.data)
		if n <= 0 {
			d.failed = true
			return nil
		}
		d.data = d.data[n:]
		return v
	case valueText:
		return string(d.bytes())
	case valueBytes:
		return d.bytes()
	}
	d.failed = true
	return nil
}

func (d *decoder) bytes() []byte {
	n := d.number()
	if d.failed || n > uint64(len(d.data)) {
		d.failed = true
		return nil
	}
	b := d.data[:n:n]
	d.data = d.data[n:]
	return b
}

// asCertificate returns the certificate of a record, as scanCertificate does for one in the database.
func (r *archivedRecord) asCertificate() (c Certificate, err error) {
	row := rowScanner{columns: certificatesTable().columns, row: r.certificate()}
	var issued, notBefore, notAfter int64
	var revoked, reason, replaced, lineage sql.NullInt64
	for column, target := range map[string]any{"seq": &c.Seq, "issued_at": &issued, "fingerprint": &c.Fingerprint, "serial": &c.serial, "issuer_key_id": &c.keyID,
		"kind": &c.Kind, "not_before": &notBefore, "not_after": &notAfter, "revoked_at": &revoked, "reason": &reason, "revoked_seq": &c.revokedSeq, "replaces": &c.Replaces,
		"replaced_seq": &replaced, "common_name": &c.CommonName, "subject": &c.Subject, "issuer": &c.Issuer, "host": &c.Host, "profile": &c.Profile, "why": &c.Why,
		"der": &c.DER, "key_hash": &c.KeyHash, "issuer_key": &c.IssuerKey, "lineage": &lineage} {
		row.take(column, target)
	}
	c.IssuedAt, c.NotBefore, c.NotAfter = time.UnixMicro(issued).UTC(), time.UnixMicro(notBefore).UTC(), time.UnixMicro(notAfter).UTC()
	c.Serial, c.IssuerKeyID = hex.EncodeToString(c.serial), hex.EncodeToString(c.keyID)
	c.ReplacedBy, c.Lineage, c.Reason = replaced.Int64, lineage.Int64, ca.Reason(reason.Int64)
	if revoked.Valid {
		at := time.UnixMicro(revoked.Int64).UTC()
		c.RevokedAt = &at
	}
	return c, row.err
}

// rowScanner assigns the columns of a row.
type rowScanner struct {
	columns []string
	row     []any
	err     error
}

func (s *rowScanner) take(column string, target any) {
	for i, name := range s.columns {
		if name != column {
			continue
		}
		ok := true
		switch t := target.(type) {
		case *int64:
			*t, ok = s.row[i].(int64)
		case *string:
			*t, ok = s.row[i].(string)
		case *[]byte:
			*t, ok = s.row[i].([]byte)
			ok = ok || s.row[i] == nil
		case *sql.NullInt64:
			t.Int64, t.Valid = s.row[i].(int64)
			ok = t.Valid || s.row[i] == nil
		}
		if !ok {
			s.err = fmt.Errorf("column %s: %w", column, errRecord)
		}
		return
	}
	s.err = errRecord
}
