package takeover

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// walk calls visit for each regular file of the sources. Others are reported once, in the second
// pass.
func (r *reader) walk(visit func(*file) error) error {
	r.pass++
	for _, path := range r.src.Paths {
		info, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return &Error{path, "there is no such file or folder", err}
		case err != nil:
			return &Error{path, inWords(err).Error(), err}
		case info.IsDir():
			err = r.walkFolder(path, false, visit)
		default:
			err = r.walkNamed(path, visit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// walkNamed visits a file that the operator named. After an index.txt it also visits the
// certificates that openssl and easy-rsa keep beside it.
func (r *reader) walkNamed(path string, visit func(*file) error) error {
	f, err := openNamed(path)
	if err != nil {
		return err
	}
	data, err := f.read()
	if err != nil {
		return &Error{path, err.Error(), err}
	}
	if err := visit(f); err != nil || !isIndex(path, data) {
		return err
	}
	return r.walkFolder(filepath.Dir(path), true, visit)
}

// walkFolder visits the files below a folder. If beside is set, the folder is only that of an
// index.txt: it visits the folders of certificates, files named after a serial number, and
// crlnumber.
func (r *reader) walkFolder(path string, beside bool, visit func(*file) error) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return &Error{path, inWords(err).Error(), err}
	}
	defer root.Close()
	names, err := namesIn(root, ".")
	if err != nil {
		return &Error{path, inWords(err).Error(), err}
	}
	return r.walkNames(&file{path: path, root: root, name: "."}, names, beside, visit)
}

// namesIn returns the names in a folder, sorted. There can be millions, and fs.WalkDir would stat
// and keep them all.
func namesIn(root *os.Root, folder string) ([]string, error) {
	f, err := root.Open(folder)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(-1)
	slices.Sort(names)
	return names, err
}

func (r *reader) walkNames(folder *file, names []string, beside bool, visit func(*file) error) error {
	for _, name := range names {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		f := &file{path: filepath.Join(folder.path, name), root: folder.root, name: filepath.Join(folder.name, name)}
		if err := r.walkOne(f, beside, visit); err != nil {
			return err
		}
	}
	return nil
}

// walkOne visits a file, or the files below a folder.
func (r *reader) walkOne(f *file, beside bool, visit func(*file) error) error {
	info, err := f.root.Lstat(f.name)
	switch {
	case errors.Is(err, fs.ErrNotExist): // removed since the folder was read
		return nil
	case err != nil:
		r.unread(f, inWords(err))
		return nil
	case info.IsDir():
		if !r.enters(f, beside) {
			return nil
		}
		names, err := namesIn(f.root, f.name)
		if err != nil {
			r.unread(f, inWords(err))
			return nil
		}
		return r.walkNames(f, names, beside, visit)
	case beside && !isBeside(f.name):
		return nil
	case info.Mode()&fs.ModeSymlink != 0:
		r.lookAtLink(f)
		return nil
	case !info.Mode().IsRegular():
		r.unread(f, errors.New("not a regular file"))
		return nil
	}
	return visit(f)
}

// enters reports whether walkFolder reads a folder.
func (r *reader) enters(f *file, beside bool) bool {
	depth := 1 + strings.Count(f.name, string(filepath.Separator))
	if depth > maxDepth {
		r.unread(f, errors.New("too many folders in one another; name this one by itself"))
		return false
	}
	folders := []string{"newcerts", "certs", "certs_by_serial", "issued", "revoked"}
	return !beside || depth > 1 || slices.Contains(folders, f.name)
}

// isBeside reports whether a file is one that belongs to an index.txt in the same folder.
func isBeside(name string) bool {
	if filepath.Dir(name) != "." || name == "crlnumber" {
		return true
	}
	ext := filepath.Ext(name)
	if ext != ".pem" && ext != ".crt" {
		return false
	}
	_, err := parseSerial(name[:len(name)-len(ext)])
	return err == nil
}

// lookAtLink reports a symbolic link that leads out of its folder or is dangling. The target of any
// other is visited by itself.
func (r *reader) lookAtLink(f *file) {
	if _, err := f.root.Stat(f.name); err != nil {
		r.unread(f, errors.New("a symbolic link out of the folder, or to nothing; it is not followed"))
	}
}

// unread reports a file that cannot be read, in one of the passes. A private key is not reported:
// its content is not needed.
func (r *reader) unread(f *file, err error) {
	switch {
	case r.pass == 1:
	case f.isKey():
		r.sum.Keys++
	default:
		r.skip(Unreadable, f.path, 0, err.Error())
	}
}
