package cabackup

import (
	"context"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/safefile"
	"kedge/signer/keyfile"
)

// item is a file for a backup.
type item struct {
	name string
	data []byte
	from string // if not empty, the path of the file with the content, which may be large
}

// contents collects the files of a CA's folder.
type contents struct {
	folder cadir.Folder
	items  []item
}

// add reads a file, if there is one, and reports whether there is.
func (c *contents) add(name, from string) (there bool, err error) {
	data, err := safefile.ReadRegular(from, maxSmall)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err == nil {
		c.items = append(c.items, item{name: name, data: data})
	}
	return err == nil, err
}

func (c *contents) addAll(names ...string) error {
	for _, name := range names {
		if !allowed(name) {
			continue // a ledger that came from elsewhere can have any name
		}
		if _, err := c.add(name, filepath.Join(c.folder.Dir, filepath.FromSlash(name))); err != nil {
			return err
		}
	}
	return nil
}

// addLists adds the revocation lists of authorities, with what was pushed of them.
func (c *contents) addLists(authorities []ledger.Authority) error {
	for _, a := range authorities {
		base := path.Join(listFolder, a.Name)
		if err := c.addAll(base+".crl", base+".der", base+".delta.crl", base+".delta.der", base+".pushed"); err != nil {
			return err
		}
	}
	return nil
}

// addFolder adds the configuration, and the certificates, keys and requests of authorities.
func (c *contents) addFolder(authorities []ledger.Authority) error {
	if _, err := c.add(cadir.SettingsName, c.folder.SettingsPath()); err != nil {
		return err
	}
	names := []string{cadir.AWSName}
	for _, a := range authorities {
		names = append(names, authorityFiles(a.Name)...)
	}
	pending, err := filepath.Glob(filepath.Join(c.folder.Dir, "*.csr"))
	if err != nil {
		return err
	}
	for _, file := range pending { // of an intermediate without a certificate
		names = append(names, authorityFiles(strings.TrimSuffix(filepath.Base(file), ".csr"))...)
	}
	slices.Sort(names)
	return c.addAll(slices.Compact(names)...)
}

func authorityFiles(name string) []string {
	return []string{name + ".pem", name + ".key", name + ".key-uri", name + ".csr"}
}

// addSegments adds the segments of the archive in a folder.
func (c *contents) addSegments(dir string) error {
	all, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, e := range all {
		if isSegment(e.Name()) {
			c.items = append(c.items, item{name: path.Join(segmentFolder, e.Name()), from: filepath.Join(dir, e.Name())})
		}
	}
	return err
}

// find returns the content of a file that was read.
func (c *contents) find(name string) ([]byte, bool) {
	i := slices.IndexFunc(c.items, func(f item) bool { return f.name == name })
	if i < 0 {
		return nil, false
	}
	return c.items[i].data, true
}

func (c *contents) names() []string {
	var all []string
	for _, f := range c.items {
		all = append(all, f.name)
	}
	return all
}

// left returns the names of files in the folder that are not in the backup, without the ledger of the CA at where.
func (c *contents) left(where string) ([]string, error) {
	all, err := os.ReadDir(c.folder.Dir)
	left := []string{}
	for _, e := range all {
		name := e.Name()
		known := slices.Contains([]string{listFolder, segmentFolder}, name) || strings.HasPrefix(name, ".") ||
			isLedger(filepath.Join(c.folder.Dir, name), where)
		if _, taken := c.find(name); !taken && !known {
			left = append(left, name)
		}
	}
	return left, err
}

// isLedger reports whether path is the SQLite file at where, a file that SQLite puts beside it, or its folder.
func isLedger(path, where string) bool {
	for _, suffix := range []string{"", "-wal", "-shm", "-journal"} {
		if path == where+suffix {
			return true
		}
	}
	return strings.HasPrefix(where, path+string(filepath.Separator))
}

// describe returns an authority with where its key is. find returns the content of a file in the backup.
func describe(a ledger.Authority, find func(name string) ([]byte, bool)) Authority {
	d := Authority{Name: a.Name, Subject: a.Certificate.Subject.String(), Fingerprint: hex.EncodeToString(a.Fingerprint), State: a.State, Key: NoKey}
	if key, ok := find(a.Name + ".key"); ok {
		d.Key = Unreadable
		if _, err := keyfile.ParsePrivateKey(key, nil); err == nil {
			d.Key = Plain
		} else if errors.Is(err, keyfile.ErrPasswordRequired) {
			d.Key = Encrypted
		}
	} else if uri, ok := find(a.Name + ".key-uri"); ok {
		d.Key, d.KeyURI = Elsewhere, strings.TrimSpace(string(uri))
	}
	return d
}

// authoritiesOf returns the authorities in a copy of a ledger.
func authoritiesOf(ctx context.Context, file string, o ledger.Options) (_ []ledger.Authority, err error) {
	l, err := ledger.OpenBackup(ctx, file, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return l.Authorities(ctx)
}
