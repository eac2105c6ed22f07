package main

import (
	"net/http"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"kedge/internal/enrollapi"
)

// TestServe_full: while the disk takes nothing more, hosts are to come again, and their tokens stay
// good; when there is space again, the server goes on without being restarted.
func TestServe_full(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	kedgeCA(t, dir, "init", "--no-password")
	writeSettings(t, dir, serverURL)
	s := serve(t, dir)
	token := addToken(t, dir, "web-01")
	// A file that cannot grow is what a full disk is to the program.
	limit := func(size uint64) {
		if err := unix.Prlimit(s.cmd.Process.Pid, unix.RLIMIT_FSIZE, &unix.Rlimit{Cur: size, Max: unix.RLIM_INFINITY}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(1)
	for range 3 {
		if status, text := s.enroll(token, "web-01"); status != http.StatusServiceUnavailable || !strings.Contains(text, `"`+string(enrollapi.Unavailable)+`"`) || strings.Contains(text, dir) {
			t.Errorf("%d %s", status, text)
		}
	}
	limit(unix.RLIM_INFINITY)
	if status, text := s.enroll(token, "web-01"); status != http.StatusOK {
		t.Errorf("%d %s", status, text)
	}
	kedgeCA(t, dir, "ledger", "verify")
}
