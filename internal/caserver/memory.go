package caserver

import (
	"math"
	"runtime/debug"
)

// The memory of the Go runtime beyond which it collects garbage more often: with the program itself the
// process then stays below 96 MiB while as many hosts come at once as it takes connections. What is in use
// at one time is far less, and lists for AWS are small. Clients that send the largest bodies, slowly, take
// up to 64 KiB more for each connection.
const (
	besideServer = 64 << 20 // the ledger is in a database server
	// SQLite's pages are in this process: a storm at a server with 512 requests at once took 102 MiB with
	// besideServer, and takes 82 to 89.
	besidePages = 52 << 20

	measuredConnections = 512      // at which these were measured, the default
	perConnection       = 64 << 10 // of each above that: one in its handshake takes about 50 kB
)

// memory is the memory limit of this process.
type memory struct {
	least int64 // bytes; 0: GOMEMLIMIT has set another, which stays
}

// newMemory returns the limit of a server with few connections.
func newMemory(least int64) memory {
	if debug.SetMemoryLimit(-1) != math.MaxInt64 {
		return memory{}
	}
	return memory{least}
}

// of returns the limit in bytes for so many connections of hosts at the same time.
func (m memory) of(connections int) int64 {
	return m.least + perConnection*int64(max(0, connections-measuredConnections))
}

// limit sets the limit, unless GOMEMLIMIT has set one.
func (m memory) limit(connections int) {
	if m.least > 0 {
		debug.SetMemoryLimit(m.of(connections))
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
