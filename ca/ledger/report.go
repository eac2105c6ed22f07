package ledger

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// maxFaults bounds the faults that a report lists; the others are counted.
const maxFaults = 1000

// Report is what [Ledger.Verify] found.
type Report struct {
	Entries      int64
	Certificates int64
	Archived     int64  // of the certificates, those that only segments have
	Segments     int64  // of the archive
	Head         string // "SEQ:HASH" of the last entry, to be used as VerifyOptions.Head later
	// Unknown has the paths of segments in the folder of the archive that the ledger has no entry about, and of
	// unfinished ones: another process archives or was interrupted, or the ledger is an older backup. They are no
	// fault.
	Unknown []string
	Faults  []Fault // none: the ledger is as it was written
	More    int64   // faults that are not listed

	changed bool // a fault is other than that a segment cannot be read
}

// OK reports whether there are no faults.
func (r *Report) OK() bool { return len(r.Faults) == 0 }

// Fault is a row that differs from what was written.
type Fault struct {
	Table string
	Row   string // the sequence number of its entry, or its name; empty: the table as a whole
	What  string

	segment error // why a segment cannot be read; nil for another fault
}

func (f Fault) String() string {
	return strings.TrimSpace(f.Table+" "+f.Row) + ": " + f.What
}

// DamagedError reports that a ledger is refused, since it differs from what was written.
type DamagedError struct {
	Where  string
	Report Report
}

// Error states the first fault of the database and the number of the others.
func (e *DamagedError) Error() string {
	first := max(0, slices.IndexFunc(e.Report.Faults, func(f Fault) bool { return f.segment == nil }))
	return fmt.Sprintf("the ledger %s was changed: %s", e.Where, e.Report.Faults[first]) + e.Report.others()
}

// others returns how many faults there are beside the one that an error states.
func (r *Report) others() string {
	if n := int64(len(r.Faults)) - 1 + r.More; n > 0 {
		return fmt.Sprintf(" (and %d more)", n)
	}
	return ""
}

func (r *Report) add(table string, row any, format string, args ...any) {
	r.changed = true
	r.list(Fault{Table: table, Row: fmt.Sprint(row), What: fmt.Sprintf(format, args...)})
}

func (r *Report) list(f Fault) {
	if len(r.Faults) == maxFaults {
		r.More++
		return
	}
	r.Faults = append(r.Faults, f)
}

// compare compares the first columns of a row with what they must be.
func (r *Report) compare(t table, row any, got, want []any) {
	for i := range want {
		if !same(got[i], want[i]) {
			r.add(t.name, row, "%s is %s; it was written as %s", t.columns[i], show(got[i]), show(want[i]))
		}
	}
}

func same(a, b any) bool {
	x, ok := a.([]byte)
	y, also := b.([]byte)
	if ok && also {
		return bytes.Equal(x, y)
	}
	return ok == also && a == b
}

// show formats a value of a table, and abbreviates a long one.
func show(v any) string {
	const long = 80
	text := fmt.Sprint(v)
	switch v := v.(type) {
	case nil:
		return "empty"
	case []byte:
		text = fmt.Sprintf("%x", v)
	case string:
		text = fmt.Sprintf("%q", v)
	}
	if len(text) > long {
		text = text[:long] + "…"
	}
	return text
}
