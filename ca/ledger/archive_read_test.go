package ledger

import (
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger/segment"
	"kedge/internal/testenv"
)

// A name in a segment is found by each of its names, and by nothing else.
func TestListArchived(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	certs := x.renewed("web", 4, time.Hour)
	named := x.root.leaf("db", valid(-48*time.Hour, -24*time.Hour), func(c *x509.Certificate) { c.DNSNames = []string{"DB.example.com"} })
	add(t, x.l, ca.Issued{Certificate: named, Host: "rack-7"})
	next := x.root.leaf("db")
	add(t, x.l, ca.Issued{Certificate: next, Replaces: fingerprint(named)})
	add(t, x.l, ca.Issued{Certificate: x.root.leaf("db"), Replaces: fingerprint(next)})
	x.archive(0)
	for _, tt := range []struct {
		f    Filter
		want int
	}{
		{Filter{}, 3}, {Filter{CommonName: "web"}, 2}, {Filter{Subject: "CN=web"}, 2}, {Filter{Host: "rack-7"}, 1}, {Filter{Host: "rack-*"}, 1},
		{Filter{SAN: "db.example.com"}, 1}, {Filter{SAN: "DB.example.com"}, 1}, {Filter{SAN: "*.example.com"}, 1}, {Filter{SAN: "web"}, 0},
		{Filter{Serial: certs[0].SerialNumber.Text(16)}, 1}, {Filter{Serial: certs[2].SerialNumber.Text(16)}, 0},
		{Filter{Fingerprint: fmt.Sprintf("%x", fingerprint(certs[1]))}, 1}, {Filter{State: Expired}, 3}, {Filter{State: Valid}, 0},
		{Filter{Kind: Leaf}, 3}, {Filter{Kind: Root}, 0}, {Filter{Unreplaced: true}, 0}, {Filter{Newest: true}, 0}, {Filter{Issuer: "CN=Archive CA"}, 3},
		{Filter{ExpiresBefore: noon.Add(-4 * time.Hour)}, 1}, {Filter{ExpiresAfter: noon}, 0}, {Filter{IssuedAfter: noon}, 3}, {Filter{Subject: "d*"}, 1},
	} {
		n := 0
		for _, err := range x.l.ListArchived(t.Context(), x.dir, tt.f, func(e *SegmentError) { t.Error(e) }) {
			if err != nil {
				t.Fatal(err)
			}
			n++
		}
		if n != tt.want {
			t.Errorf("%+v: %d, want %d", tt.f, n, tt.want)
		}
	}
}

// What is archived while all is listed is listed once.
func TestListAll_meanwhile(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		for i := range 4 {
			x.renewed(fmt.Sprint("web-", i), 4, time.Hour)
		}
		x.archive(-2 * time.Hour)
		want := len(x.all())
		for stop := range want {
			x.renewed(fmt.Sprint("db-", stop), 4, time.Hour)
			want += 4
			seen, n := map[int64]bool{}, 0
			for c, err := range x.l.ListAll(t.Context(), x.dir, Filter{}, func(e *SegmentError) { t.Error(e) }) {
				if err != nil {
					t.Fatal(err)
				}
				if seen[c.Seq] {
					t.Errorf("certificate %d is listed twice", c.Seq)
				}
				if seen[c.Seq] = true; n == stop {
					x.archive(0)
				}
				n++
			}
			if n != want {
				t.Fatalf("archived after %d: %d are listed, and there are %d", stop, n, want)
			}
		}
	})
}

// threeSegments returns a ledger with three segments.
func threeSegments(t *testing.T, where string) (x *archiving, files []string) {
	t.Helper()
	x = newArchiving(t, where)
	for n := range 3 {
		for i := range 4 {
			x.renewed(fmt.Sprint("web-", n, "-", i), 4, time.Hour)
		}
		files = append(files, x.archive(0).Segments...)
	}
	if len(files) != 3 {
		t.Fatalf("%v", files)
	}
	return x, files
}

// findings returns what Verify finds.
func (x *archiving) findings() (all []string) {
	x.t.Helper()
	r, err := x.l.Verify(x.t.Context(), VerifyOptions{Archive: x.dir})
	if err != nil {
		x.t.Fatal(err)
	}
	for _, f := range r.Faults {
		all = append(all, f.String())
	}
	return all
}

func (x *archiving) wantFinding(what string, want ...string) {
	x.t.Helper()
	got := x.findings()
	if len(got) != len(want) || !slices.EqualFunc(got, want, strings.Contains) {
		x.t.Errorf("%s: found %q\nwant %q", what, got, want)
	}
}

// Segments that are missing, swapped, or of another ledger.
func TestVerify_segments(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x, files := threeSegments(t, where)
		x.verified()
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Fatal(err)
			}
		}
		away := filepath.Join(t.TempDir(), "away")
		must(os.Rename(files[1], away))
		x.wantFinding("missing", "segments 2: it is missing: there is no file "+files[1])
		var broken []string
		n := 0
		for _, err := range x.l.ListArchived(t.Context(), x.dir, Filter{}, func(e *SegmentError) { broken = append(broken, e.File) }) {
			must(err)
			n++
		}
		if n != 16 || !slices.Equal(broken, files[1:2]) {
			t.Errorf("without a segment %d are listed, and %q cannot be read", n, broken)
		}

		must(os.Rename(files[2], files[1]))
		must(os.Rename(away, files[2]))
		x.wantFinding("swapped", "segments 2: the file "+files[1]+" is not the one", "segments 3: the file "+files[2]+" is not the one")
		must(os.Rename(files[2], away))
		must(os.Rename(files[1], files[2]))
		must(os.Rename(away, files[1]))
		x.verified()

		other, others := threeSegments(t, filepath.Join(t.TempDir(), "other.db"))
		other.verified()
		data, err := os.ReadFile(others[0])
		must(err)
		must(os.WriteFile(files[0], data, 0o600))
		x.wantFinding("of another ledger", "segments 1: the file "+files[0]+" is not the one")
	})
}

// The chain written anew after the last record of a segment, and one without its end.
func TestVerify_segmentHeads(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		x := newArchiving(t, where)
		x.renewed("db", 4, time.Hour)
		madeToken(t, x.l, 1)
		x.archive(0)
		x.verified()
		x.rewritten(7) // that of the token
		x.wantFinding("written anew", "segments 1: entry 7 has the hash ")
		for _, text := range []string{"DELETE FROM entries WHERE seq > 6", "DELETE FROM tokens"} {
			if _, err := x.l.db.ExecContext(t.Context(), text); err != nil {
				t.Fatal(err)
			}
		}
		if found := x.findings(); !slices.ContainsFunc(found, func(f string) bool {
			return strings.HasPrefix(f, "segments 1: the chain ends at 6; when the segment was written, it had the entry 7")
		}) {
			t.Errorf("without its end: %q", found)
		}
	})
}

// rewritten changes an entry in a way that matters for its hash only, and all that follow it.
func (x *archiving) rewritten(from int64) {
	x.t.Helper()
	ctx := x.t.Context()
	seq, _, err := x.l.Head(ctx)
	for ; err == nil && from <= seq; from++ {
		e, before := Entry{}, Entry{}
		for _, one := range []struct {
			seq int64
			e   *Entry
		}{{from - 1, &before}, {from, &e}} {
			row := x.l.db.QueryRowContext(ctx, x.l.engine.sql("SELECT seq, at, kind, body, prev, hash FROM entries WHERE seq = ?"), one.seq)
			if *one.e, err = scanEntry(row); err != nil {
				x.t.Fatal(err)
			}
		}
		e.Body, e.Prev = e.Body+" ", before.Hash
		e.Hash = e.sum()
		_, err = x.l.db.ExecContext(ctx, x.l.engine.sql("UPDATE entries SET body = ?, prev = ?, hash = ? WHERE seq = ?"), e.Body, e.Prev, e.Hash, e.Seq)
		if err == nil {
			_, err = x.l.db.ExecContext(ctx, x.l.engine.sql("UPDATE head SET hash = ?"), e.Hash)
		}
	}
	if err != nil {
		x.t.Fatal(err)
	}
}

// Each byte of a segment.
func TestVerify_segmentBytes(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	x.renewed("web", 3, time.Hour)
	file := x.archive(0).Segments[0]
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(whole); i += testenv.Slowdown * testenv.Slowdown { // each of them without the race detector
		changed := slices.Clone(whole)
		changed[i] ^= 4
		if err := os.WriteFile(file, changed, 0o600); err != nil {
			t.Fatal(err)
		}
		if found := x.findings(); len(found) == 0 || !strings.HasPrefix(found[0], "segments 1: ") {
			t.Fatalf("byte %d of %d: %q", i, len(whole), found)
		}
	}
}

// A segment that an authority of another CA signed, with all else as it must be, is found, and so is
// one that the ledger has an entry about.
func TestVerify_segmentSigner(t *testing.T) {
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	certs := x.renewed("web", 3, time.Hour)
	thief := newAuthority(t, "Thief", nil)
	if _, err := x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: x.dir, Signer: thief}); err == nil || !strings.Contains(err.Error(), "is not an authority of this ledger") {
		t.Errorf("archived by %v", err)
	}
	x.want("signed by another", certs, true, true, true)
	a := &archiver{Ledger: x.l, o: ArchiveOptions{Before: noon, Dir: x.dir, Signer: thief}}
	var done Archived
	if err := a.resume(t.Context(), &done); err != nil {
		t.Fatal(err)
	}
	path, err := a.write(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := segment.Seal(path, anySigner)
	if err != nil {
		t.Fatal(err)
	}
	defer sealed.Segment().Close()
	if err := errors.Join(a.record(t.Context(), sealed), a.remove(t.Context(), sealed, &done)); err != nil {
		t.Fatal(err)
	}
	x.wantFinding("signed by another", `segments 1: "CN=Thief" signed `)
	var broken []error
	for range x.l.ListArchived(t.Context(), x.dir, Filter{}, func(e *SegmentError) { broken = append(broken, e) }) {
		t.Error("it is listed")
	}
	if len(broken) != 1 || !strings.Contains(broken[0].Error(), "is not an authority of this ledger") {
		t.Errorf("%v", broken)
	}
}

// tamperFolders has the folders of segments of ledgers, by their engines.
var tamperFolders sync.Map

// fullOfArchive has a segment, too.
func fullOfArchive(t *testing.T, l *Ledger) {
	t.Helper()
	x := &archiving{t, l, newAuthority(t, "Archive CA", nil), t.TempDir()}
	register(t, l, x.root)
	x.renewed("archived", 3, time.Hour)
	if done := x.archive(0); done.Records == 0 {
		t.Fatalf("%+v", done)
	}
	tamperFolders.Store(l.engine, x.dir)
}
