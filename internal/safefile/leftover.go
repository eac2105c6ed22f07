package safefile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"time"

	"kedge/internal/atomicfile"
)

// LeftoverError reports a file with the name of a leftover that this user's interrupted run cannot
// have created, or that another user can have put there.
type LeftoverError struct {
	File    string
	Problem string // the rest of a sentence that begins with "it"

	linked bool // it has several hard links, and no other problem
}

func (e *LeftoverError) Error() string {
	return e.File + " is not used as what an interrupted run left: it " + e.Problem
}

// OpenLeftover opens what an interrupted run of this program left at path. It must be a regular
// file, not a link, with one name only, owned by the user of this process (not by root, unless that
// is the user), writable by no other user, in folders where no other user can rename this user's
// files. The error is a *LeftoverError or one of package os; if the file does not exist it is
// fs.ErrNotExist.
//
// Read the content from the returned file: after the check, path can name another file.
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

// ReadLeftover returns the content of what OpenLeftover opens, which has at most limit bytes.
func ReadLeftover(path string, limit int64) ([]byte, error) {
	file, err := OpenLeftover(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAtMost(file, path, limit)
}

// The times between attempts to open a file that has several names. On file systems without unnamed
// files, package atomicfile first gives a new file a hidden name, for a moment, or until it is
// swept if the process was killed in that moment.
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
	if linked { // the other name may be that of a deployed key
		problem = fmt.Sprintf("has %d names (hard links), of which this is one", links(info))
	}
	if problem == "" && noFollow == 0 { // without noFollow, a symbolic link was followed
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

// whyNotOpen prefers the reason found on the file itself to the system's error, which is "too many
// levels of symbolic links" for a link, and "permission denied" for another user's key.
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

// leftoverProblem returns why a file cannot be what an interrupted run left, or "".
func leftoverProblem(info fs.FileInfo) string {
	if problem := irregular(info); problem != "" {
		return problem
	}
	return notOwn(info)
}
