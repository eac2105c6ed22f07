//go:build !linux

package atomicfile

import (
	"errors"
	"os"
)

// There are no files without a name here.
func openNameless(string) (*os.File, error) { return nil, errors.ErrUnsupported }

func linkNameless(*os.File, string) error { return errors.ErrUnsupported }
