package ledger

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/ca"
)

func TestBackup_whileWriting(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		full(t, l)
		root := newAuthority(t, "Other CA", nil)
		register(t, l, root)
		ctx, stop := context.WithCancel(t.Context())
		wrote := make(chan int)
		started := make(chan struct{})
		go func() {
			n := 0
			for ; ctx.Err() == nil; n++ {
				if err := l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("busy"), Issuer: root.cert, At: noon}); err != nil {
					t.Error(err)
					break
				}
				if n == 0 {
					close(started)
				}
			}
			wrote <- n
		}()
		<-started
		path := filepath.Join(t.TempDir(), "backup.db")
		err := l.Backup(t.Context(), path)
		stop()
		n := <-wrote
		if err != nil {
			t.Fatal(err)
		}
		checkBackup(t, l, path, n)
	})
}

func checkBackup(t *testing.T, l *Ledger, path string, wrote int) {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
	files, err := os.ReadDir(filepath.Dir(path))
	if len(files) != 1 || err != nil {
		t.Errorf("beside the backup: %v, %v", files, err)
	}
	b, err := Open(t.Context(), path, Options{Now: atNoon, ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	r := verify(t, b, "")
	if !r.OK() || r.Entries <= 21 || r.Entries > int64(23+wrote) {
		t.Errorf("after %d more: %+v", wrote, r)
	}
	if r := verify(t, l, r.Head); !r.OK() {
		t.Errorf("the ledger does not go on from its backup: %+v", r)
	}
	err = l.Backup(t.Context(), path)
	if !errors.Is(err, fs.ErrExist) || err.Error() != "back up to "+path+": file already exists" {
		t.Errorf("again: %v", err)
	}
	if err := l.Backup(t.Context(), filepath.Join(path, "x")); err == nil || !strings.HasPrefix(err.Error(), "back up to "+path+"/x: ") {
		t.Errorf("in a folder that is none: %v", err)
	}
}

// From either engine into either engine, by way of a backup.
func TestRestore(t *testing.T) {
	engines(t, func(t *testing.T, from string) {
		l := create(t, from)
		full(t, l)
		path := filepath.Join(t.TempDir(), "backup.db")
		if err := l.Backup(t.Context(), path); err != nil {
			t.Fatal(err)
		}
		engines(t, func(t *testing.T, to string) {
			if _, err := Restore(t.Context(), path, to, "", Options{Now: atNoon, AnyClock: true}); err != nil {
				t.Fatal(err)
			}
			_, err := Open(t.Context(), to, Options{Now: atNoon, AnyClock: true})
			if err != nil {
				t.Fatal(err)
			}
			restored := create(t, to)
			want := verify(t, l, "")
			r := verify(t, restored, want.Head)
			if !r.OK() || r.Entries != want.Entries+1 || r.Certificates != want.Certificates {
				t.Errorf("got  %v\nwant %v, and the entry of the restore", r, want)
			}
			add(t, restored, ca.Issued{Certificate: newAuthority(t, "New CA", nil).cert})
			_, err = Restore(t.Context(), path, to, "", Options{Now: atNoon, AnyClock: true})
			if _, ok := errors.AsType[*NotEmptyError](err); !ok || !strings.HasSuffix(err.Error(), "is not empty: it has 23 entries") {
				t.Errorf("over a ledger: %v", err)
			}
			if r := verify(t, restored, ""); !r.OK() || r.Entries != 23 {
				t.Errorf("after that: %+v", r)
			}
		})
	})
}

func TestRestore_refuses(t *testing.T) {
	dir := t.TempDir()
	l := create(t, filepath.Join(dir, "ledger.db"))
	full(t, l)
	if _, err := l.db.Exec("UPDATE certificates SET host = 'x' WHERE host = 'rack-1'"); err != nil {
		t.Fatal(err)
	}
	backup, to := filepath.Join(dir, "backup.db"), filepath.Join(dir, "new.db")
	if err := l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	for from, want := range map[string]string{
		backup:                     "the ledger " + backup + ` was changed: certificates 5: host is "x"; it was written as "rack-1" (and 1 more)`,
		filepath.Join(dir, "none"): "restore from there is no ledger " + filepath.Join(dir, "none"),
	} {
		if _, err := Restore(t.Context(), from, to, "", Options{Now: atNoon, AnyClock: true}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
		if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s is there: %v", to, err)
		}
	}
}

func TestExport(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		root, _ := sample(t, l)
		add(t, l, ca.Issued{Certificate: root.leaf(`=cmd|"x",1`), Why: "-1"})
		var out bytes.Buffer
		if err := l.Export(t.Context(), &out, JSON, Filter{}); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Schema       int
			Certificates []exported
		}
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil || doc.Schema != 1 || len(doc.Certificates) != 9 {
			t.Fatalf("%v, %+v", err, doc)
		}
		if c := doc.Certificates[4]; c.Reason != "key-compromise" || c.State != Revoked || !c.RevokedAt.Equal(noon) || fmt.Sprint(c.IPs) != "[10.0.0.2]" || len(c.DER) < 200 {
			t.Errorf("%+v", c)
		}
		if n := strings.Count(out.String(), "\n"); n != 11 {
			t.Errorf("%d lines", n)
		}
		out.Reset()
		if err := l.Export(t.Context(), &out, CSV, Filter{CommonName: "=*"}); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll()
		if err != nil || len(rows) != 2 || len(rows[0]) != len(rows[1]) || rows[1][7] != `'=cmd|"x",1` || rows[1][18] != "'-1" {
			t.Errorf("%v, %q", err, rows)
		}
		out.Reset()
		if err := l.Export(t.Context(), &out, JSON, Filter{Host: "none"}); err != nil || out.String() != "{\"schema\":1,\"certificates\":[\n]}\n" {
			t.Errorf("none: %s, %v", out.String(), err)
		}
		if err := l.Export(t.Context(), &out, "xml", Filter{}); fmt.Sprint(err) != `there is no format "xml" to export in; it must be json or csv` {
			t.Errorf("%v", err)
		}
	})
}

// Until it is whole there is nothing of the name, and when it fails nothing at all.
func TestRestore_cutShort(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "ledger.db")
	err := newFile(path, func(hidden string) error {
		create(t, hidden)
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("half of it is there: %v", err)
		}
		return context.Canceled
	})
	if files, _ := filepath.Glob(dir + "/*"); err != context.Canceled || files != nil {
		t.Errorf("%v; %v", err, files)
	}
	if files, err := os.ReadDir(dir); len(files) != 0 {
		t.Errorf("left behind: %v, %v", files, err)
	}
}

// The file of a ledger was lost, and what SQLite lays beside it was not.
func TestRestore_besideLeftovers(t *testing.T) {
	dir := t.TempDir()
	l := create(t, filepath.Join(dir, "a.db"))
	full(t, l)
	backup, to := filepath.Join(dir, "backup.db"), filepath.Join(dir, "new.db")
	if err := l.Backup(t.Context(), backup); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadFile(filepath.Join(dir, "a.db-wal"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to+"-wal", left, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = Restore(t.Context(), backup, to, "", Options{Now: atNoon, AnyClock: true})
	want := "make the ledger " + to + ": " + to + "-wal is there, left by a ledger that is gone, and SQLite would take it for a part of the new one; move it away: file already exists"
	if err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %s", err, want)
	}
	if _, err := os.Lstat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%s is there: %v", to, err)
	}
	if err := os.Remove(to + "-wal"); err != nil {
		t.Fatal(err)
	}
	if _, err := Restore(t.Context(), backup, to, "", Options{Now: atNoon, AnyClock: true}); err != nil {
		t.Fatal(err)
	}
	if r := verify(t, create(t, to), ""); !r.OK() || r.Entries != 22 {
		t.Errorf("%+v", r)
	}
}

func TestParseHead(t *testing.T) {
	t.Parallel()
	hash := strings.Repeat("ab", 32)
	if seq, sum, err := ParseHead("7:" + hash); seq != 7 || len(sum) != 32 || err != nil {
		t.Errorf("%d, %x, %v", seq, sum, err)
	}
	for _, text := range []string{"", "7", "7:", "0:" + hash, "+7:" + hash, "-7:" + hash, "7:" + hash[2:], "9223372036854775808:" + hash, ":" + hash} {
		if seq, sum, err := ParseHead(text); err == nil {
			t.Errorf("%q: %d, %x", text, seq, sum)
		}
	}
}
