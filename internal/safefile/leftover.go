package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kedge/internal/atomicfile"
)

// LeftoverError is a file with the name of one that an interrupted run leaves, which this user's
// run cannot have made, or which another user can have put there.
type LeftoverError struct {
	File    string
	Problem string // the rest of a sentence that begins with "it"

	linked bool // it has several names, and nothing else is wrong
}

func (e *LeftoverError) Error() string {
	return e.File + " is not used as what an interrupted run left: it " + e.Problem
}

// OpenLeftover opens what an interrupted run of this program left at path. It must be a regular
// file and no link, with this one name, of the user of this process (not of root either, unless
// that is the user), which nobody else can write to, in folders where nobody else can rename what
// is this user's. The error is a *LeftoverError or one of package os; without a file it is
// fs.ErrNotExist.
//
// The content must be read from what is returned: by the time that it is checked, path can name
// something else.
func OpenLeftover(path string) (*os.File, error) {
	for pause := shortest; ; pause *= 2 {
		file, err := openOnce(path)
		left, ok := errors.AsType[*LeftoverError](err)
		if !ok || !left.linked || pause > longest {
			return file, err
		}
		time.Sleep(pause)
		if pause == longest {
			if err := atomicfile.Sweep(path); err != nil {
				return nil, err
			}
		}
	}
}

// ReadLeftover returns the content, of at most limit bytes, of what OpenLeftover opens.
func ReadLeftover(path string, limit int64) ([]byte, error) {
	file, err := OpenLeftover(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAtMost(file, path, limit)
}

// The times between attempts to open a file that has several names. Where a file cannot be made
// without a name, package atomicfile gives it a hidden one first, for a moment, or until it is swept
// when the process was killed in that moment.
const (
	shortest = time.Millisecond
	longest  = 256 * shortest
)

func openOnce(path string) (*os.File, error) {
	file, err := os.OpenFile(path, os.O_RDONLY|NoWait|noFollow, 0)
	if err != nil {
		return nil, whyNotOpen(path, err)
	}
	if err := checkLeftover(path, file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func checkLeftover(path string, file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	problem := leftoverProblem(info)
	linked := problem == "" && links(info) > 1
	if linked { // as another name's key, it may have been deployed
		problem = fmt.Sprintf("has %d names (hard links), of which this is one", links(info))
	}
	if problem == "" && noFollow == 0 { // the link was followed, then
		named, err := os.Lstat(path)
		if err != nil {
			return err
		}
		problem = irregular(named)
	}
	if problem == "" {
		problem, err = onTheWay(path)
	}
	if problem != "" {
		return &LeftoverError{path, problem, linked}
	}
	return err
}

// whyNotOpen prefers the reason that the file itself gives to that of the system, which is "too many
// levels of symbolic links" for a link, and "permission denied" for a key of another user.
func whyNotOpen(path string, err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return err
	}
	info, statErr := os.Lstat(path)
	if statErr != nil {
		return err
	}
	if problem := leftoverProblem(info); problem != "" {
		return &LeftoverError{File: path, Problem: problem}
	}
	return err
}

// leftoverProblem says why a file cannot be one that an interrupted run left; empty where it can.
func leftoverProblem(info fs.FileInfo) string {
	if problem := irregular(info); problem != "" {
		return problem
	}
	return notOwn(info)
}
