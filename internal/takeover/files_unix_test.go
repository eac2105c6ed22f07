//go:build unix

package takeover

import (
	"context"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// TestRead_fifo: nothing waits for the other end of a FIFO.
func TestRead_fifo(t *testing.T) {
	c := newTestCA(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "fifo.pem")
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	_, sum := read(t, Sources{CA: certs(c.cert), Paths: []string{dir}, Now: c.now})
	wantNamed(t, sum.Skipped, "fifo.pem: not a regular file")
	_, err := Read(context.Background(), Sources{CA: certs(c.cert), Paths: []string{path}, Now: c.now}, nil)
	if err == nil || !strings.Contains(err.Error(), "fifo.pem: not a regular file") {
		t.Errorf("named by the operator: %v", err)
	}
	if _, err := (&file{path: path}).read(); err == nil || err.Error() != "not a regular file" {
		t.Errorf("put there after the folder was listed: %v", err)
	}
}
