//go:build !unix

package cache

import "io/fs"

// There are access lists instead of these, which are not looked at: a folder inherits those of
// the one it is made in.
const (
	hasModes = false
	noFollow = 0
)

func isMine(fs.FileInfo) bool { return true }
