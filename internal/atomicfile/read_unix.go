//go:build unix

package atomicfile

import (
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// Folder is an open folder that files are read from: those in it, wherever its path leads by then.
type Folder struct{ dir *folder }

// OpenFolder opens a folder; symbolic links to it are followed. It takes no permission to list it.
func OpenFolder(path string) (*Folder, error) {
	dir, err := openFolderAt(unix.AT_FDCWD, path+"/.", path)
	if err != nil {
		return nil, err
	}
	return &Folder{dir}, nil
}

// Link returns what is in the symbolic link with this name; empty where the name is no link's. A
// link that Linux would not follow, since another user made it in a folder like /tmp, is an error.
func (f *Folder) Link(name string) (string, error) {
	e, err := f.dir.lstat(name)
	if err != nil || e.mode&fs.ModeSymlink == 0 {
		return "", err
	}
	to, e, err := f.dir.readlink(name)
	if err != nil {
		return "", err
	}
	in, err := f.dir.lstat(".")
	if err != nil {
		return "", err
	}
	return to, link{f.dir.join(name), e.uid, in}.checkShared()
}

// Open opens a file in the folder for reading. It follows no link and waits for no pipe.
func (f *Folder) Open(name string) (*os.File, error) { return f.dir.openFile(name, os.O_RDONLY, 0) }

// Close closes the folder, not what was opened in it.
func (f *Folder) Close() error { return f.dir.close() }
