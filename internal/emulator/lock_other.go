//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package emulator

import "os"

// lockFile locks nothing: there is no flock on this system.
func lockFile(*os.File) bool { return true }

func unlockFile(*os.File) {}
