//go:build !unix

package hostdir

import (
	"errors"
	"io/fs"
)

func checkAccess(string, fs.FileInfo) error { return nil }

func (Access) apply(string, fs.FileMode) error { return nil }

func accessOf(fs.FileInfo) Access { return Access{} }

// GroupAccess is not possible here.
func GroupAccess(string) (Access, error) {
	return Access{}, errors.New("this system has no groups that read files")
}

func unreadable(_, _ string, err error) error { return err }
