package credfile

import "time"

// lockTimeout bounds the wait for another process that has the lock: to write takes a moment.
const lockTimeout = 30 * time.Second

// lockName is the name of the file that stands for the lock of another. Only kedge asks for it, and only
// who may replace the other file needs it: its owner, and root.
func lockName(target string) string { return "." + target + ".lock" }
