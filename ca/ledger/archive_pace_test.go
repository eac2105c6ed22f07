package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// An archiver leaves the lock to others: while they write, and where they cannot queue for it, always.
func TestPace(t *testing.T) {
	const held = time.Second
	for _, tt := range []struct {
		name   string
		queued bool
		heads  []int64
		held   time.Duration
		batch  int
		pause  time.Duration
	}{
		{"PostgreSQL, nobody", true, []int64{7}, held, 2 * smallBatch, 0},
		{"PostgreSQL, nobody for long", true, []int64{7, 7, 7, 7, 7, 7, 7, 7}, held, largeBatch, 0},
		{"PostgreSQL, others", true, []int64{7, 7, 9}, held, smallBatch, 4 * held},
		{"SQLite, nobody", false, []int64{7, 7, 7, 7, 7, 7, 7, 7}, held, smallBatch, held},
		{"SQLite, others", false, []int64{7, 7, 9}, held, smallBatch, 4 * held},
		{"SQLite, the clock was set", false, []int64{7}, time.Hour, smallBatch, maxPause},
		{"others, the clock was set", true, []int64{9}, time.Hour, smallBatch, maxPause},
	} {
		p := pace{queued: tt.queued, batch: smallBatch, head: 7}
		var pause time.Duration
		for _, head := range tt.heads {
			pause = p.next(head, tt.held)
		}
		if p.batch != tt.batch || pause != tt.pause {
			t.Errorf("%s: a transaction of %d after %v; want %d after %v", tt.name, p.batch, pause, tt.batch, tt.pause)
		}
	}
}

// The archiver itself copies the write-ahead log into the file, for which the hosts of a server would wait.
func TestArchive_checkpoint(t *testing.T) {
	dir := t.TempDir()
	where := filepath.Join(dir, "ledger.db")
	x := newArchiving(t, where)
	for i := range smallBatch {
		x.renewed(fmt.Sprint("web-", i), checkpointEvery+2, time.Hour)
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
	if err != nil || len(all) != 1 || all[0].gone != smallBatch*checkpointEvery {
		t.Errorf("%+v, %v", all, err)
	}
}
