package ledger

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca/ledger/segment"
)

// errStopped is what a test stops Archive with.
var errStopped = errors.New("stopped by the test")

// Stopped before each statement, an archiver leaves a ledger that verifies, and the next one goes on.
func TestArchive_stopped(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		send := x.l.engine.send
		for stopAt, stopped := 1, true; stopped; stopAt++ {
			for i := range 3 {
				x.renewed(fmt.Sprint("web-", stopAt, "-", i), 3, time.Hour)
			}
			before, sent := x.all(), 0
			x.l.engine.send = func(ctx context.Context, s *session, all []statement) ([]int64, error) {
				if sent++; sent == stopAt {
					return nil, errStopped
				}
				return send(ctx, s, all)
			}
			_, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root})
			x.l.engine.send = send
			if stopped = err != nil; stopped && !errors.Is(err, errStopped) {
				t.Fatalf("statement %d: %v", stopAt, err)
			}
			for _, what := range []string{"stopped", "again"} {
				x.verified()
				if all := x.all(); !reflect.DeepEqual(all, before) {
					t.Fatalf("%s at statement %d: database and segments have not what the database had", what, stopAt)
				}
				x.archive(0)
			}
			if left := found(t, x.l, Filter{State: Expired}); len(left) != 3*stopAt { // those that the newest have replaced
				t.Fatalf("statement %d: %v are left", stopAt, left)
			}
			if stopAt > 40 {
				t.Fatal("it is always stopped")
			}
		}
	})
}

// An archiver that is stopped when it has written a segment, before the ledger has an entry about it.
func TestArchive_orphan(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		x.renewed("web", 5, time.Hour)
		before := x.all()
		_, sealed := x.sealed()
		hidden := filepath.Join(x.dir, ".segment-1.tmp")
		if err := os.WriteFile(hidden, []byte("kedge ledger seg"), 0o600); err != nil {
			t.Fatal(err)
		}
		if r := x.verified(); !slices.Equal(r.Unknown, []string{hidden, filepath.Join(x.dir, sealed.Segment().Name())}) {
			t.Errorf("unknown files: %q", r.Unknown)
		}
		if done := x.archive(0); done.Records != 3 {
			t.Errorf("%+v", done)
		}
		if r := x.verified(); !slices.Equal(r.Unknown, []string{hidden}) { // the other one is the same segment
			t.Errorf("unknown files, then: %q", r.Unknown)
		}
		if all := x.all(); !reflect.DeepEqual(all, before) {
			t.Error("database and segments have not what the database had")
		}
	})
}

// A recorded segment that is lost, or was changed, before its rows were deleted deletes nothing.
func TestArchive_lostSegment(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	certs := x.renewed("web", 4, time.Hour)
	a, sealed := x.sealed()
	if err := a.record(t.Context(), sealed); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(x.dir, sealed.Segment().Name())
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, damage := range []func() error{
		func() error { return os.WriteFile(file, append([]byte("K"), data[1:]...), 0o600) },
		func() error { return os.WriteFile(file, data[:len(data)/2], 0o600) },
		func() error { data[40] ^= 1; return os.WriteFile(file, data, 0o600) }, // in a block
		func() error { return os.Remove(file) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		_, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: x.dir, Signer: x.root})
		if broken, ok := errors.AsType[*SegmentError](err); !ok || broken.File != file {
			t.Errorf("%v", err)
		}
		x.want("after the damage", certs, true, true, true, true)
	}
}

// With another folder than the last time, or a last segment that was changed, nothing is archived.
func TestArchive_otherFolder(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		x.renewed("web", 4, time.Hour)
		file := x.archive(0).Segments[0]
		certs := x.renewed("db", 4, time.Hour)
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		refuses := func(what, dir string) {
			t.Helper()
			_, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: dir, Signer: x.root})
			if lost, ok := errors.AsType[*SegmentError](err); !ok || lost.Number != 1 {
				t.Errorf("%s: %v", what, err)
			}
			x.want(what, certs, true, true, true, true)
		}
		refuses("another folder", t.TempDir())
		if err := os.WriteFile(file, data[:len(data)-1], 0o600); err != nil {
			t.Fatal(err)
		}
		refuses("a segment that was changed", x.dir)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if done := x.archive(0); done.Records != 2 {
			t.Errorf("%+v", done)
		}
		x.verified()
	})
}

// A folder that takes no more loses nothing and leaves nothing.
func TestArchive_noFolder(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	certs := x.renewed("web", 4, time.Hour)
	if _, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: filepath.Join(x.dir, "none"), Signer: x.root}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	x.want("no folder", certs, true, true, true, true)
	if seq, _, err := x.l.Head(t.Context()); seq != 6 || err != nil {
		t.Errorf("the chain has %d entries, %v", seq, err)
	}
}

// archiveOf before the place and the folder makes the process of TestMain archive.
const archiveOf = "archive:"

// childArchives archives what a ledger has, again and again, while it renews the certificates of hosts.
func childArchives(arguments string) error {
	where, dir, _ := strings.Cut(arguments, "|")
	ctx := context.Background()
	l, err := Open(ctx, where, Options{Now: atNoon, AnyClock: true})
	if err != nil {
		return err
	}
	signer := newAuthority(&testing.B{}, fmt.Sprint("Child ", os.Getpid()), nil)
	if err := registerChild(ctx, l, signer); err != nil {
		return err
	}
	for {
		done, err := l.Archive(ctx, ArchiveOptions{Before: noon, Dir: dir, Signer: signer})
		if _, other := errors.AsType[*ArchivingError](err); err != nil && !other {
			return err
		}
		fmt.Println(done.Records)
	}
}

// Killed by kill -9 at random moments, archivers lose nothing, and the next one needs no repair.
func TestArchive_killed(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		var before map[int64]Certificate
		for round := range 6 {
			for i := range 40 {
				x.renewed(fmt.Sprint("web-", round, "-", i), 4, time.Hour)
			}
			cmd := exec.Command(os.Args[0])
			cmd.Env = append(os.Environ(), childLedger+"="+archiveOf+where+"|"+x.dir)
			cmd.Stderr = os.Stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Duration(20+60*round) * time.Millisecond) // anywhere
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
			_ = cmd.Wait() // killed
			x.verified()
			if n := len(x.all()); n < 160*(round+1)+1 {
				t.Fatalf("round %d: %d certificates", round, n)
			}
		}
		before = x.all()
		x.archive(0)
		x.verified()
		if all := x.all(); !reflect.DeepEqual(all, before) {
			t.Error("database and segments have not what they had")
		}
		if left := found(t, x.l, Filter{State: Expired}); len(left) != 6*40 { // those that the newest have replaced
			t.Errorf("%d are left", len(left))
		}
		for _, s := range must(filepath.Glob(filepath.Join(x.dir, "segment-*")))(t) {
			opened, err := segment.Open(s)
			if err != nil {
				t.Errorf("%s: %v", s, err)
				continue
			}
			opened.Close()
		}
	})
}

// must returns the value of a call that must not fail.
func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}
