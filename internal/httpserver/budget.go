package httpserver

import (
	"errors"
	"syscall"
)

// Pool is a group of listeners that share a limit of open connections.
type Pool int

// The pools of a server.
const (
	Main    Pool = iota // the listeners that the server is for
	Monitor             // the listener for health and metrics
	pools               // how many there are
)

// Limits bound the open connections of a server.
type Limits struct {
	Main, Monitor int    // of each pool
	Descriptors   uint64 // that the process may open; 0: the system's limit
	// Queue has connections that find no room wait with the system, which has them in its queue, instead
	// of being closed.
	Queue bool
}

// budgets returns the limit of each pool. Together they use at most half of the descriptors that
// the process may open: the rest is for files, other connections and libraries. Where that is not enough
// for both, Monitor gets a quarter, or what Main leaves.
func (l Limits) budgets() [pools]int {
	if l.Descriptors == 0 {
		l.Descriptors = openableFiles()
	}
	all := int(min(l.Descriptors/2, uint64(l.Main+l.Monitor)))
	monitor := max(min(max(all/4, all-l.Main), l.Monitor), 1)
	return [pools]int{Main: max(min(all-monitor, l.Main), 1), Monitor: monitor}
}

// isOutOfDescriptors reports whether err is that no descriptor is left in this process or on the
// machine.
func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
