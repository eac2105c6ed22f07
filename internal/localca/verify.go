package localca

import (
	"context"
	"errors"
	"fmt"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Verified is a ledger without faults. The tags are those of kedge-ca's JSON.
type Verified struct {
	Ledger       string `json:"ledger"`
	Entries      int64  `json:"entries"`
	Certificates int64  `json:"certificates"`
	Archived     int64  `json:"archived,omitempty"` // of the certificates, those that only segments have
	Segments     int64  `json:"segments,omitempty"`
	Head         string `json:"head"`

	Unknown []string `json:"unknown_files,omitempty"` // in the folder of the archive: see ledger.Report
}

// Verify reads the whole ledger, with the segments in a folder, that in the CA's if o.Archive is empty. If
// it was changed by another hand, or an earlier head, unless that is empty, is not in it, the error is a
// *ledger.DamagedError; if only segments cannot be read, a *ledger.ArchiveError. If the last list of an authority has
// revocations that the ledger lacks, it is one of issuance.Service.Forgotten. There is a warning for
// each fault and each further list, and one for unknown files in the folder.
func (c *CA) Verify(ctx context.Context, o ledger.VerifyOptions) (*Verified, error) {
	o.Archive = archiveFolder(c.folder, o.Archive)
	v, err := verify(ctx, c.Ledger, o, c.config.Warn)
	if err != nil {
		return nil, err
	}
	all, err := c.Service.Forgotten(ctx)
	if err != nil || len(all) == 0 {
		return v, err
	}
	for _, one := range all[1:] {
		c.config.Warn(one.Error())
	}
	return nil, all[0]
}

// VerifyBackup is Verify for a backup, which has no lists, of the CA in a folder.
func VerifyBackup(ctx context.Context, file string, c Config, o ledger.VerifyOptions) (_ *Verified, err error) {
	o.Archive = archiveFolder(c.Keys.Folder, o.Archive)
	l, err := ledger.OpenBackup(ctx, file, ledger.Options{Now: c.Keys.Host.Now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return verify(ctx, l, o, c.Warn)
}

func verify(ctx context.Context, l *ledger.Ledger, o ledger.VerifyOptions, warn func(text string)) (*Verified, error) {
	checked, err := l.Verify(ctx, o)
	if err != nil {
		return nil, err
	}
	for _, fault := range checked.Faults {
		warn(fault.String())
	}
	if err := checked.Err(l.Where()); err != nil {
		return nil, err
	}
	if n := len(checked.Unknown); n > 0 {
		warn(fmt.Sprintf("the archive has %s that the ledger has no entry about, such as %s: another process archives now, or was interrupted, or this ledger is an older backup; keep segments until you know which, a .tmp is needed by nothing else", report.Count(n, "file"), checked.Unknown[0]))
	}
	return &Verified{l.Where(), checked.Entries, checked.Certificates, checked.Archived, checked.Segments, checked.Head, checked.Unknown}, nil
}
