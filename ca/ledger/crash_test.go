package ledger

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// childLedger names the ledger for the process that TestMain turns the test binary into.
const childLedger = "KEDGE_TEST_CHILD_LEDGER"

// readOnly before a path makes the process of TestMain only read.
const readOnly = "read:"

// TestMain is also the program that the tests below kill: it records certificates from eight
// goroutines, and prints the fingerprint of each when it is recorded, until it is ended.
func TestMain(m *testing.M) {
	if where := os.Getenv(childLedger); where != "" {
		fmt.Fprintln(os.Stderr, child(where))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

func child(where string) error {
	if path, ok := strings.CutPrefix(where, readOnly); ok {
		return childReads(path)
	}
	if arguments, ok := strings.CutPrefix(where, archiveOf); ok {
		return childArchives(arguments)
	}
	l, err := Open(context.Background(), where, Options{Now: atNoon, AnyClock: true})
	if err != nil {
		return err
	}
	root := newAuthority(&testing.B{}, fmt.Sprint("Child ", os.Getpid()), nil)
	if err := registerChild(context.Background(), l, root); err != nil {
		return err
	}
	failed := make(chan error)
	for range 8 {
		go func() {
			for {
				cert := root.leaf("web")
				if err := l.RecordIssued(context.Background(), ca.Issued{Certificate: cert, Issuer: root.cert, At: noon}); err != nil {
					failed <- err
				}
				fmt.Printf("%x\n", fingerprint(cert))
			}
		}()
	}
	return <-failed
}

// registerChild makes a root known to a ledger.
func registerChild(ctx context.Context, l *Ledger, root *authority) error {
	return l.WithAuthority(Authority{Name: root.cert.Subject.CommonName, State: Active}).RecordIssued(ctx, ca.Issued{Certificate: root.cert, At: noon})
}

// startChild returns the process and the fingerprints that it prints.
func startChild(t *testing.T, where string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childLedger+"="+where)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// What a killed process reported as recorded is recorded, nothing is half written, and the next
// process continues without repair.
func TestRecordIssued_killed(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l := create(t, where)
		handedOut := map[string]bool{}
		for round := range 5 {
			cmd, lines := startChild(t, where)
			for n := 0; lines.Scan(); n++ {
				handedOut[lines.Text()] = true
				if n == 20+17*round {
					if err := cmd.Process.Kill(); err != nil {
						t.Fatal(err)
					}
				}
			}
			if err := cmd.Wait(); err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("the child ended by itself: %v", err)
			}
		}
		r := verify(t, l, "")
		if !r.OK() || r.Certificates < int64(len(handedOut)) || len(handedOut) < 200 {
			t.Errorf("%d handed out: %+v", len(handedOut), r)
		}
		for c, err := range l.List(t.Context(), Filter{}) {
			if err != nil {
				t.Fatal(err)
			}
			delete(handedOut, fmt.Sprintf("%x", c.Fingerprint))
		}
		if len(handedOut) != 0 {
			t.Errorf("handed out and not in the ledger: %v", handedOut)
		}
		add(t, l, ca.Issued{Certificate: newAuthority(t, "Test CA", nil).cert})
	})
}

// Two processes and two ledgers of one process write at once, and make one chain.
func TestRecordIssued_processes(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		root := newAuthority(t, "Test CA", nil)
		register(t, create(t, where), root)
		cmd, lines := startChild(t, where)
		if !lines.Scan() {
			t.Fatal("the child says nothing")
		}
		const n = 60
		var group sync.WaitGroup
		for range 2 {
			// The child hardly ever leaves the lock free: on a busy machine others wait long for it.
			l := createWith(t, where, Options{BusyTimeout: 5 * time.Minute})
			for range 3 {
				group.Go(func() {
					for range n / 6 {
						if err := l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("web"), Issuer: root.cert, At: noon}); err != nil {
							t.Error(err)
						}
					}
				})
			}
		}
		group.Wait()
		if err := cmd.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		others := int64(1)
		for lines.Scan() {
			others++
		}
		_ = cmd.Wait() // killed
		l := create(t, where)
		if r := verify(t, l, ""); !r.OK() || r.Certificates < n+others {
			t.Errorf("%d and %d: %+v", n, others, r)
		}
	})
}

// A server of their own, for the tests that stop and start it.
func TestRecordIssued_server(t *testing.T) {
	server := testenv.NewPostgresServer(t)
	t.Run("gone", func(t *testing.T) { serverGone(t, server) })
	t.Run("lost", func(t *testing.T) { serverLost(t, server) })
}

// PostgreSQL goes away and comes back: calls fail with its name, and the next one works.
func serverGone(t *testing.T, server *testenv.PostgresServer) {
	l := create(t, server.Database(t))
	root := newAuthority(t, "Test CA", nil)
	register(t, l, root)
	server.Stop(t)
	for range 2 {
		err := l.RecordIssued(t.Context(), ca.Issued{Certificate: root.leaf("a"), Issuer: root.cert, At: noon})
		if _, ok := errors.AsType[*UnreachableError](err); !ok || !strings.HasPrefix(err.Error(), "the ledger test1 of PostgreSQL at /") || strings.Contains(err.Error(), "\n") {
			t.Errorf("while it is gone: %v", err)
		}
		for _, err := range l.List(t.Context(), Filter{}) {
			if _, ok := errors.AsType[*UnreachableError](err); !ok {
				t.Errorf("list while it is gone: %v", err)
			}
		}
	}
	server.Start(t)
	add(t, l, ca.Issued{Certificate: root.leaf("b")})
	server.Stop(t)
	server.Start(t)
	add(t, l, ca.Issued{Certificate: root.leaf("c")}) // the broken connection has not been noticed
	server.Stop(t)
	server.Start(t)
	if r := verify(t, l, ""); !r.OK() || r.Certificates != 3 {
		t.Errorf("%+v", r)
	}
}

// In the middle of many calls: each gets an answer, and what was reported as recorded is.
func serverLost(t *testing.T, server *testenv.PostgresServer) {
	l := create(t, server.Database(t))
	root := newAuthority(t, "Test CA", nil)
	register(t, l, root)
	var mu sync.Mutex
	var recorded [][]byte
	busy := make(chan struct{}, 1000)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for {
				cert := root.leaf("web")
				err := l.RecordIssued(t.Context(), ca.Issued{Certificate: cert, Issuer: root.cert, At: noon})
				if err != nil {
					if _, ok := errors.AsType[*UnreachableError](err); !ok {
						t.Error(err)
					}
					return
				}
				mu.Lock()
				recorded = append(recorded, fingerprint(cert))
				mu.Unlock()
				select {
				case busy <- struct{}{}:
				default:
				}
			}
		})
	}
	for range 50 {
		<-busy
	}
	server.Stop(t)
	group.Wait()
	server.Start(t)
	if r := verify(t, l, ""); !r.OK() || r.Certificates < int64(len(recorded)) {
		t.Errorf("%d recorded: %+v", len(recorded), r)
	}
	for _, f := range recorded {
		if _, err := l.Certificate(t.Context(), f); err != nil {
			t.Error(err)
		}
	}
	register(t, l, root)
}

// A caller need not wait longer than its context, however busy the ledger is; what was still
// queued is not written.
// awaitTaken returns once an idle writer has taken what was first queued, or ctx is done.
func awaitTaken(ctx context.Context, w *writer) {
	for taken := false; !taken && ctx.Err() == nil; time.Sleep(time.Millisecond) {
		w.mu.Lock()
		taken = w.running && len(w.queue) == 0
		w.mu.Unlock()
	}
}

func TestRecordIssued_canceled(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, other := create(t, where), create(t, where)
		root := newAuthority(t, "Test CA", nil)
		register(t, l, root)
		s, err := newSession(t.Context(), other.db, other.engine)
		if err != nil {
			t.Fatal(err)
		}
		tx, err := other.writer.beginOn(t.Context(), s)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithTimeout(t.Context(), 30*time.Millisecond)
		defer cancel()
		l.writer.idle.Wait()
		var group sync.WaitGroup
		for i := range 5 {
			group.Go(func() {
				err := l.RecordIssued(ctx, ca.Issued{Certificate: root.leaf("late"), Issuer: root.cert, At: noon})
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%v", err)
				}
			})
			if i == 0 { // the writer has this one in hand; what comes after it waits in the queue
				awaitTaken(ctx, &l.writer)
			}
		}
		group.Wait()
		tx.rollback(t.Context())
		if err := s.close(false); err != nil {
			t.Fatal(err)
		}
		add(t, l, ca.Issued{Certificate: root.leaf("last")})
		if r := verify(t, l, ""); !r.OK() || r.Certificates > 3 || len(found(t, l, Filter{CommonName: "last"})) != 1 {
			t.Errorf("%+v", r)
		}
	})
}

// childReads prints how many certificates there are and how many are revoked, and ends with 1
// as childLedger does, after the error or "read".
func childReads(path string) error {
	ctx := context.Background()
	l, err := Open(ctx, path, Options{Now: atNoon, ReadOnly: true})
	if err != nil {
		return err
	}
	defer l.Close()
	r, err := l.Verify(ctx, VerifyOptions{})
	if err != nil || !r.OK() {
		return fmt.Errorf("verify: %v, %+v", err, r)
	}
	all, err := l.Count(ctx, Filter{})
	if err != nil {
		return err
	}
	revoked, err := l.Count(ctx, Filter{State: Revoked})
	if err != nil {
		return err
	}
	if err := l.RecordIssued(ctx, ca.Issued{}); err == nil {
		return fmt.Errorf("it writes")
	}
	return fmt.Errorf("read %d certificates, %d revoked", all, revoked)
}
