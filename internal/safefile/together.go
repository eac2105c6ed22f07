package safefile

import (
	"cmp"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"kedge/internal/atomicfile"
)

// maxLinks is how many links to one another are followed, as many as Linux does.
const maxLinks = 40

// Together is inputs that belong together, such as a key and its certificate. Those that are in one
// folder are read from that folder as it was opened, wherever its path leads by then: when the folder
// is replaced, or a symbolic link to it (as ..data of Kubernetes), all are of one version.
//
// There is no such promise for files of different folders, and none where a folder cannot be opened:
// on Windows, and on some systems without permission to list it.
type Together struct {
	origins map[string]origin // by path
	folders []*atomicfile.Folder
}

// origin is where an input is read.
type origin struct {
	folder *atomicfile.Folder // nil: what is at the path is read
	name   string             // in folder
	err    error              // why there is none
}

// OpenTogether opens the folders of inputs. It must be closed. What is wrong with a path is said when
// that is read.
func OpenTogether(paths ...string) *Together {
	t := &Together{origins: map[string]origin{}}
	var inputs []located
	for _, path := range paths {
		if path != "" {
			inputs = append(inputs, located{path, path})
		}
	}
	t.open(inputs, maxLinks)
	return t
}

// located is an input, and where it is as far as the links in its place have been followed.
type located struct{ path, at string }

// open opens each folder once, for all that are in it. Where links in it lead to another folder, that
// is opened in the same way.
func (t *Together) open(inputs []located, links int) {
	byFolder := map[string][]located{}
	for _, in := range inputs {
		dir, name := filepath.Split(in.at) // it cleans nothing: ".." after a link is not where it seems
		if isDescriptor(in.at) || slices.Contains([]string{"", ".", ".."}, name) {
			t.origins[in.path] = origin{}
			continue
		}
		byFolder[dir] = append(byFolder[dir], in)
	}
	var further []located
	for dir, inputs := range byFolder {
		further = append(further, t.openFolder(dir, inputs)...)
	}
	switch {
	case len(further) == 0:
	case links == 0:
		for _, in := range further {
			t.origins[in.path] = origin{err: &fs.PathError{Op: "open", Path: in.path, Err: syscall.ELOOP}}
		}
	default:
		t.open(further, links-1)
	}
}

// openFolder finds the origins of the inputs in one folder, and returns those that are links.
func (t *Together) openFolder(dir string, inputs []located) (further []located) {
	folder, err := atomicfile.OpenFolder(cmp.Or(dir, "."))
	if err == nil {
		t.folders = append(t.folders, folder)
	}
	for _, in := range inputs {
		_, name := filepath.Split(in.at)
		switch to, linkErr := link(folder, name, err); {
		case errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission):
			t.origins[in.path] = origin{}
		case linkErr != nil:
			t.origins[in.path] = origin{err: openError(in.path, linkErr)}
		case to == "":
			t.origins[in.path] = origin{folder: folder, name: name}
		case filepath.IsAbs(to):
			further = append(further, located{in.path, to})
		default:
			further = append(further, located{in.path, dir + to})
		}
	}
	return further
}

// link reads a link in a folder, if that could be opened.
func link(folder *atomicfile.Folder, name string, err error) (string, error) {
	if err != nil {
		return "", err
	}
	return folder.Link(name)
}

// openError returns err as that of a path.
func openError(path string, err error) error {
	if at, ok := errors.AsType[*fs.PathError](err); ok {
		return &fs.PathError{Op: "open", Path: path, Err: at.Err}
	}
	return err
}

// Read is ReadInput for one of the paths.
func (t *Together) Read(path string, limit int64) ([]byte, error) {
	from := t.origins[path]
	switch {
	case from.err != nil:
		return nil, from.err
	case from.folder == nil:
		return ReadInput(path, limit)
	}
	file, err := openChecked(path, func() (*os.File, error) {
		file, err := from.folder.Open(from.name)
		return file, openError(path, err)
	}, notRegular)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readAtMost(file, path, limit)
}

// Close closes the folders.
func (t *Together) Close() {
	for _, folder := range t.folders {
		_ = folder.Close()
	}
}
