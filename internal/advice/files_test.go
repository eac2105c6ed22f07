package advice

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/signer/keyfile"
)

// Whatever is around it, the cause selects the hint for a file or a password, and never an exit code.
func TestFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.Symlink("gone", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	opened := func(path string, err error) error { return &fs.PathError{Op: "open", Path: path, Err: err} }
	table := slices.Concat(Unreadable(), Table{NoRoom("; it is as it was")}, Passwords("give it", cli.ErrNoTerminal))
	for _, tt := range []struct {
		name string
		err  error
		want string // a part; empty: no advice
	}{
		{"variable", &config.UnsetError{Variable: "KEY"}, "export KEY to this process"},
		{"folder", opened(dir, syscall.EISDIR), "this is a folder"},
		{"no permission", opened("none", fs.ErrPermission), "let the user of this process read"},
		{"relative", opened("none", fs.ErrNotExist), "which was looked for in "},
		{"absolute", opened(filepath.Join(dir, "a", "b"), fs.ErrNotExist), dir + " has no a"},
		{"home", opened("~/key.pem", fs.ErrNotExist), "a shell expands ~"},
		{"variable in a path", opened("$HOME/key.pem", fs.ErrNotExist), "a shell expands ~"},
		{"link", opened(filepath.Join(dir, "link"), fs.ErrNotExist), "is a symbolic link to gone"},
		{"no path", fs.ErrNotExist, ""},
		{"full", opened("none", syscall.ENOSPC), "make room on the disk; it is as it was"},
		{"quota", syscall.EDQUOT, "make room on the disk"},
		{"wrong password", keyfile.ErrWrongPassword, "check the password"},
		{"no password", keyfile.ErrPasswordRequired, "give it"},
		{"no terminal", cli.ErrNoTerminal, "give it"},
		{"other", errors.New("other"), ""},
	} {
		got := table.Of(fmt.Errorf("around: %w", tt.err))
		if (got.Hint == "") != (tt.want == "") || !strings.Contains(got.Hint, tt.want) || got.Code != cli.ExitFailed {
			t.Errorf("%s: %+v, want %q", tt.name, got, tt.want)
		}
	}
}
