//go:build !linux

package systemd

import "time"

// monotonic returns 0: it is for systemd, which this system does not have.
func monotonic() time.Duration { return 0 }
