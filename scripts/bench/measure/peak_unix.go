//go:build unix

package main

import (
	"errors"
	"os"
	"syscall"
)

// peakOf returns the most memory that a process had, in KiB.
func peakOf(state *os.ProcessState) (int64, error) {
	usage, ok := state.SysUsage().(*syscall.Rusage)
	if !ok {
		return 0, errors.New("this system does not account memory")
	}
	return int64(usage.Maxrss), nil
}
