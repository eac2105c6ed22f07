package cabackup

import (
	"errors"
	"os/exec"
	"slices"
	"syscall"
	"testing"

	"kedge/ca/ledger"
	"kedge/internal/localca"
)

// TestRestore_full: a full disk leaves nothing of a backup or a restored folder on it.
func TestRestore_full(t *testing.T) {
	x := newTestCA(t)
	data := x.whole()
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=64k,mode=700", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Skipf("mount: %v: %s", err, out)
	}
	t.Cleanup(func() {
		if err := exec.Command("umount", disk).Run(); err != nil {
			t.Error(err)
		}
	})
	c, err := localca.Open(t.Context(), x.Config, ledger.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	x.dir = disk
	if _, err := x.restore(data); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("restore: %v", err)
	}
	if _, err := Create(t.Context(), Source{CA: c, Config: x.Config, Version: "test"}, x.to, x.path("ca.age")); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("create: %v", err)
	}
	if names := x.names("."); !slices.Equal(names, nil) {
		t.Errorf("left: %q", names)
	}
}
