package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"
)

// An archiver leaves the lock to others: while they write, and where they cannot queue for it, now and then.
func TestPace(t *testing.T) {
	heads := func(quiet int, before ...int64) []int64 { return append(before, slices.Repeat([]int64{9}, quiet)...) }
	for _, tt := range []struct {
		name   string
		remote bool
		heads  []int64
		batch  int
		times  time.Duration
	}{
		{"PostgreSQL, nobody", true, heads(1), 2 * smallBatch, 0},
		{"PostgreSQL, nobody for long", true, heads(4 * fewBatches), postgresBatch, 0},
		{"PostgreSQL, others", true, heads(1, 7, 7, 7), smallBatch, pauseTimes},
		{"PostgreSQL, others before", true, heads(minQuiet, 7), smallBatch, pauseTimes},
		{"PostgreSQL, nobody again", true, heads(minQuiet+2, 7), 4 * smallBatch, 0},
		{"SQLite, nobody", false, heads(fewBatches + 1), sqliteBatch, 0},
		{"SQLite, nobody, after a few", false, heads(2 * fewBatches), sqliteBatch, 1},
		{"SQLite, others", false, heads(1, 7, 7, 7), smallBatch, pauseTimes},
		{"SQLite, others before", false, heads(minQuiet, 7), smallBatch, pauseTimes},
		{"SQLite, nobody again", false, heads(minQuiet+1, 7), 2 * smallBatch, 0},
	} {
		p := newPacer(&engine{remote: tt.remote})
		var times time.Duration
		for _, head := range tt.heads {
			times = p.next(head)
		}
		if p.batch != tt.batch || times != tt.times {
			t.Errorf("%s: a transaction of %d after a pause of %d; want %d after %d", tt.name, p.batch, times, tt.batch, tt.times)
		}
	}
}

// The archiver itself copies the write-ahead log into the file, for which the hosts of a server would wait.
func TestArchive_checkpoint(t *testing.T) {
	dir := t.TempDir()
	where := filepath.Join(dir, "ledger.db")
	x := newArchiving(t, where)
	for i := range sqliteBatch {
		x.renewed(fmt.Sprint("web-", i), fewBatches+3, time.Hour)
	}
	x.archive(0)
	data, err := os.ReadFile(where) // without the log beside it
	if err == nil {
		where = filepath.Join(dir, "file.db")
		err = os.WriteFile(where, data, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	all, err := create(t, where).segments(t.Context())
	if err != nil || len(all) != 1 || !all[0].done || all[0].gone != sqliteBatch*(fewBatches+1) {
		t.Errorf("%+v, %v", all, err)
	}
}
