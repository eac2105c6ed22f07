package hostfiles

import (
	"errors"
	"fmt"

	"kedge/internal/atomicfile"
)

// Interrupted reports whether there is a key without certificate. If there is a certificate, or
// something else is in the way, the error is fs.ErrExist.
func (p Paths) Interrupted() (bool, error) {
	if err := atomicfile.Vacant(p.Key); err == nil {
		return false, atomicfile.Vacant(p.Certificate, p.Chain)
	}
	if there, err := atomicfile.Exists(p.Certificate); err != nil || there {
		return false, errors.Join(err, atomicfile.Vacant(p.Key))
	}
	return true, nil
}

// Resumed returns the message that a key was left by an earlier run.
func Resumed(path string) string {
	return "went on with the key in " + path + ", left by a run that was interrupted"
}

// Finished reports whether key and certificate exist: the certificate is written last.
func (p Paths) Finished() (bool, error) {
	cert, err := atomicfile.Exists(p.Certificate)
	if err != nil || !cert {
		return false, err
	}
	key, err := atomicfile.Exists(p.Key)
	if err == nil && !key {
		err = fmt.Errorf("%s is there, but not its key %s", p.Certificate, p.Key)
	}
	return key, err
}
