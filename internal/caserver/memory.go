package caserver

import "runtime/debug"

// collectLess lets more garbage be, unless GOGC is set: the heap is small, and each handshake is much of
// it.
func collectLess() {
	const usual, percent = 100, 300
	if set := debug.SetGCPercent(percent); set != usual {
		debug.SetGCPercent(set)
	}
}
