package cabackup

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"

	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/localca"
)

// Source is the CA of which a backup is made. Others can go on to use it.
type Source struct {
	CA       *localca.CA    // open; it is read
	Config   localca.Config // by which it was opened
	Segments string         // folder of the ledger's archive; empty: that in the CA's folder
	Version  string         // of the program
}

// Create makes a backup in a new file, mode 0600, which appears when the backup is whole and was
// verified: the stream that is encrypted is also unpacked into a scratch folder, and the ledger there
// is verified. After an error there is no file; if path exists, the error wraps fs.ErrExist. Warnings
// go to Config.Warn.
func Create(ctx context.Context, s Source, to Recipients, path string) (m *Manifest, err error) {
	if err := atomicfile.Vacant(path); err != nil {
		return nil, err
	}
	var failed error
	err = atomicfile.CreateAll(atomicfile.File{Path: path, Mode: 0o600, From: func(w io.Writer) error {
		m, failed = s.seal(ctx, to, w)
		return failed
	}})
	if failed != nil {
		return nil, failed
	}
	return m, err
}

// Stream writes a backup to w, once it is whole and was verified as by Create: until then it is in a
// scratch folder, encrypted.
func Stream(ctx context.Context, s Source, to Recipients, w io.Writer) (*Manifest, error) {
	file, err := os.CreateTemp("", "kedge-ca-backup-*") // 0600
	if err != nil {
		return nil, err
	}
	defer os.Remove(file.Name())
	defer file.Close()
	m, err := s.seal(ctx, to, file)
	if err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	_, err = io.Copy(w, file)
	return m, err
}

// seal writes an encrypted backup, and verifies it.
func (s Source) seal(ctx context.Context, to Recipients, w io.Writer) (_ *Manifest, err error) {
	scratch, err := os.MkdirTemp("", "kedge-ca-backup-*") // 0700
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	m, items, err := s.collect(ctx, filepath.Join(scratch, ledgerName))
	if err != nil {
		return nil, err
	}
	copied := filepath.Join(scratch, "unpacked")
	if err := os.Mkdir(copied, 0o700); err != nil {
		return nil, err
	}
	u, err := s.write(ctx, m, items, pipe{to.all, w, copied})
	if err != nil {
		return nil, err
	}
	defer u.dir.Close()
	return m, about("the backup", u.verifyPart(ctx, s.Config))
}

// collect copies the ledger to a file, and returns what the backup is to contain. Lists are read
// before the ledger, so that it has each of them; segments after it, since what has left the ledger is
// in one of them by then.
func (s Source) collect(ctx context.Context, file string) (*Manifest, []item, error) {
	folder, now := s.Config.Keys.Folder, s.Config.Keys.Host.Now
	options := ledger.Options{Now: now}
	c := &contents{folder: folder}
	before, err := s.CA.Ledger.Authorities(ctx)
	if err == nil {
		err = c.addLists(before)
	}
	if err == nil {
		err = s.CA.Ledger.Backup(ctx, file)
	}
	if err != nil {
		return nil, nil, err
	}
	c.items = append(c.items, item{name: ledgerName, from: file})
	all, err := authoritiesOf(ctx, file, options)
	if err == nil {
		err = c.addFolder(all)
	}
	if err == nil {
		err = c.addSegments(s.segments(folder))
	}
	if err != nil {
		return nil, nil, err
	}
	made, err := ledger.ReadBackupInfo(ctx, file, options)
	if err != nil {
		return nil, nil, err
	}
	left, err := c.left(s.CA.Ledger.Where())
	m := &Manifest{Format: format, MadeAt: now().UTC().Truncate(time.Second), MadeBy: s.Version, Entries: made.Seq, Head: made.Head, Files: c.names(), NotIncluded: left}
	for _, a := range all {
		m.Authorities = append(m.Authorities, describe(a, c.find))
	}
	return m, c.items, err
}

func (s Source) segments(folder cadir.Folder) string {
	if s.Segments != "" {
		return s.Segments
	}
	return folder.ArchivePath()
}

// pipe is where the stream of a backup goes: encrypted into a file, and as it is into an unpacker.
type pipe struct {
	to       []age.Recipient
	sealed   io.Writer
	unpacked string // folder
}

// write writes the stream, and returns what was unpacked of it.
func (s Source) write(ctx context.Context, m *Manifest, items []item, p pipe) (*unpacked, error) {
	dir, err := os.OpenRoot(p.unpacked)
	if err != nil {
		return nil, err
	}
	sealed, err := age.Encrypt(p.sealed, p.to...)
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	type result struct {
		*unpacked
		err error
	}
	in, out := io.Pipe()
	done := make(chan result, 1)
	go func() {
		u, err := unpack(ctx, in, dir)
		in.CloseWithError(err)
		done <- result{u, err}
	}()
	err = writeArchive(io.MultiWriter(sealed, out), m, items)
	if err == nil {
		err = sealed.Close()
	}
	out.CloseWithError(err) // nil: the end
	read := <-done
	if err == nil {
		err = read.err
	}
	if err != nil {
		return nil, errors.Join(err, dir.Close())
	}
	return read.unpacked, nil
}

// writeArchive writes the tar archive of a backup.
func writeArchive(w io.Writer, m *Manifest, items []item) error {
	data, err := m.encode()
	if err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	for _, file := range append([]item{{name: manifestName, data: data}}, items...) {
		if err := writeItem(archive, file, m.MadeAt); err != nil {
			return fmt.Errorf("back up %s: %w", file.name, err)
		}
	}
	return archive.Close()
}

func writeItem(archive *tar.Writer, file item, at time.Time) error {
	header := &tar.Header{Typeflag: tar.TypeReg, Name: file.name, Mode: 0o600, ModTime: at, Size: int64(len(file.data)), Format: tar.FormatPAX}
	if file.from == "" {
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		_, err := archive.Write(file.data)
		return err
	}
	f, err := os.Open(file.from)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	header.Size = info.Size()
	if err := archive.WriteHeader(header); err != nil {
		return err
	}
	_, err = io.CopyN(archive, f, header.Size)
	return err
}
