package credfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"kedge/internal/atomicfile"
)

// maxFile bounds the size of a file: a thousand times that of a long one.
const maxFile = 16 << 20

// newMode is the mode of a new file.
const newMode fs.FileMode = 0o600

// existing is a file of profiles before a change, or the attributes of a file to create.
type existing struct {
	file    *os.File // nil if there is none
	content string
	mode    fs.FileMode
}

func (e existing) close() {
	if e.file != nil {
		e.file.Close()
	}
}

// load reads the file at path.
func load(path string, flag int) (existing, error) {
	target, err := atomicfile.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return existing{mode: newMode}, nil
	}
	if err != nil {
		return existing{}, err
	}
	defer target.Close()
	found, err := openExisting(target, flag)
	found.close()
	return found, err
}

// openExisting opens and reads a file. If flag is not read-only, a file that cannot be written is
// an error.
func openExisting(target *atomicfile.Target, flag int) (existing, error) {
	file, err := target.OpenFile(flag)
	if errors.Is(err, fs.ErrNotExist) {
		return existing{mode: newMode}, nil
	}
	if err != nil {
		return existing{}, err
	}
	e, err := read(file, target.Path())
	if err == nil && flag != os.O_RDONLY && e.mode.Perm()&0o222 == 0 { // root could write it nevertheless
		err = &fs.PathError{Op: "write", Path: target.Path(), Err: readOnlyError(e.mode)}
	}
	if err != nil {
		e.close()
		return existing{}, err
	}
	return e, nil
}

func read(file *os.File, path string) (existing, error) {
	e := existing{file: file}
	info, err := file.Stat()
	if err != nil {
		return e, err
	}
	e.mode = info.Mode()
	data, err := io.ReadAll(io.LimitReader(file, maxFile+1))
	if err != nil {
		return e, err
	}
	if len(data) > maxFile {
		return e, fmt.Errorf("%s has more than %d MiB, which no file of profiles has: check the path", path, maxFile>>20)
	}
	e.content = string(data)
	return e, checkEncoding(path, e.content)
}

// readOnlyError is an fs.ErrPermission with the mode of the file.
type readOnlyError fs.FileMode

func (e readOnlyError) Error() string {
	return fmt.Sprintf("it is read-only, mode %04o", fs.FileMode(e).Perm())
}
func (readOnlyError) Is(target error) bool { return target == fs.ErrPermission }
