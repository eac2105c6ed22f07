package segment

import (
	"bufio"
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
)

// Create writes a segment into a folder, and returns its path. fill adds the records, and returns what
// the manifest says besides. The file appears complete, with mode 0600; after an error there is none,
// and after kill -9 at most a hidden one, .segment-*.tmp, which can be removed.
//
// Nothing may be deleted because of the result: see Seal.
//
// Files lists what an interruption left.
func Create(dir string, by Signer, fill func(*Writer) (Manifest, error)) (path string, err error) {
	f, err := os.CreateTemp(dir, hiddenName) // 0600
	if err != nil {
		return "", err
	}
	hidden := f.Name()
	name, err := writeTo(f, by, fill)
	if err = errors.Join(err, f.Close()); err == nil {
		path = filepath.Join(dir, name)
		err = os.Rename(hidden, path) // a file of this name has the same contents
	}
	if err != nil {
		return "", errors.Join(fmt.Errorf("write a segment in %s: %w", dir, err), os.Remove(hidden))
	}
	return path, nil
}

// hiddenName is the pattern of the names under which segments are written.
const hiddenName = ".segment-*.tmp"

// Files returns the names of the segments in a folder, and of those that are being written or whose writer was
// killed. What cannot be listed is left out, such as all of a folder that does not exist: a segment that a ledger
// needs is opened by its name, and reported then.
func Files(dir string) (names []string) {
	all, _ := os.ReadDir(dir) // what was listed before an error
	for _, entry := range all {
		for _, pattern := range []string{"segment-*.kedge", hiddenName} {
			if ok, _ := filepath.Match(pattern, entry.Name()); ok { // the pattern is well-formed
				names = append(names, entry.Name())
			}
		}
	}
	return names
}

func writeTo(f *os.File, by Signer, fill func(*Writer) (Manifest, error)) (string, error) {
	b := bufio.NewWriterSize(f, 1<<20)
	w, err := NewWriter(b)
	if err != nil {
		return "", err
	}
	m, err := fill(w)
	if err != nil {
		return "", err
	}
	digest, err := w.Close(m, by)
	if err != nil {
		return "", err
	}
	return name(m.Number, digest), errors.Join(b.Flush(), f.Sync())
}

// Sealed is a segment that is on disk, under its name, with the contents that its ledger expects: what
// is in it may be deleted elsewhere. Only Seal makes one.
type Sealed struct {
	segment *Segment
	seqs    []int64
}

// Seqs returns the sequence numbers of the records that were read back, in order.
func (s *Sealed) Seqs() []int64 { return s.seqs }

// Segment returns the segment. Close closes it.
func (s *Sealed) Segment() *Segment { return s.segment }

// Seal reads a segment back, checks its name and every block, and syncs the file and its folder. trusted
// reports whether a certificate is that of an authority of the ledger.
func Seal(path string, trusted func(*x509.Certificate) bool) (_ *Sealed, err error) {
	f, err := os.OpenFile(path, os.O_RDWR, 0) // Windows syncs only what is open for writing
	if err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.Close())
		}
	}()
	s, err := openFile(f)
	if err != nil {
		return nil, err
	}
	switch {
	case filepath.Base(path) != s.Name():
		return nil, s.damaged("its contents are those of %s", s.Name())
	case !trusted(s.signer):
		return nil, s.damaged("%q signed it, which is not an authority of this ledger", s.signer.Subject)
	}
	seqs, err := s.Check()
	if err != nil {
		return nil, err
	}
	if err := errors.Join(f.Sync(), syncFolder(filepath.Dir(path))); err != nil {
		return nil, err
	}
	return &Sealed{s, seqs}, nil
}

// Is reports whether the segment has a digest.
func (s *Sealed) Is(digest []byte) bool { return bytes.Equal(s.segment.digest, digest) }

func syncFolder(path string) error {
	if runtime.GOOS == "windows" {
		return nil // folders cannot be synced
	}
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}
