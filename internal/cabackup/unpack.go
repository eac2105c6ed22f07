package cabackup

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"slices"
	"strings"

	"filippo.io/age"
)

const (
	maxSmall = 64 << 20 // bytes of a file that stays in memory
	maxAll   = 1 << 30  // bytes of all of them
	maxFiles = 1 << 20
)

// unpacked is the content of a backup.
type unpacked struct {
	manifest Manifest
	dir      *os.Root          // has the files that isPublic names
	private  map[string][]byte // has the others
	names    []string          // of all, without the manifest

	size int64 // of those in memory
}

// decrypt returns what a backup contains, as it is read. Its errors, and those of reading, are a *FileError,
// or an error of r.
func decrypt(r io.Reader, identities Identities) (io.Reader, error) {
	from := &source{r: r}
	buffered := bufio.NewReader(from)
	if head, err := buffered.Peek(len(fileHead)); from.err == nil && (err != nil || string(head) != fileHead) {
		return nil, wrong(Foreign, "is not a backup of kedge-ca: age did not encrypt it")
	}
	plain, err := age.Decrypt(buffered, identities...)
	switch {
	case from.err != nil:
		return nil, from.err
	case err == nil:
		return &payload{plain, from}, nil
	}
	if _, ok := errors.AsType[*age.NoIdentityMatchError](err); ok {
		return nil, wrong(NotForUs, "is encrypted to other keys: none of those given decrypts it")
	}
	return nil, wrong(Damaged, "was cut short or changed: its header is not whole")
}

// source keeps the error of a reader, so that a disk that fails is not taken for a damaged file.
type source struct {
	r   io.Reader
	err error // other than io.EOF
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// payload is the content of an encrypted file. age authenticates each part before it returns it, and the end.
type payload struct {
	r    io.Reader
	from *source
}

func (p *payload) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if err == nil || err == io.EOF {
		return n, err
	}
	if p.from.err != nil {
		return n, p.from.err
	}
	return n, wrong(Damaged, "was cut short or changed")
}

// unpack reads the archive of a backup to its end.
func unpack(ctx context.Context, r io.Reader, dir *os.Root) (*unpacked, error) {
	u := &unpacked{dir: dir, private: map[string][]byte{}}
	archive := tar.NewReader(r)
	for first := true; ; first = false {
		header, err := archive.Next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = ctx.Err()
		}
		if err == nil && first {
			err = u.readManifest(header, archive)
		} else if err == nil {
			err = u.take(header, archive)
		}
		if err != nil {
			return nil, archiveError(err)
		}
	}
	if n, err := io.Copy(io.Discard, r); err != nil || n > 0 {
		return nil, archiveError(errors.Join(err, tar.ErrHeader))
	}
	return u, u.checkNames()
}

// archiveError returns a *FileError for what package tar says of an archive.
func archiveError(err error) error {
	if _, ok := errors.AsType[*FileError](err); !ok && (errors.Is(err, tar.ErrHeader) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, tar.ErrFieldTooLong)) {
		return wrong(Foreign, "is not a backup of kedge-ca: what it contains is not such an archive")
	}
	return err
}

func (u *unpacked) readManifest(header *tar.Header, r io.Reader) error {
	if header.Name != manifestName {
		return wrong(Foreign, "is not a backup of kedge-ca: it does not begin with %s", manifestName)
	}
	data, err := u.readSmall(header, r)
	if err != nil {
		return err
	}
	u.manifest, err = decodeManifest(data)
	return err
}

// take reads one file.
func (u *unpacked) take(header *tar.Header, r io.Reader) error {
	name := header.Name
	if header.Typeflag != tar.TypeReg || isSparse(header) || !allowed(name) {
		return wrong(Foreign, "is not a backup of kedge-ca: %q cannot be a file in it", name)
	}
	if slices.Contains(u.names, name) || len(u.names) == maxFiles {
		return wrong(Foreign, "is not a backup of kedge-ca: %q is there twice, or there are too many files", name)
	}
	u.names = append(u.names, name)
	if isPublic(name) {
		return u.write(name, r)
	}
	data, err := u.readSmall(header, r)
	u.private[name] = data
	return err
}

// isSparse reports whether package tar would make more bytes of a file than the archive has: a small backup could
// fill a disk.
func isSparse(header *tar.Header) bool {
	for key := range header.PAXRecords {
		if strings.HasPrefix(key, "GNU.sparse.") {
			return true
		}
	}
	return false
}

func (u *unpacked) readSmall(header *tar.Header, r io.Reader) ([]byte, error) {
	if u.size += header.Size; header.Size > maxSmall || u.size > maxAll {
		return nil, wrong(Foreign, "is not a backup of kedge-ca: %q is too large", header.Name)
	}
	return io.ReadAll(r)
}

func (u *unpacked) write(name string, r io.Reader) (err error) {
	if dir := path.Dir(name); dir != "." {
		if err := u.dir.MkdirAll(dir, 0o700); err != nil {
			return fmt.Errorf("unpack %s: %w", name, err)
		}
	}
	f, err := u.dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("unpack %s: %w", name, err)
	}
	_, err = io.Copy(f, r)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// checkNames returns an error if there are other files than the manifest names.
func (u *unpacked) checkNames() error {
	if u.manifest.Format == 0 {
		return wrong(Foreign, "is not a backup of kedge-ca: there is nothing in it")
	}
	want, got := slices.Sorted(slices.Values(u.manifest.Files)), slices.Sorted(slices.Values(u.names))
	if !slices.Equal(want, got) {
		return wrong(Mixed, "is not whole: it does not have the files that it names")
	}
	if !slices.Contains(got, ledgerName) {
		return wrong(Mixed, "is not whole: it has no ledger")
	}
	return nil
}
