//go:build !linux

package serve

import "time"

// monotonic is for systemd, which there is not on this system.
func monotonic() time.Duration { return 0 }
