package atomicfile

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

func TestVacant(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	free, taken := filepath.Join(dir, "free"), filepath.Join(dir, "taken")
	if err := os.Symlink("nowhere", taken); err != nil {
		t.Skip(err)
	}
	if err := Vacant(free); err != nil {
		t.Error(err)
	}
	err := Vacant(free, taken)
	if path, ok := errors.AsType[*fs.PathError](err); !ok || path.Path != taken || !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if _, err := Exists(filepath.Join(dir, string(make([]byte, 300)))); err == nil {
		t.Error("a name that no file can have was opened")
	}
}
