package units

import (
	"os"
	"path/filepath"
	"testing"
)

// TestState: a timer that a package has installed is found as well.
func TestState(t *testing.T) {
	for _, dir := range []string{"etc/systemd/system", "usr/lib/systemd/system"} {
		root := t.TempDir()
		if installed, enabled := State(root); installed || enabled {
			t.Errorf("without a timer: %t, %t", installed, enabled)
		}
		put(t, filepath.Join(root, dir, timer))
		if installed, enabled := State(root); !installed || enabled {
			t.Errorf("%s: %t, %t", dir, installed, enabled)
		}
		put(t, filepath.Join(root, "etc/systemd/system/timers.target.wants", timer))
		if installed, enabled := State(root); !installed || !enabled {
			t.Errorf("%s, enabled: %t, %t", dir, installed, enabled)
		}
	}
}

func put(t *testing.T, path string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
}
