package ledger

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

// replace archives with ReplaceLost.
func (x *archiving) replace(dir string) (Archived, error) {
	return x.l.Archive(x.t.Context(), ArchiveOptions{Before: noon, Dir: dir, Signer: x.root, ReplaceLost: true})
}

// lose records a segment, deletes some of its rows, and loses its file.
func (x *archiving) lose(gone int) (file string) {
	x.t.Helper()
	a, sealed := x.sealed()
	if err := a.record(x.t.Context(), sealed); err != nil {
		x.t.Fatal(err)
	}
	if gone != 0 {
		if r, err := a.removeBatch(x.t.Context(), sealed, sealed.Seqs()[:gone]); r.gone != int64(gone) || err != nil {
			x.t.Fatal(r, err)
		}
	}
	file = filepath.Join(x.dir, sealed.Segment().Name())
	if err := os.Remove(file); err != nil {
		x.t.Fatal(err)
	}
	return file
}

// A segment whose file was lost before anything of it left the database is written anew when that is asked
// for, and nothing is lost.
func TestArchive_replaceLost(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		for round, name := range []string{"first", "second"} { // without and with a segment before
			certs := x.renewed(name, 4, time.Hour)
			before := x.all()
			file := x.lose(0)
			_, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root})
			if lost, ok := errors.AsType[*SegmentError](err); !ok || !lost.Unused || lost.File != file {
				t.Fatalf("%s: not asked for: %v", name, err)
			}
			x.want(name, certs, true, true, true, true)
			if done, err := x.replace(x.dir); err != nil || done.Records != 2 || len(done.Segments) != 1 {
				t.Fatalf("%s: %+v, %v", name, done, err)
			}
			x.want(name+", replaced", certs, false, false, true, true)
			if r := x.verified(); r.Segments != int64(round+1) {
				t.Errorf("%+v", r)
			}
			if all := x.all(); !reflect.DeepEqual(all, before) {
				t.Errorf("%s: database and segments have not what the database had", name)
			}
		}
	})
}

// A segment of which a certificate has left the database is never given up, and Verify finds that it is lost.
func TestArchive_replaceGone(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 4, time.Hour)
		file := x.lose(1)
		_, err := x.replace(x.dir)
		if lost, ok := errors.AsType[*SegmentError](err); !ok || lost.Unused {
			t.Errorf("%v", err)
		}
		x.want("one has left", certs, false, true, true, true)
		x.wantFinding("one has left", "segments 1: it is missing: there is no file "+file)

		// Neither by one that took it for unused.
		a := &archiver{Ledger: x.l, o: ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root}}
		all, err := x.l.segments(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		a.last = all[0]
		if _, ok := errors.AsType[*ArchivingError](a.abandonLast(t.Context(), all)); !ok {
			t.Error("it was given up")
		}
		x.wantFinding("not given up", "segments 1: it is missing: there is no file "+file)
	})
}

// With another folder than the last time no segment is given up.
func TestArchive_replaceOtherFolder(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	x.renewed("web", 4, time.Hour)
	x.archive(0)
	x.renewed("db", 4, time.Hour)
	file := x.lose(0)
	_, err := x.replace(t.TempDir())
	if lost, ok := errors.AsType[*SegmentError](err); !ok || lost.Number != 1 {
		t.Errorf("%v", err)
	}
	x.wantFinding("not given up", "segments 2: it is missing: there is no file "+file)
	if done, err := x.replace(x.dir); err != nil || done.Records != 2 {
		t.Errorf("%+v, %v", done, err)
	}
	x.verified()
}

// An archiver whose segment was given up by another deletes nothing.
func TestArchive_givenUp(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		certs := x.renewed("web", 4, time.Hour)
		a, sealed := x.sealed()
		if err := a.record(t.Context(), sealed); err != nil {
			t.Fatal(err)
		}
		all, err := x.l.segments(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		other := &archiver{Ledger: x.l, o: a.o, last: all[0]}
		if err := other.abandonLast(t.Context(), all); err != nil {
			t.Fatal(err)
		}
		var done Archived
		if _, ok := errors.AsType[*ArchivingError](a.remove(t.Context(), sealed, &done)); !ok || done.Records != 0 {
			t.Errorf("%+v", done)
		}
		x.want("given up", certs, true, true, true, true)
		r := x.verified()
		if want := []string{filepath.Join(x.dir, sealed.Segment().Name())}; !slices.Equal(r.Unknown, want) {
			t.Errorf("unknown files: %q, want %q", r.Unknown, want)
		}
	})
}

// Verify finds an entry that gives up a segment which the ledger does not have.
func TestVerify_givenUp(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	x.renewed("web", 4, time.Hour)
	x.archive(0)
	for _, body := range []abandonBody{{Number: 2}, {Number: 1, Digest: "00"}} {
		err := x.l.alone(t.Context(), func(ctx context.Context, tx *transaction) error {
			_, err := tx.append(ctx, kindAbandon, body)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	x.wantFinding("given up", ": it gives up a segment 2 that", ": it gives up a segment 1 that")
}
