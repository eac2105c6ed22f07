package caserver

import (
	"math"
	"runtime/debug"
)

// memoryLimit is the memory of the Go runtime beyond which it collects garbage more often: with the
// program itself the process then stays below 96 MiB while as many hosts come at once as it takes
// connections. What is in use at one time is far less, and lists for AWS are small. Clients that send
// the largest bodies, slowly, take up to 64 KiB more for each connection.
const memoryLimit = 64 << 20

// besidePages is the memory limit where SQLite's pages are in this process: a storm at a server with
// 512 requests at once took 102 MiB with memoryLimit, and takes 82 to 89.
const besidePages = 52 << 20

// limitMemory sets a memory limit, unless GOMEMLIMIT has set one.
func limitMemory(limit int64) {
	if debug.SetMemoryLimit(-1) == math.MaxInt64 {
		debug.SetMemoryLimit(limit)
	}
}

// collectLess lets more garbage be, unless GOGC is set: the heap is small, and each handshake is much of
// it.
func collectLess() {
	const usual, percent = 100, 300
	if set := debug.SetGCPercent(percent); set != usual {
		debug.SetGCPercent(set)
	}
}
