//go:build !unix

package hostfiles

import (
	"io/fs"
	"os"
)

// sharedMode: there are no modes here.
func sharedMode(*os.File) (fs.FileMode, bool) { return 0, false }
