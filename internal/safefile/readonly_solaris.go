package safefile

// readOnly always returns false: package syscall has no access(2) here.
func readOnly(string) bool { return false }
