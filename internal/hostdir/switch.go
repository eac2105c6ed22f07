package hostdir

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	"kedge/internal/safefile"
)

// Switch writes a pair and makes it the current one. Before the link is renamed, everything that it
// leads to is on disk; after an error before that, the old pair is current. Then the keys that were
// pending go, and the pairs before the last one.
func (f *Folder) Switch(p Pair, access Access) error {
	before, err := currentNumber(f.path)
	if err != nil {
		return err
	}
	n, err := f.nextNumber(before)
	if err != nil {
		return err
	}
	if err := f.writePair(f.in(pairName(n)), p, access); err != nil {
		return err
	}
	if isCombined(f.path) {
		err = f.combine(pairName(n), access)
	} else {
		err = f.point(pairName(n))
	}
	if err != nil {
		return err
	}
	return f.sweep(n, before)
}

// nextNumber is one more than any pair has. Pairs after the current one were never used: they go.
func (f *Folder) nextNumber(current int) (int, error) {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return 0, err
	}
	last := current
	for _, e := range entries {
		n := pairNumber(e.Name())
		if n > current && current > 0 {
			if err := f.removeAll(e.Name()); err != nil {
				return 0, err
			}
			continue
		}
		last = max(last, n)
	}
	return last + 1, nil
}

// writePair writes a new folder with all files of a pair, durably.
func (f *Folder) writePair(dir string, p Pair, access Access) error {
	record, err := p.Record.encode()
	if err != nil {
		return err
	}
	var key []byte
	if p.KeyFile != "" {
		if key, err = safefile.ReadRegular(p.KeyFile, maxFile); err != nil {
			return err
		}
		defer clear(key)
	}
	if err := f.change("make " + filepath.Base(dir)); err != nil {
		return err
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		return err
	}
	certs := encodeCertificates(slices.Concat([]*x509.Certificate{p.Leaf}, p.Chain)...)
	var both []byte
	if isCombined(f.path) {
		both = slices.Concat(key, []byte("\n"), certs)
		defer clear(both)
	}
	for _, file := range []struct {
		name string
		data []byte
	}{
		{KeyName, key}, {CertificateName, certs}, {bothName, both}, {BundleName, encodeCertificates(p.Bundle...)}, {recordName, record},
	} {
		if file.data == nil {
			continue
		}
		if err := f.writeNew(filepath.Join(dir, file.name), file.data, access); err != nil {
			return err
		}
	}
	if err := access.apply(dir, access.folder()); err != nil {
		return err
	}
	return syncFolder(dir)
}

// writeNew writes a file that is not there, durably. No other user can read it before its mode is set.
func (f *Folder) writeNew(path string, data []byte, access Access) error {
	if err := f.change("write " + filepath.Base(path)); err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(data)
	if err == nil {
		err = access.apply(path, access.file())
	}
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// point renames a new link over the current one.
func (f *Folder) point(target string) error {
	temporary := f.in(CurrentName + ".new")
	if err := os.Remove(temporary); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := f.change("make the new link"); err != nil {
		return err
	}
	if err := os.Symlink(target, temporary); err != nil {
		return err
	}
	if err := syncFolder(f.path); err != nil {
		return err
	}
	if err := f.change("switch"); err != nil {
		return err
	}
	if err := os.Rename(temporary, f.in(CurrentName)); err != nil {
		return err
	}
	return syncFolder(f.path)
}

// sweep removes what is neither the current pair nor the one before.
func (f *Folder) sweep(current, before int) error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		n := pairNumber(e.Name())
		if n > 0 && n != current && n != before || isPending(e.Name()) {
			if err := f.removeAll(e.Name()); err != nil {
				return err
			}
		}
	}
	return nil
}

func (f *Folder) removeAll(name string) error {
	if err := f.change("remove " + name); err != nil {
		return err
	}
	return os.RemoveAll(f.in(name))
}
