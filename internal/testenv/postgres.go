package testenv

import (
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// shared is the server of Postgres: making one takes a second or two, which each test would
// pay again.
var shared struct {
	sync.Mutex
	server *PostgresServer
}

// Postgres returns the DSN of an empty database of its own, on a server that all tests of
// the binary share. Nothing is to be closed: the server ends with the process, however that
// ends.
func Postgres(tb testing.TB) string {
	tb.Helper()
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		shared.server = startServer(tb)
	}
	return shared.server.Database(tb)
}

// PostgresServer is a PostgreSQL server in a scratch folder, reached by a unix socket there
// and by no port. It keeps its durability, and sorts text as a server in production does
// (by ICU, en-US), so that code which relies on the order of bytes is found out.
type PostgresServer struct {
	bin       string   // initdb, pg_ctl, psql
	dir       string   // holds data/, log and the socket
	as        []string // the words before a command: the server refuses to run as root
	lifeline  *os.File // while it is open, the server lives
	guard     *exec.Cmd
	databases atomic.Int64
}

// NewPostgresServer starts a server for one test, which may stop and start it. It is stopped
// and removed at the end of the test, or of the process.
func NewPostgresServer(tb testing.TB) *PostgresServer {
	tb.Helper()
	s := startServer(tb)
	tb.Cleanup(func() {
		s.lifeline.Close()
		if err := s.guard.Wait(); err != nil {
			tb.Errorf("stop PostgreSQL in %s: %v", s.dir, err)
		}
	})
	return s
}

// Database makes an empty database and returns its DSN.
func (s *PostgresServer) Database(tb testing.TB) string {
	tb.Helper()
	name := "test" + strconv.FormatInt(s.databases.Add(1), 10)
	s.run(tb, "psql", "-X", "-q", "-h", s.dir, "-U", "postgres", "-d", "postgres", "-c", "CREATE DATABASE "+name)
	return fmt.Sprintf("postgres://postgres@/%s?host=%s", name, s.dir)
}

// Start starts the server after a Stop, and returns when it takes connections.
func (s *PostgresServer) Start(tb testing.TB) {
	tb.Helper()
	s.run(tb, "pg_ctl", "-D", s.path("data"), "-l", s.path("log"), "-s", "-w", "start")
}

// Stop ends the server at once, as a power cut does: connections break, and the next start
// recovers from the log.
func (s *PostgresServer) Stop(tb testing.TB) {
	tb.Helper()
	s.run(tb, "pg_ctl", "-D", s.path("data"), "-m", "immediate", "-s", "-w", "stop")
}

func (s *PostgresServer) path(name string) string { return filepath.Join(s.dir, name) }

func startServer(tb testing.TB) *PostgresServer {
	tb.Helper()
	s := &PostgresServer{bin: postgresPrograms(tb)}
	var err error
	if s.dir, err = os.MkdirTemp("", "kedge-pg-"); err != nil {
		tb.Fatal(err)
	}
	if os.Geteuid() == 0 {
		s.as = []string{Tool(tb, "setpriv"), "--reuid=postgres", "--regid=postgres", "--init-groups"}
		giveToPostgres(tb, s.dir)
	}
	s.startGuard(tb)
	s.run(tb, "initdb", "-D", s.path("data"), "-U", "postgres", "-A", "trust", "--no-sync", "--no-instructions",
		"-E", "UTF8", "--locale=C", "--locale-provider=icu", "--icu-locale=en-US")
	settings := fmt.Sprintf("listen_addresses = ''\nunix_socket_directories = '%s'\n", s.dir)
	if err := os.WriteFile(s.path("data/postgresql.auto.conf"), []byte(settings), 0o600); err != nil {
		tb.Fatal(err)
	}
	s.Start(tb)
	return s
}

// startGuard starts a process that stops the server and removes its folder when the lifeline
// breaks: when this process closes it, or ends in any way.
func (s *PostgresServer) startGuard(tb testing.TB) {
	tb.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		tb.Fatal(err)
	}
	defer r.Close()
	const script = `trap '' INT TERM HUP; cat; [ ! -f "$1/data/postmaster.pid" ] || "$2/pg_ctl" -D "$1/data" -m immediate -s -w stop; rm -rf "$1"`
	s.guard = s.command(s.as, "sh", "-c", script, "sh", s.dir, s.bin)
	s.guard.Stdin = r
	s.lifeline = w
	if err := s.guard.Start(); err != nil {
		tb.Fatal(err)
	}
}

// run runs one of the programs of PostgreSQL as the user of the server.
func (s *PostgresServer) run(tb testing.TB, program string, args ...string) {
	tb.Helper()
	log, err := os.CreateTemp(tb.TempDir(), program)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	cmd := s.command(s.as, filepath.Join(s.bin, program), args...)
	// A file and not a pipe: the server that pg_ctl leaves behind would keep a pipe open.
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Run(); err != nil {
		said, _ := os.ReadFile(log.Name())
		serverLog, _ := os.ReadFile(s.path("log"))
		tb.Fatalf("%s %s: %v\n%s%s", program, strings.Join(args, " "), err, said, serverLog)
	}
}

// command does not hand on the environment: PGHOST and its like would lead to another server.
func (s *PostgresServer) command(as []string, name string, args ...string) *exec.Cmd {
	words := slices.Concat(as, []string{name}, args)
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = s.dir // the user of the server may not enter the test's
	cmd.Env = []string{"PATH=/usr/bin:/bin", "LC_ALL=C"}
	return cmd
}

// postgresPrograms returns the folder of initdb, pg_ctl and psql, of the newest version
// where there are several. Debian keeps them out of PATH.
func postgresPrograms(tb testing.TB) string {
	tb.Helper()
	dirs, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		tb.Fatal(err)
	}
	version := func(dir string) int { n, _ := strconv.Atoi(filepath.Base(filepath.Dir(dir))); return n }
	slices.SortFunc(dirs, func(a, b string) int { return version(b) - version(a) })
	for _, dir := range dirs {
		if isExecutable(filepath.Join(dir, "initdb")) {
			return dir
		}
	}
	path, err := exec.LookPath("initdb")
	if err != nil {
		Missing(tb, "postgresql", "not installed; scripts/setup installs it")
	}
	return filepath.Dir(path)
}

func giveToPostgres(tb testing.TB, dir string) {
	tb.Helper()
	account, err := user.Lookup("postgres")
	if err != nil {
		Missing(tb, "postgresql", err.Error()+", and its server does not run as root")
	}
	uid, err1 := strconv.Atoi(account.Uid)
	gid, err2 := strconv.Atoi(account.Gid)
	if err1 != nil || err2 != nil {
		tb.Fatalf("the user postgres has the ids %s and %s", account.Uid, account.Gid)
	}
	if err := os.Chown(dir, uid, gid); err != nil {
		tb.Fatal(err)
	}
}
