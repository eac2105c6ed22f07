package units

import (
	"os"
	"path/filepath"
)

// Timer is the unit that renews the certificates of a host.
const Timer = timer

// State reports whether the timer is installed below root, by Install or by a package, and whether it is started at
// boot. It asks no program.
func State(root string) (installed, enabled bool) {
	for _, dir := range []string{"/etc/systemd/system", "/usr/lib/systemd/system"} {
		_, err := os.Stat(filepath.Join(root, dir, timer))
		installed = installed || err == nil
	}
	_, err := os.Lstat(filepath.Join(root, "/etc/systemd/system/timers.target.wants", timer))
	return installed, err == nil
}
