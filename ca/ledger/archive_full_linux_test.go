package ledger

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"syscall"
	"testing"
	"time"
)

// A full disk loses nothing, and leaves nothing on it; when there is room, archiving goes on.
func TestArchive_full(t *testing.T) {
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", disk).Run(); err != nil {
			t.Error(err)
		}
	})
	x := newArchiving(t, filepath.Join(t.TempDir(), "ledger.db"))
	for i := range 100 {
		x.renewed(fmt.Sprint("web-", i), 5, time.Hour)
	}
	before := x.all()
	head, _, err := x.l.Head(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_, err = x.l.Archive(t.Context(), ArchiveOptions{Before: noon, Dir: disk, Signer: x.root})
	if !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("on a full disk: %v", err)
	}
	if left, err := os.ReadDir(disk); err != nil || len(left) != 0 {
		t.Errorf("on the disk are %v, %v", left, err)
	}
	if seq, _, err := x.l.Head(t.Context()); seq != head || err != nil {
		t.Errorf("the chain ends at %d and not %d, %v", seq, head, err)
	}
	if done := x.archive(0); done.Records != 300 {
		t.Errorf("with room: %+v", done)
	}
	x.verified()
	if all := x.all(); !reflect.DeepEqual(all, before) {
		t.Error("database and segments have not what the database had")
	}
}
