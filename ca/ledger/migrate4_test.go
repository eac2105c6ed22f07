package ledger

import (
	"errors"
	"testing"
	"time"
)

// afterThird is soon after the last entry of testdata/schema-3.db.
func afterThird() time.Time { return time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC) }

// What schema 3 recorded is as it was, can be archived, and verifies then.
func TestMigrate4(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		placeSchema(t, where, 3)
		_, err := Open(t.Context(), where, Options{Now: afterThird, ReadOnly: true})
		if older, ok := errors.AsType[*OlderSchemaError](err); !ok || older.Schema != 3 || older.Known != newestSchema {
			t.Errorf("to only read: %v", err)
		}
		o := Options{Now: afterThird, AnyClock: true}
		openAtOnce(t, where, o)
		l, err := Open(t.Context(), where, o)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { l.Close() })
		x := &archiving{t, l, newAuthority(t, "Archive CA", nil), t.TempDir()}
		if r := x.verified(); r.Certificates != 7 {
			t.Errorf("%+v", r)
		}
		register(t, l, x.root)
		done, err := l.Archive(t.Context(), ArchiveOptions{Before: afterThird(), Dir: x.dir, Signer: x.root})
		if err != nil || done.Records != 1 {
			t.Errorf("%+v, %v", done, err)
		}
		if r := x.verified(); r.Certificates != 8 || r.Archived != 1 {
			t.Errorf("%+v", r)
		}
	})
}
