package units

import (
	"os"
	"path/filepath"
)

// Timer is the unit that renews the certificates of a host.
const Timer = timer

// State reports whether the timer is installed below root, and whether it is started at boot. It asks no
// program.
func State(root string) (installed, enabled bool) {
	const units = "/etc/systemd/system/"
	_, err := os.Stat(filepath.Join(root, units+timer))
	installed = err == nil
	_, err = os.Lstat(filepath.Join(root, units+"timers.target.wants", timer))
	return installed, err == nil
}
