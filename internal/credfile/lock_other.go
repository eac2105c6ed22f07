//go:build !unix

package credfile

import "os"

// prepareLock makes the file that stands for the lock, if there is none. Who may open it is what its
// folder says.
func prepareLock(path, _ string) error {
	f, err := os.OpenFile(path, os.O_RDONLY|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	return f.Close()
}
