package testenv

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// PGBouncer returns the DSN of an empty database of its own that is reached through PgBouncer,
// before the server of [Postgres].
func PGBouncer(tb testing.TB) string {
	tb.Helper()
	Tool(tb, "pgbouncer") // before a server is started in vain
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = startServer(tb)
	}
	return shared.server.PGBouncer(tb, "")
}

// PGBouncer makes an empty database and returns the DSN that leads there through PgBouncer in
// transaction mode, with the settings that it has when nobody sets any, and few connections to
// the server: whoever relies on a session finds himself in another one. Further lines of the
// section [pgbouncer] come last and win. It is stopped at the end of the test.
func (s *PostgresServer) PGBouncer(tb testing.TB, settings string) string {
	tb.Helper()
	program := Tool(tb, "pgbouncer")
	name := s.name(s.Database(tb))
	dir, err := os.MkdirTemp(s.dir, "bouncer-") // the name of a socket is not to be long
	if err != nil {
		tb.Fatal(err)
	}
	if os.Geteuid() == 0 {
		giveToPostgres(tb, dir)
	}
	ini := fmt.Sprintf(`[databases]
%s = host=%s user=postgres
[pgbouncer]
unix_socket_dir = %s
auth_type = any
pool_mode = transaction
default_pool_size = 3
logfile = %s
%s
`, name, s.dir, dir, filepath.Join(dir, "log"), settings)
	if err := os.WriteFile(filepath.Join(dir, "ini"), []byte(ini), 0o644); err != nil {
		tb.Fatal(err)
	}
	s.startBouncer(tb, program, filepath.Join(dir, "ini"))
	awaitSocket(tb, filepath.Join(dir, ".s.PGSQL.6432"), filepath.Join(dir, "log"))
	return fmt.Sprintf("postgres://postgres@/%s?host=%s&port=6432", name, dir)
}

// name is the database of a DSN that Database returned.
func (s *PostgresServer) name(dsn string) string {
	_, rest, _ := strings.Cut(dsn, "@/")
	name, _, _ := strings.Cut(rest, "?")
	return name
}

// startBouncer ends it when a pipe breaks: at the end of the test, or of this process in any way.
func (s *PostgresServer) startBouncer(tb testing.TB, program, ini string) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	cmd := s.command(s.as, "sh", "-c", `trap '' INT TERM HUP; "$1" -q "$2" & cat; kill $!; wait`, "sh", program, ini)
	cmd.Stdin = r
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		w.Close()
		if err := cmd.Wait(); err != nil {
			tb.Errorf("stop pgbouncer: %v", err)
		}
	})
}

func awaitSocket(tb testing.TB, socket, log string) {
	tb.Helper()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		if c, err := net.Dial("unix", socket); err == nil {
			c.Close()
			return
		}
	}
	said, _ := os.ReadFile(log)
	tb.Fatalf("pgbouncer does not listen at %s\n%s", socket, said)
}
