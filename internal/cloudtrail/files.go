package cloudtrail

import (
	"bufio"
	"bytes"
	"compress/flate"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"kedge/internal/safefile"
)

// maxUnpacked bounds what is read of a compressed file: a small one can have any number of bytes in it.
const maxUnpacked = 4 << 30

// Is reports whether a text is the path of events: a regular file that begins as JSON or gzip does, or a folder, with
// a slash in its path, so that a name of something else is none. A file that is not there, or cannot be read, is none.
func Is(text string) bool {
	if IsFolder(text) {
		return strings.ContainsAny(text, "/"+string(filepath.Separator))
	}
	info, err := os.Stat(text)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	f, err := safefile.OpenInput(text)
	if err != nil {
		return false
	}
	defer f.Close()
	head := make([]byte, maxHead)
	n, _ := io.ReadFull(f, head)
	head = bytes.TrimLeft(bytes.TrimPrefix(head[:n], []byte("\xef\xbb\xbf")), " \t\r\n")
	return bytes.HasPrefix(head, []byte(gzipMark)) || bytes.HasPrefix(head, []byte("{")) || bytes.HasPrefix(head, []byte("["))
}

// IsFolder reports whether a folder is at a path.
func IsFolder(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.IsDir()
}

// gzipMark begins a compressed file (RFC 1952 2.3.1).
const gzipMark = "\x1f\x8b"

// Read yields the events of a file, or of all files in a folder and below it that end in .json, .jsonl or .log,
// compressed or not, in the order of their names. broken is called with what is not an event. The error, which comes
// last, is that of the path itself, or of a file that cannot be opened; the other files are read.
func Read(path string, broken func(*DamagedError)) iter.Seq2[Event, error] {
	return func(yield func(Event, error) bool) {
		s := &scanner{broken: broken, yield: func(e Event) bool { return yield(e, nil) }}
		info, err := os.Stat(path)
		if err == nil && !info.IsDir() {
			var more bool
			if more, err = s.file(path); !more {
				return
			}
		} else if err == nil {
			var more bool
			if more, err = s.folder(path); !more {
				return
			}
		}
		if err != nil {
			yield(Event{}, err)
		}
	}
}

// EmptyFolderError reports a folder without files of events.
type EmptyFolderError struct{ Path string }

func (e *EmptyFolderError) Error() string {
	return e.Path + " has no file of events: their names end in .json, .jsonl or .log, or in one of these and .gz"
}

// folder reads all files of a folder.
func (s *scanner) folder(folder string) (more bool, err error) {
	found, more := false, true
	walk := func(path string, entry fs.DirEntry, failed error) error {
		switch {
		case failed != nil:
			err = errors.Join(err, failed)
		case entry.Type().IsRegular() && isEvents(entry.Name()):
			found = true
			var unopened error
			more, unopened = s.file(path)
			err = errors.Join(err, unopened)
		}
		if !more {
			return fs.SkipAll
		}
		return nil
	}
	root := folder + string(filepath.Separator) // a symbolic link is followed only with a separator at its end
	err = errors.Join(filepath.WalkDir(root, walk), err)
	if !found && err == nil {
		err = &EmptyFolderError{folder}
	}
	return more, err
}

// isEvents reports whether a file in a folder is read. CloudTrail writes ACCOUNT_CloudTrail_REGION_….json.gz.
func isEvents(name string) bool {
	switch filepath.Ext(strings.TrimSuffix(name, ".gz")) {
	case ".json", ".jsonl", ".log":
		return true
	}
	return false
}

// file reads a file.
func (s *scanner) file(path string) (more bool, err error) {
	f, err := safefile.OpenInput(path)
	if err != nil {
		return true, err
	}
	defer f.Close()
	s.path, s.count = path, 0
	in := bufio.NewReader(f)
	if mark, _ := in.Peek(len(gzipMark)); string(mark) != gzipMark {
		return s.scan(in), nil
	}
	unpacked, err := gzip.NewReader(in)
	if isDamaged(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true, fmt.Errorf("%s cannot be unpacked: it is cut off or damaged", path)
	}
	if err != nil {
		return true, fmt.Errorf("%s %s", path, problem(err))
	}
	return s.scan(&capped{unpacked, maxUnpacked}), nil
}

// isDamaged reports whether compressed data cannot be unpacked.
func isDamaged(err error) bool {
	_, corrupt := errors.AsType[flate.CorruptInputError](err)
	return corrupt || errors.Is(err, gzip.ErrHeader) || errors.Is(err, gzip.ErrChecksum)
}

// errUnpacked is a compressed file with more than maxUnpacked bytes in it.
var errUnpacked = fmt.Errorf("more than %d GiB are in the compressed file", maxUnpacked>>30)

// capped is a reader of a number of bytes, after which there is an error.
type capped struct {
	from io.Reader
	left int64
}

func (c *capped) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errUnpacked
	}
	n, err := c.from.Read(p[:min(int64(len(p)), c.left)])
	c.left -= int64(n)
	return n, err
}
