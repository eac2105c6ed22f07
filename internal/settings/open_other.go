//go:build !unix

package settings

import "io/fs"

const noWait = 0

// changeableBy knows nothing of access lists.
func changeableBy(fs.FileInfo) string { return "" }

func isNotDirectory(error) bool { return false }
