//go:build !linux

package units

import "errors"

// Become is not possible here: see Check.
func Become() error { return errors.ErrUnsupported }

// CheckGroup is not possible here: see Check.
func (Installer) CheckGroup(string, int) error { return errors.ErrUnsupported }

func (Installer) adopt() error { return errors.ErrUnsupported }
