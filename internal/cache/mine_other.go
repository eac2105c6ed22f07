//go:build !unix

package cache

import "io/fs"

// Without Unix modes and owners nothing is checked: a new folder inherits its parent's access list.
const (
	hasModes = false
	noFollow = 0
)

func isMine(fs.FileInfo) bool { return true }
