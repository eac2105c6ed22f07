//go:build !unix

package hostdir

import "io/fs"

func checkAccess(string, fs.FileInfo) error { return nil }

func (Access) apply(string, fs.FileMode) error { return nil }

func accessOf(fs.FileInfo) Access { return Access{} }
