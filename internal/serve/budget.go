package serve

import (
	"errors"
	"syscall"
)

const (
	maxConnections        = 512 // of all listeners for credentials
	maxMonitorConnections = 16  // of the listener for health and metrics
)

// pool is a group of listeners that share a budget.
type pool int

const (
	endpointPool pool = iota
	monitorPool
	pools // how many there are
)

// budgets returns the limit of open connections of each pool. Together they use at most half of the
// descriptors that the process may open: the rest is for files, AWS and libraries.
func budgets(descriptors uint64) [pools]int {
	all := int(min(descriptors/2, maxConnections+maxMonitorConnections))
	monitor := max(min(all/4, maxMonitorConnections), 1)
	return [pools]int{endpointPool: max(min(all-monitor, maxConnections), 1), monitorPool: monitor}
}

// isOutOfDescriptors reports whether err is that no descriptor is left in this process or on the
// machine.
func isOutOfDescriptors(err error) bool {
	return errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
}
