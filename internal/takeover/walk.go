package takeover

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// walk calls visit for each regular file of the sources. What is not one is named in the
// second pass, once.
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

// walkNamed visits a file that the operator named. With an index.txt come the certificates
// that openssl and easy-rsa keep beside it.
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

// walkFolder visits the files below a folder; beside says that it is only that of an
// index.txt, of which nothing is of interest but the folders of certificates, the files that
// have a serial number for a name, and crlnumber.
func (r *reader) walkFolder(path string, beside bool, visit func(*file) error) error {
	root, err := os.OpenRoot(path)
	if err != nil {
		return &Error{path, inWords(err).Error(), err}
	}
	defer root.Close()
	return fs.WalkDir(root.FS(), ".", func(name string, d fs.DirEntry, err error) error {
		if r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		f := &file{path: filepath.Join(path, filepath.FromSlash(name)), root: root, name: filepath.FromSlash(name)}
		switch {
		case err != nil && name == ".":
			return &Error{path, inWords(err).Error(), err}
		case err != nil:
			r.unread(f, inWords(err))
			return fs.SkipDir
		case d.IsDir():
			return r.enterFolder(f, beside)
		case beside && !isBeside(f.name):
			return nil
		case d.Type()&fs.ModeSymlink != 0:
			r.lookAtLink(f)
			return nil
		case !d.Type().IsRegular():
			r.unread(f, errors.New("not a regular file"))
			return nil
		}
		return visit(f)
	})
}

// enterFolder returns fs.SkipDir for a folder that is not to be looked into.
func (r *reader) enterFolder(f *file, beside bool) error {
	depth := 0
	for dir := f.name; dir != "."; dir = filepath.Dir(dir) {
		depth++
	}
	if depth > maxDepth {
		r.unread(f, errors.New("too many folders in one another; name this one by itself"))
		return fs.SkipDir
	}
	folders := []string{"newcerts", "certs", "certs_by_serial", "issued", "revoked"}
	if beside && depth == 1 && !slices.Contains(folders, f.name) {
		return fs.SkipDir
	}
	return nil
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

// lookAtLink names a symbolic link that leads out of its folder or nowhere. The target of
// another is visited by itself.
func (r *reader) lookAtLink(f *file) {
	if _, err := f.root.Stat(f.name); err != nil {
		r.unread(f, errors.New("a symbolic link out of the folder, or to nothing; it is not followed"))
	}
}

// unread names what cannot be read, in one of the passes. The content of a private key is not
// of interest.
func (r *reader) unread(f *file, err error) {
	switch {
	case r.pass == 1:
	case f.isKey():
		r.sum.Keys++
	default:
		r.skip(Unreadable, f.path, 0, err.Error())
	}
}
