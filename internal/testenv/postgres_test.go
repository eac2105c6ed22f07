package testenv

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// psql asks a database and returns the answer without its line end.
func psql(tb testing.TB, dsn, query string) string {
	tb.Helper()
	out, err := exec.Command(filepath.Join(postgresPrograms(tb), "psql"), "-X", "-At", "-c", query, dsn).CombinedOutput()
	if err != nil {
		tb.Fatalf("%s: %v\n%s", query, err, out)
	}
	return string(bytes.TrimSpace(out))
}

func TestPostgres(t *testing.T) {
	one, two := Postgres(t), Postgres(t)
	if one == two {
		t.Fatalf("twice the database %s", one)
	}
	psql(t, one, "CREATE TABLE t (id int)")
	if got := psql(t, two, "SELECT count(*) FROM pg_tables WHERE tablename = 't'"); got != "0" {
		t.Errorf("the table of one database is in the other: %s", got)
	}
	for setting, want := range map[string]string{"fsync": "on", "synchronous_commit": "on", "listen_addresses": ""} {
		if got := psql(t, one, "SHOW "+setting); got != want {
			t.Errorf("%s is %q, want %q", setting, got, want)
		}
	}
	if got := psql(t, one, "SELECT 'a' < 'B'"); got != "t" {
		t.Errorf("text is sorted by bytes: %s", got)
	}
}

func TestPGBouncer(t *testing.T) {
	var dsn string
	t.Run("up", func(t *testing.T) {
		dsn = PGBouncer(t)
		psql(t, dsn, "CREATE TABLE t (id int); INSERT INTO t VALUES (7)")
		if got := psql(t, dsn, "SELECT id FROM t"); got != "7" {
			t.Errorf("%q", got)
		}
		out, err := exec.Command(filepath.Join(postgresPrograms(t), "psql"), "-X", "-c", "SELECT 1", dsn+"&options=-clock_timeout%3D1").CombinedOutput()
		if err == nil || !bytes.Contains(out, []byte("unsupported startup parameter")) {
			t.Errorf("it takes what PgBouncer refuses: %v, %s", err, out)
		}
	})
	_, dir, _ := strings.Cut(dsn, "host=")
	dir, _, _ = strings.Cut(dir, "&")
	if c, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.6432")); err == nil {
		c.Close()
		t.Error("it outlives its test")
	}
}

func TestPostgresServer(t *testing.T) {
	var dir, dsn string
	t.Run("stop and start", func(t *testing.T) {
		s := NewPostgresServer(t)
		dir, dsn = s.dir, s.Database(t)
		psql(t, dsn, "CREATE TABLE t (id int); INSERT INTO t VALUES (7)")
		s.Stop(t)
		if c, err := net.Dial("unix", filepath.Join(dir, ".s.PGSQL.5432")); err == nil {
			c.Close()
			t.Error("a stopped server takes connections")
		}
		s.Start(t)
		if got := psql(t, dsn, "SELECT id FROM t"); got != "7" {
			t.Errorf("after the restart: %q", got)
		}
	})
	if _, err := os.Stat(dir); dir == "" || !os.IsNotExist(err) {
		t.Errorf("the folder %s stays: %v", dir, err)
	}
}

// The server ends with a process that has no chance to stop it.
func TestPostgres_killed(t *testing.T) {
	const isChild = "KEDGE_TEST_POSTGRES_CHILD"
	if os.Getenv(isChild) != "" {
		s := NewPostgresServer(t)
		os.Stdout.WriteString(s.dir + "\n")
		s.guard.Wait() // until this process is killed
		return
	}
	postgresPrograms(t) // or skip
	cmd := exec.Command(os.Args[0], "-test.run=^TestPostgres_killed$")
	cmd.Env = append(os.Environ(), isChild+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line := make([]byte, 4096)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	dir := strings.TrimSpace(string(line[:n]))
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	cmd.Wait()
	if dir == "" {
		t.Fatal("the child started no server")
	}
	for range 3000 { // each ask is a process, so this takes seconds at least
		if err := exec.Command("test", "-e", dir).Run(); err != nil {
			return
		}
	}
	t.Errorf("the server in %s outlives its test", dir)
}
