package safefile

// readOnly knows nothing: package syscall has no access(2) here.
func readOnly(string) bool { return false }
