package credfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"
)

// maxFile is how much of a file is read: a thousand times what a long one has.
const maxFile = 16 << 20

// readFile returns the content of a file that may be written; info is nil if there is none.
func readFile(path string) (content string, info fs.FileInfo, err error) {
	content, info, err = load(path, os.O_RDWR)
	if errors.Is(err, fs.ErrNotExist) {
		return "", nil, nil
	}
	if err != nil {
		return "", nil, err
	}
	if info.Mode().Perm()&0o222 == 0 { // which does not stop root
		return "", nil, &fs.PathError{Op: "write", Path: path, Err: readOnlyError(info.Mode())}
	}
	return content, info, nil
}

// load reads a regular file. Anything else is not opened, since that can wait, or have an effect;
// and should it take the file's place just then, it is not waited for.
func load(path string, flag int) (content string, info fs.FileInfo, err error) {
	if info, err = os.Stat(path); err != nil {
		return "", nil, err
	}
	if err := checkKind(path, info); err != nil {
		return "", nil, err
	}
	f, err := os.OpenFile(path, flag|noWait, 0)
	if err != nil {
		return "", nil, err
	}
	defer f.Close()
	if info, err = f.Stat(); err != nil {
		return "", nil, err
	}
	if err := checkKind(path, info); err != nil {
		return "", nil, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return "", nil, err
	}
	if len(data) > maxFile {
		return "", nil, fmt.Errorf("%s has more than %d MiB, which no file of profiles has: check the path", path, maxFile>>20)
	}
	return string(data), info, nil
}

func checkKind(path string, info fs.FileInfo) error {
	switch {
	case info.IsDir():
		return fmt.Errorf("%s %w, not a file", path, syscall.EISDIR)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file", path)
	}
	return nil
}

// notAFolder says so where the path is a folder, which nobody asked to be one.
func notAFolder(path string, err error) error {
	if info, statErr := os.Stat(path); statErr == nil && info.IsDir() {
		return checkKind(path, info)
	}
	return err
}

// readOnlyError is an fs.ErrPermission that says why.
type readOnlyError fs.FileMode

func (e readOnlyError) Error() string {
	return fmt.Sprintf("it is read-only, mode %04o", fs.FileMode(e).Perm())
}
func (readOnlyError) Is(target error) bool { return target == fs.ErrPermission }
