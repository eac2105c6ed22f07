package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"
)

// TestReport_Err: only a fault of the database is reported as a changed ledger.
func TestReport_Err(t *testing.T) {
	t.Parallel()
	missing := &SegmentError{Number: 1, File: "a/1", Err: fmt.Errorf("open a/1: %w", fs.ErrNotExist)}
	for _, tt := range []struct {
		name, want string
		list       func(*Report)
	}{
		{"none", "<nil>", func(*Report) {}},
		{"missing", "the archive of db is incomplete: segment 1, a/1, is missing", func(r *Report) { r.unread(1, missing) }},
		{"two", "the archive of db is incomplete: segment 1, a/1, is missing (and 1 more)", func(r *Report) { r.unread(1, missing); r.unread(2, missing) }},
		{"of another user", "segment 1, a/1, could not be checked: permission denied", func(r *Report) { r.unread(1, &SegmentError{Number: 1, File: "a/1", Err: fs.ErrPermission}) }},
		{"damaged", "the archive of db is damaged: segment 1 of the ledger: x", func(r *Report) { r.unread(1, &SegmentError{Number: 1, File: "a/1", Err: errors.New("x")}) }},
		{"a row, too", "the ledger db was changed: certificates 5: x (and 1 more)", func(r *Report) { r.unread(1, missing); r.add("certificates", 5, "x") }},
		{"very many", "the ledger db was changed: segments 1: it is missing: there is no file a/1 (and 1000 more)", func(r *Report) {
			for range maxFaults {
				r.unread(1, missing)
			}
			r.add("certificates", 5, "x")
		}},
	} {
		r := &Report{}
		tt.list(r)
		if err := r.Err("db"); fmt.Sprint(err) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
