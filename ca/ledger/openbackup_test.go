package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// oldBackup returns a read-only backup of schema 1, and the folder for copies.
func oldBackup(t *testing.T) (path, temporary string) {
	t.Helper()
	path, temporary = filepath.Join(t.TempDir(), "backup.db"), t.TempDir()
	t.Setenv("TMPDIR", temporary)
	placeOld(t, path)
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	return path, temporary
}

// unchanged checks that a backup is as it was, with nothing beside it, and that no copy is left.
func unchanged(t *testing.T, path, temporary string) {
	t.Helper()
	was, err := os.ReadFile("testdata/schema-1.db")
	if err != nil {
		t.Fatal(err)
	}
	if is, err := os.ReadFile(path); err != nil || !bytes.Equal(is, was) {
		t.Errorf("the backup has changed, %v", err)
	}
	for dir, want := range map[string]string{filepath.Dir(path): "[backup.db]", temporary: "[]"} {
		var names []string
		entries, err := os.ReadDir(dir)
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if fmt.Sprint(names) != want || err != nil {
			t.Errorf("%s has %v, %v", dir, names, err)
		}
	}
}

func TestOpenBackup_olderSchema(t *testing.T) {
	path, temporary := oldBackup(t)
	l, err := OpenBackup(t.Context(), path, Options{Now: afterOld})
	if err != nil {
		t.Fatal(err)
	}
	verified(t, l)
	if l.Where() != path || len(all(t, l)) != 38 {
		t.Errorf("%s has %d certificates", l.Where(), len(all(t, l)))
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	unchanged(t, path, temporary)
}

func TestRestore_olderSchema(t *testing.T) {
	engines(t, func(t *testing.T, to string) {
		path, temporary := oldBackup(t)
		if _, err := Restore(t.Context(), path, to, "", Options{Now: afterOld, AnyClock: true}); err != nil {
			t.Fatal(err)
		}
		unchanged(t, path, temporary)
		l := openOld(t, to)
		verified(t, l)
		if seq, _, err := l.Head(t.Context()); seq != 68 || err != nil {
			t.Errorf("the chain has %d entries, %v", seq, err)
		}
	})
}

// TestRestore_everySchema: a backup of each earlier schema can be restored. There is a fixture of each.
func TestRestore_everySchema(t *testing.T) {
	t.Parallel()
	for schema := range newestSchemaOf(t) - 1 {
		fixture := fmt.Sprintf("testdata/schema-%d.db", schema+1)
		data, err := os.ReadFile(fixture)
		if err != nil {
			t.Fatal(err)
		}
		dir := t.TempDir()
		backup, to := filepath.Join(dir, "backup.db"), filepath.Join(dir, "ledger.db")
		if err := os.WriteFile(backup, data, 0o600); err != nil {
			t.Fatal(err)
		}
		before, err := ReadBackupInfo(t.Context(), backup, Options{Now: afterThird, AnyClock: true})
		if err != nil {
			t.Fatalf("%s: %v", fixture, err)
		}
		if r, err := Restore(t.Context(), backup, to, "", Options{Now: afterThird, AnyClock: true}); err != nil || !r.OK() {
			t.Fatalf("%s: %+v, %v", fixture, r, err)
		}
		l, err := Open(t.Context(), to, Options{Now: afterThird, AnyClock: true})
		if err != nil {
			t.Fatal(err)
		}
		r, err := l.Verify(t.Context(), VerifyOptions{Head: before.Head})
		if err = errors.Join(err, l.Close()); err != nil || !r.OK() || r.Entries != before.Seq+1 {
			t.Errorf("%s: %+v, %v", fixture, r, err)
		}
	}
}

// newestSchemaOf returns the number of the newest schema.
func newestSchemaOf(t *testing.T) int {
	t.Helper()
	files, err := filepath.Glob("schema/*.sql")
	if err != nil || len(files) < 4 {
		t.Fatalf("%q, %v", files, err)
	}
	return len(files)
}

func TestRestore_olderSchemaChanged(t *testing.T) {
	path, temporary := oldBackup(t)
	if err := os.Chmod(path, 0o600); err != nil {
		t.Fatal(err)
	}
	bySQL(t, path, "UPDATE certificates SET host = 'x' WHERE common_name = 'new-01'")
	to := filepath.Join(t.TempDir(), "new.db")
	_, err := Restore(t.Context(), path, to, "", Options{Now: afterOld})
	if damaged, ok := errors.AsType[*DamagedError](err); !ok || damaged.Where != path || !strings.Contains(err.Error(), `host is "x"`) {
		t.Errorf("%v", err)
	}
	bySQL(t, path, "UPDATE certificates SET der = substr(der, 1, 99) WHERE common_name = 'new-01'")
	_, err = Restore(t.Context(), path, to, "", Options{Now: afterOld})
	if _, ok := errors.AsType[*BrokenError](err); !ok {
		t.Errorf("a certificate that cannot be read: %v", err)
	}
	if _, err := os.Lstat(to); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%s is there: %v", to, err)
	}
	if entries, err := os.ReadDir(temporary); len(entries) != 0 || err != nil {
		t.Errorf("%v is left, %v", entries, err)
	}
}

// A ledger on a server is not copied to read it.
func TestOpenBackup_olderServer(t *testing.T) {
	where := testenv.Postgres(t)
	placeOld(t, where)
	_, err := OpenBackup(t.Context(), where, Options{Now: afterOld})
	if _, ok := errors.AsType[*OlderSchemaError](err); !ok || versionOf(t, where) != 1 {
		t.Errorf("%v", err)
	}
}
