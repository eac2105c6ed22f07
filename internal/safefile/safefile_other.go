//go:build !unix

package safefile

import "io/fs"

const (
	// NoWait is a flag of os.OpenFile that is not needed here.
	NoWait   = 0
	noFollow = 0
)

// ChangeableBy always returns "": it does not know access lists.
func ChangeableBy(fs.FileInfo) string { return "" }

func notOwn(fs.FileInfo) string { return "" }

func links(fs.FileInfo) uint64 { return 1 }

func onTheWay(string) (problem string, err error) { return "", nil }
