package enrollclient

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"kedge/internal/enrollclient/enrolltest"
)

// TestRenew_diskFull: the disk becomes full at each step of a renewal. The host has a pair that works, and
// when there is room again the next run goes on: one certificate for one step, and no clone.
func TestRenew_diskFull(t *testing.T) {
	disk := smallDisk(t)
	if disk == "" {
		return
	}
	s := enrolltest.New(t)
	dir := filepath.Join(disk, "web-01")
	if _, err := Enroll(t.Context(), enrolling(t, s, dir)); err != nil {
		t.Fatal(err)
	}
	failed := 0
	for pages := 0; ; pages++ {
		free := fill(t, filepath.Join(disk, "others"), pages)
		before := s.Issued
		r := at(dir, 0)
		r.Force = true
		_, err := Renew(t.Context(), r)
		checkUsable(t, dir)
		free()
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("with %d pages: %v", pages, err)
		}
		failed++
		if _, err := Renew(t.Context(), at(dir, 19*time.Hour+time.Hour)); err != nil {
			t.Fatalf("after %d pages: %v", pages, err)
		}
		if s.Issued > before+2 || s.Clones != 0 { // the step that was under way, and one more if it had ended
			t.Errorf("after %d pages there are %d new certificates and %d clones", pages, s.Issued-before, s.Clones)
		}
		checkUsable(t, dir)
	}
	if failed < 3 {
		t.Errorf("only %d steps failed", failed)
	}
}

// smallDisk mounts one; "" if this user cannot.
func smallDisk(t *testing.T) string {
	t.Helper()
	disk := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=256k,mode=700", "tmpfs", disk).CombinedOutput(); err != nil {
		t.Logf("only root makes small disks: %v: %s", err, out)
		return ""
	}
	t.Cleanup(func() {
		if err := syscall.Unmount(disk, syscall.MNT_DETACH); err != nil {
			t.Error(err)
		}
	})
	return disk
}

// TestEnroll_diskFull: the disk becomes full at each step of an enrollment. When there is room again the
// same command goes on with the same token: one certificate, and a pair that works.
func TestEnroll_diskFull(t *testing.T) {
	disk := smallDisk(t)
	if disk == "" {
		return
	}
	failed := 0
	for pages := 0; ; pages++ {
		s := enrolltest.New(t)
		dir := filepath.Join(disk, "web-01")
		e := enrolling(t, s, dir)
		free := fill(t, filepath.Join(disk, "others"), pages)
		_, err := Enroll(t.Context(), e)
		free()
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatalf("with %d pages: %v", pages, err)
		}
		failed++
		if _, err := Enroll(t.Context(), e); err != nil {
			t.Fatalf("after %d pages: %v", pages, err)
		}
		if s.Issued != 1 || s.Clones != 0 {
			t.Errorf("after %d pages there are %d certificates and %d clones", pages, s.Issued, s.Clones)
		}
		checkUsable(t, dir)
		if err := os.RemoveAll(dir); err != nil {
			t.Fatal(err)
		}
	}
	if failed < 3 {
		t.Errorf("only %d steps failed", failed)
	}
}

// fill fills a disk but for some pages. What it returns makes it free again.
func fill(t *testing.T, path string, pages int) (free func()) {
	t.Helper()
	var all []byte
	page := make([]byte, os.Getpagesize())
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	for err == nil {
		all = append(all, page...)
		_, err = file.Write(page)
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if err := errors.Join(file.Truncate(int64(max(0, len(all)-(1+pages)*len(page)))), file.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(path); err != nil {
			t.Error(err)
		}
	}
}
