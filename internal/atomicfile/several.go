package atomicfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"sync"
)

// File is a file to be written.
type File struct {
	Path string
	Data []byte
	Mode fs.FileMode

	// From, if not nil, writes the content, in place of Data. If it returns an error, the file is not made. It
	// is called again if the file system has neither unnamed files nor hard links.
	From func(w io.Writer) error

	// Like, if not nil, is the open file that is replaced: the new one gets its owner and group,
	// and on Linux its access control list and user attributes, or is not written. On systems
	// without owners it is ignored.
	Like *os.File
}

// CreateAll is Create for several files. The bytes of all are on disk before the first gets its
// name, and they get their names in order; each folder is synced once. After an error none of them
// exists; after a crash the first few can.
func CreateAll(files ...File) error {
	targets, err := openAll(opener{create: true}, files)
	if err != nil {
		return err
	}
	defer closeAll(targets)
	return createAll(targets, files)
}

func createAll(targets []*Target, files []File) error {
	done, err := place(targets, files, stageNameless, create)
	if err == nil {
		err = syncDirs(targets)
	}
	if err != nil {
		for _, t := range targets[:done] {
			err = errors.Join(err, t.dir.remove(t.name))
		}
	}
	return err
}

// WriteAll is Write for several files. The bytes of all are on disk before the first is replaced,
// and they are replaced in order; each folder is synced once. An error or a crash can leave the
// first few replaced and the others as they were.
func WriteAll(files ...File) error {
	targets, err := openAll(opener{}, files)
	if err != nil {
		return err
	}
	defer closeAll(targets)
	return writeAll(targets, files)
}

func writeAll(targets []*Target, files []File) error {
	done, err := place(targets, files, stage, replace)
	return errors.Join(err, syncDirs(targets[:done]))
}

func openAll(o opener, files []File) (targets []*Target, err error) {
	for _, f := range files {
		t, err := o.open(f.Path)
		if err != nil {
			closeAll(targets)
			return nil, err
		}
		targets = append(targets, t)
	}
	return targets, nil
}

func closeAll(targets []*Target) {
	for _, t := range targets {
		t.Close()
	}
}

// place stages all files concurrently, since the disk syncs several as fast as one, and then puts
// them in place in order. It returns how many are in place.
func place(targets []*Target, files []File, stage func(*Target, File) (*staged, error), put func(*staged) error) (done int, err error) {
	all, errs := make([]*staged, len(files)), make([]error, len(files))
	var group sync.WaitGroup
	for i, f := range files {
		group.Go(func() { all[i], errs[i] = stage(targets[i], f) })
	}
	group.Wait()
	err = errors.Join(errs...)
	for _, s := range all {
		switch {
		case s == nil:
		case err != nil:
			err = errors.Join(err, s.drop())
		default:
			if err = put(s); err == nil {
				done++
			}
		}
	}
	return done, err
}

// staged is a file whose bytes are on disk, and which is not in place yet.
type staged struct {
	File
	*Target
	nameless *os.File // not nil: it has no name, and is gone when closed
	tmp      string   // otherwise, its hidden name
}

func (s *staged) drop() error {
	if s.nameless != nil {
		return s.nameless.Close()
	}
	return s.dir.remove(s.tmp)
}

// stage writes a hidden file.
func stage(t *Target, f File) (*staged, error) {
	tmp, err := temporary(t, f)
	if err != nil {
		return nil, err
	}
	return &staged{File: f, Target: t, tmp: tmp}, nil
}

// stageNameless writes an unnamed file, if the file system has those.
func stageNameless(t *Target, f File) (*staged, error) {
	file, err := t.dir.openNameless()
	if err != nil { // not supported, or an error that the next call returns
		return stage(t, f)
	}
	if err := f.fill(file); err != nil {
		return nil, errors.Join(fmt.Errorf("write %s: %w", t.Path(), cause(err)), file.Close())
	}
	return &staged{File: f, Target: t, nameless: file}, nil
}

// syncDirs syncs each folder once.
func syncDirs(targets []*Target) error {
	sorted := slices.SortedFunc(slices.Values(targets), func(a, b *Target) int { return strings.Compare(a.dir.path, b.dir.path) })
	var all error
	for _, t := range slices.CompactFunc(sorted, func(a, b *Target) bool { return a.dir.path == b.dir.path }) {
		all = errors.Join(all, t.dir.sync())
	}
	return all
}
