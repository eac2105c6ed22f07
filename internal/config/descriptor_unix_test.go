//go:build unix

package config

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"
)

// TestInput_descriptor: a descriptor is read once, and its number goes to no other file, which the next
// read would close: kedge serve reads its inputs again at each reload.
func TestInput_descriptor(t *testing.T) {
	t.Parallel()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if _, err := w.WriteString("key"); err != nil {
		t.Fatal(err)
	}
	w.Close()
	in := Input{kind: streamInput, fd: int(r.Fd())}
	for _, want := range []string{"key", ""} {
		if data, err := in.read(nil, 100); err != nil || string(data) != want {
			t.Errorf("%q, %v, want %q", data, err, want)
		}
	}
	if _, err := in.readSecret(nil); err == nil || !strings.HasSuffix(err.Error(), " is empty, or was read before") {
		t.Errorf("a secret: %v", err)
	}
	if _, err := r.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the descriptor is not what it was: %v", err)
	}
}
