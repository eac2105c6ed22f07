package atomicfile

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
)

// TestCreateAll_from: a file that is written piece by piece appears when all of it is there, and not if the last piece
// fails.
func TestCreateAll_from(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "file")
	failed := errors.New("failed")
	write := func(err error) func(io.Writer) error {
		return func(w io.Writer) error {
			_, wErr := io.WriteString(w, "one ")
			if there, _ := Exists(path); there {
				t.Error("a part has the name of the file")
			}
			_, w2Err := io.WriteString(w, "two")
			return errors.Join(wErr, w2Err, err)
		}
	}
	if err := CreateAll(File{Path: path, Mode: 0o600, From: write(failed)}); !errors.Is(err, failed) {
		t.Errorf("with an error: %v", err)
	}
	if there, _ := Exists(path); there {
		t.Error("after an error there is a file")
	}
	if err := CreateAll(File{Path: path, Mode: 0o600, From: write(nil)}); err != nil {
		t.Fatal(err)
	}
	if data, err := os.ReadFile(path); err != nil || string(data) != "one two" {
		t.Errorf("%q, %v", data, err)
	}
}
