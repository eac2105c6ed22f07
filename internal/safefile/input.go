package safefile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// InputError reports that something else than a file that can be read is at a path: a folder, a
// named pipe, a device, or more than is read.
type InputError struct {
	Path    string
	Problem string // the rest of a sentence that begins with the path
	Folder  bool
}

func (e *InputError) Error() string { return e.Path + " " + e.Problem }

// Unwrap returns EISDIR for a folder.
func (e *InputError) Unwrap() error {
	if e.Folder {
		return syscall.EISDIR
	}
	return nil
}

// ReadInput returns the content of a file that the user named, which has at most limit bytes. What
// is no regular file is an error at once, and nothing is waited for, unless the path names an open
// descriptor of this process, as /dev/stdin and the <(command) of shells do. The error is an
// *InputError or one of package os; both name the path.
func ReadInput(path string, limit int64) ([]byte, error) { return read(path, limit, checkInput) }

// OpenInput opens what ReadInput reads.
func OpenInput(path string) (*os.File, error) { return open(path, checkInput) }

// openChecked opens a file and checks what was opened, never its name. A socket cannot be opened:
// there, the name says what it is.
func openChecked(path string, open func() (*os.File, error), check func(string, fs.FileInfo) error) (*os.File, error) {
	file, err := open()
	if errors.Is(err, syscall.ENXIO) {
		if info, statErr := os.Stat(path); statErr == nil && !info.Mode().IsRegular() {
			err = notRegular(path, info)
		}
	}
	if err != nil {
		return nil, err
	}
	info, err := file.Stat()
	if err == nil {
		err = check(path, info)
	}
	if err != nil {
		file.Close()
		return nil, err
	}
	return file, nil
}

func checkInput(path string, info fs.FileInfo) error {
	if isDescriptor(path) && !info.IsDir() {
		return nil
	}
	return notRegular(path, info)
}

// Descriptor returns the number of the open descriptor of this process that a path names, such as
// /dev/fd/3. A symbolic link to one does not name it: another user can have made that.
func Descriptor(path string) (fd int, ok bool) {
	number, ok := strings.CutPrefix(path, "/dev/fd/")
	if !ok {
		number, ok = strings.CutPrefix(path, "/proc/self/fd/")
	}
	n, err := strconv.ParseUint(number, 10, 31)
	return int(n), ok && err == nil || path == "/dev/stdin"
}

func isDescriptor(path string) bool {
	_, ok := Descriptor(path)
	return ok
}

func readAtMost(file io.Reader, path string, limit int64) ([]byte, error) {
	data, err := io.ReadAll(io.LimitReader(file, limit+1))
	if err == nil && int64(len(data)) > limit {
		err = &InputError{Path: path, Problem: fmt.Sprintf("is larger than %d KiB", limit>>10)}
	}
	if err != nil {
		return nil, err
	}
	return data, nil
}

// notRegular returns an error that describes what is in the place of a regular file, in an *InputError.
func notRegular(path string, info fs.FileInfo) error {
	if problem := irregular(info); problem != "" {
		return &InputError{path, problem, info.IsDir()}
	}
	return nil
}

// irregular describes what is in the place of a regular file; empty where there is one.
func irregular(info fs.FileInfo) string {
	switch mode := info.Mode(); {
	case mode.IsRegular():
		return ""
	case mode.IsDir():
		return "is a folder, not a file"
	case mode&fs.ModeSymlink != 0:
		return "is a symbolic link"
	case mode&fs.ModeNamedPipe != 0:
		return "is a named pipe, not a file"
	case mode&fs.ModeSocket != 0:
		return "is a socket, not a file"
	case mode&fs.ModeDevice != 0:
		return "is a device, not a file"
	}
	return "is not a file"
}
