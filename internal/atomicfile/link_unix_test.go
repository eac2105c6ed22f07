//go:build unix

package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A link that another user has put into a folder like /tmp leads nowhere; others do.
func TestWrite_foreignLink(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can give links away")
	}
	const ours, theirs, neighbors = 0, 65534, 65533
	for name, tt := range map[string]struct {
		link, folder int // their owners
		mode         os.FileMode
		dangling     bool
		followed     bool
	}{
		"theirs in a shared folder":           {theirs, ours, 0o777 | os.ModeSticky, false, false},
		"theirs, to nothing":                  {theirs, ours, 0o777 | os.ModeSticky, true, false},
		"theirs in a folder of a third":       {theirs, neighbors, 0o777 | os.ModeSticky, false, false},
		"theirs in a shared folder of theirs": {theirs, theirs, 0o777 | os.ModeSticky, false, true},
		"ours in a shared folder":             {ours, neighbors, 0o777 | os.ModeSticky, false, true},
		"theirs in their own folder":          {theirs, theirs, 0o700, false, true},
	} {
		t.Run(name, func(t *testing.T) {
			target, folder := filepath.Join(t.TempDir(), "target"), filepath.Join(t.TempDir(), "folder")
			link := filepath.Join(folder, "token")
			must := func(err error) {
				t.Helper()
				if err != nil {
					t.Fatal(err)
				}
			}
			if !tt.dangling {
				must(os.WriteFile(target, []byte("old"), 0o600))
			}
			must(os.Mkdir(folder, 0o700))
			must(os.Symlink(target, link))
			must(os.Lchown(link, tt.link, tt.link))
			must(os.Chown(folder, tt.folder, tt.folder))
			must(os.Chmod(folder, tt.mode))
			err := Write(link, []byte("new"), 0o600)
			got, _ := os.ReadFile(target) // there may be none
			if followed := string(got) == "new"; followed != tt.followed || followed != (err == nil) {
				t.Errorf("%v; the target holds %q", err, got)
			}
			if err != nil && !strings.Contains(err.Error(), "is a symbolic link of another user (uid 65534)") {
				t.Error(err)
			}
		})
	}
}
