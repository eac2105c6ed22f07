package signer

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"sync"
)

// Source gives the identity of the moment. It may return another one at every call; each
// can be used to the end. An error means that there is none that could be used. Sources
// are safe for concurrent use.
type Source interface {
	Identity(ctx context.Context) (*Identity, error)
}

// FileSource is a [Source] that reads key and certificate again when their files change, and
// when the certificate has expired.
//
// While the new pair cannot be used, being half written, mismatched or gone, it keeps the
// old identity for as long as that one is valid, and tries again at every call.
type FileSource struct {
	files Files

	mu      sync.Mutex
	current *Identity
	seen    Stamp // of the files that current was read from
	err     error // why the files of now could not be used; nil when current is what they hold
}

// NewFileSource loads the identity and keeps watch over its files. It fails as [Load] does.
func NewFileSource(f Files) (*FileSource, error) {
	s := &FileSource{files: f, seen: f.Stamp()}
	id, err := Load(f)
	if err != nil {
		return nil, err
	}
	s.current = id
	return s, nil
}

// Identity returns the identity in the files, or the last good one. The error is a
// *ValidityError when that one has expired, joined with the reason why there is no other.
func (s *FileSource) Identity(context.Context) (*Identity, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.reload()
	err := s.current.CheckTime(s.files.Now())
	switch {
	case err == nil:
		return s.current, nil
	case s.err == nil:
		return nil, err
	}
	return nil, fmt.Errorf("%w; %w", err, s.err)
}

// Err returns why the files as they are now could not be used, or nil. A program that runs
// for long logs it, since Identity goes on with the old pair.
func (s *FileSource) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}

func (s *FileSource) reload() {
	// The stamp is taken before reading: a file that changes in between is read again.
	stamp := s.files.Stamp()
	changed := !stamp.Equal(s.seen)
	if !changed {
		s.err = nil // what was tried in between was put back
		if s.current.CheckTime(s.files.Now()) == nil {
			return
		}
		// The same files may hold another certificate that has become valid.
	}
	id, err := Load(s.files)
	switch {
	case err == nil:
		s.current, s.seen, s.err = id, stamp, nil
	case changed:
		s.err = fmt.Errorf("keeping the old certificate: %w", err)
	}
}

// Stamp tells one version of the files from the next.
type Stamp struct {
	infos []fs.FileInfo // nil where there is no such file
}

// Stamp stats the files, and reads none. To be taken before they are read.
func (f Files) Stamp() Stamp {
	var s Stamp
	for _, b := range []Blob{f.Certificate, f.PrivateKey, f.Intermediates} {
		if b.path == "" {
			continue
		}
		info, err := os.Stat(b.path)
		if err != nil {
			info = nil
		}
		s.infos = append(s.infos, info)
	}
	return s
}

// Equal reports whether two stamps are of the same version of the same Files.
func (s Stamp) Equal(other Stamp) bool {
	return slices.EqualFunc(s.infos, other.infos, func(a, b fs.FileInfo) bool {
		if a == nil || b == nil {
			return a == nil && b == nil
		}
		return os.SameFile(a, b) && a.Size() == b.Size() && a.ModTime().Equal(b.ModTime())
	})
}
