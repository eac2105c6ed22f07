package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// A ledger is restored with what its segments have checked, and without them all the same.
func TestRestore_archived(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	x.renewed("web", 4, time.Hour)
	file := x.archive(0).Segments[0]
	restore := func() (Report, error) {
		t.Helper()
		backup := filepath.Join(t.TempDir(), "backup.db")
		if err := x.l.Backup(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		return Restore(t.Context(), backup, filepath.Join(t.TempDir(), "restored.db"), x.dir, Options{Now: atNoon, AnyClock: true})
	}
	if r, err := restore(); err != nil || !r.OK() || r.Archived != 2 {
		t.Errorf("%+v, %v", r, err)
	}
	away := filepath.Join(t.TempDir(), "away")
	if err := os.Rename(file, away); err != nil {
		t.Fatal(err)
	}
	r, err := restore()
	if lost, ok := errors.AsType[*ArchiveError](r.Err("backup")); err != nil || !ok || !errors.Is(lost, os.ErrNotExist) {
		t.Errorf("without the segment: %+v, %v", r, err)
	}

	if err := os.Rename(away, file); err != nil {
		t.Fatal(err)
	}
	err = x.l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
		return tx.send(ctx, one("UPDATE lineages SET recoveries = 7"))
	})
	if err != nil {
		t.Fatal(err)
	}
	_, err = restore()
	if damaged, ok := errors.AsType[*DamagedError](err); !ok || damaged.Report.Faults[0].Table != "lineages" {
		t.Errorf("a lineage was changed: %v", err)
	}
}

// A file in the place of the folder is a lost archive: nobody has changed the ledger.
func TestRestore_archiveIsFile(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	x.renewed("web", 4, time.Hour)
	x.archive(0)
	backup := filepath.Join(t.TempDir(), "backup.db")
	if err := x.l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	r, err := Restore(t.Context(), backup, filepath.Join(t.TempDir(), "restored.db"), backup, Options{Now: atNoon, AnyClock: true})
	if _, ok := errors.AsType[*ArchiveError](r.Err("backup")); err != nil || !ok {
		t.Errorf("%+v, %v", r, err)
	}
}
