package cabackup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/localca"
	"kedge/internal/report"
)

// Checked is a backup that was verified. The tags are those of kedge-ca's JSON.
type Checked struct {
	File string `json:"file"`
	Manifest
	Certificates int64 `json:"certificates"` // in the ledger and its archive
	Segments     int64 `json:"segments"`
}

// Fields returns what is in the backup, for people.
func (c *Checked) Fields() []report.Field {
	fields := []report.Field{
		{"made at", report.Time(c.MadeAt)}, {"by", "kedge-ca " + c.MadeBy},
		{"ledger", fmt.Sprintf("%d entries, %s", c.Entries, report.Count(int(c.Certificates), "certificate"))}, {"head", c.Head},
	}
	for _, a := range c.Authorities {
		key := "key " + string(a.Key)
		if a.KeyURI != "" {
			key += ": " + a.KeyURI
		}
		fields = append(fields, report.Field{"authority", fmt.Sprintf("%s (%s), %s, %s", a.Name, a.Subject, a.State, key)}, report.Field{"SHA-256", a.Fingerprint})
	}
	fields = append(fields, report.Field{"files", report.FirstOf(c.Files, 20, len(c.Files))})
	if len(c.NotIncluded) > 0 {
		fields = append(fields, report.Field{"not in it", report.FirstOf(c.NotIncluded, 20, len(c.NotIncluded))})
	}
	return fields
}

// Backup is a file to be checked or restored.
type Backup struct {
	Name string // for messages
	Read io.Reader
	Keys Identities
}

// Check decrypts a backup, unpacks the ledger, its archive and the certificates into a scratch folder, and
// verifies them. Keys are not written anywhere. Errors are a *FileError, and those of verifying a ledger.
func Check(ctx context.Context, b Backup, c localca.Config) (_ *Checked, err error) {
	scratch, err := os.MkdirTemp("", "kedge-ca-backup-*") // 0700
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(scratch)) }()
	u, err := b.unpack(ctx, scratch)
	if err != nil {
		return nil, err
	}
	defer u.dir.Close()
	v, err := u.verify(ctx, c)
	if err != nil {
		return nil, about(b.Name, err)
	}
	return &Checked{b.Name, u.manifest, v.Certificates, v.Segments}, nil
}

// unpack decrypts and unpacks a backup into a folder.
func (b Backup) unpack(ctx context.Context, to string) (*unpacked, error) {
	dir, err := os.OpenRoot(to)
	if err != nil {
		return nil, err
	}
	plain, err := decrypt(b.Read, b.Keys)
	var u *unpacked
	if err == nil {
		u, err = unpack(ctx, plain, dir)
	}
	if err != nil {
		return nil, errors.Join(about(b.Name, err), dir.Close())
	}
	return u, nil
}

// verify verifies the ledger with its archive, and that ledger, manifest and certificates are of one CA at one
// moment.
func (u *unpacked) verify(ctx context.Context, c localca.Config) (*localca.Verified, error) {
	c = at(c, u.dir.Name())
	file := filepath.Join(u.dir.Name(), ledgerName)
	v, err := localca.VerifyBackup(ctx, file, c, ledger.VerifyOptions{})
	if err == nil {
		err = u.checkHead(v.Head)
	}
	if err == nil {
		err = localca.CheckBackup(ctx, c.Keys.Folder, file, ledger.Options{Now: c.Keys.Host.Now})
	}
	if err == nil {
		err = u.readAuthorities(ctx, c)
	}
	return v, inBackup(err)
}

// readAuthorities replaces the authorities that the manifest states by those of the ledger: anybody with the
// public key can write a manifest, and a user compares the fingerprints.
func (u *unpacked) readAuthorities(ctx context.Context, c localca.Config) error {
	all, err := authoritiesOf(ctx, filepath.Join(u.dir.Name(), ledgerName), ledger.Options{Now: c.Keys.Host.Now})
	u.manifest.Authorities = nil
	for _, a := range all {
		u.manifest.Authorities = append(u.manifest.Authorities, describe(a, u.find))
	}
	return err
}

// find returns the content of a file that is in memory.
func (u *unpacked) find(name string) ([]byte, bool) {
	data, ok := u.private[name]
	return data, ok
}

// verifyPart is verify for a backup that may lack segments of the archive: there is a warning.
func (u *unpacked) verifyPart(ctx context.Context, c localca.Config) error {
	quiet := c
	quiet.Warn = func(string) {} // of segments that are newer than the copy of the ledger
	_, err := u.verify(ctx, quiet)
	if incomplete, ok := errors.AsType[*ledger.ArchiveError](err); ok {
		c.Warn("the backup is not complete: " + incomplete.Error())
		return nil
	}
	return err
}

func (u *unpacked) checkHead(head string) error {
	if head != u.manifest.Head {
		return wrong(Mixed, "is not whole: its ledger ends at %s, and not at %s, as its %s states", head, u.manifest.Head, manifestName)
	}
	return nil
}

// inBackup replaces the paths of unpacked files in an error by their names in the backup.
func inBackup(err error) error {
	if damaged, ok := errors.AsType[*ledger.DamagedError](err); ok {
		damaged.Where = ledgerName
	}
	if other, ok := errors.AsType[*localca.OtherCAError](err); ok {
		return wrong(Mixed, "is not of one CA: the authority %q of its ledger does not have the key of %s", other.Authority, filepath.Base(other.File))
	}
	return err
}

// at returns the configuration for another folder.
func at(c localca.Config, dir string) localca.Config {
	keys := *c.Keys
	keys.Folder = cadir.Folder{Dir: dir}
	c.Keys = &keys
	return c
}
