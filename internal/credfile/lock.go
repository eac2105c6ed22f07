package credfile

import "time"

// lockTimeout bounds the wait for another process that holds the lock, which it does for one write.
const lockTimeout = 30 * time.Second

// lockName returns the name of the lock file of another file. Only kedge uses it. Only users that
// may replace the other file need to open it: its owner, and root.
func lockName(target string) string { return "." + target + ".lock" }
