//go:build unix

package settings

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// Nobody writes to the pipe, and nobody waits for that.
func TestOpen_pipe(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), Name)
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skip(err)
	}
	if _, err := Open(path, nil); err == nil || !strings.HasSuffix(err.Error(), "config.yaml: is a named pipe, not a file") {
		t.Errorf("%v", err)
	}
}
