package localca

import (
	"context"
	"fmt"
	"iter"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
)

// Archived is what was archived. The tags are those of kedge-ca's JSON.
type Archived struct {
	Before       time.Time `json:"before"`
	Segments     []string  `json:"segments"` // paths of those that are new
	Certificates int64     `json:"certificates"`
}

// archiveFolder returns the folder of the archive: the one that was given, or that in the CA's folder.
func archiveFolder(f cadir.Folder, dir string) string {
	if dir == "" {
		return f.ArchivePath()
	}
	return dir
}

// ArchiveRequest names what is archived, and the folder for it: see ledger.ArchiveOptions.
type ArchiveRequest struct {
	Before      time.Time
	Dir         string // empty: that in the CA's folder, which is created
	ReplaceLost bool
}

// Archive moves what expired before a time, and was superseded, into segments in a folder. What was archived
// before an error is in the result.
func (c *CA) Archive(ctx context.Context, r ArchiveRequest) (*Archived, error) {
	folder := archiveFolder(c.folder, r.Dir)
	if r.Dir == "" {
		if err := atomicfile.MakeFolder(folder, 0o700); err != nil {
			return nil, fmt.Errorf("create the folder of the archive: %w", err)
		}
	}
	done, err := c.Service.Archive(ctx, ledger.ArchiveOptions{Before: r.Before, Dir: folder, ReplaceLost: r.ReplaceLost})
	result := &Archived{Before: r.Before.UTC(), Segments: done.Segments, Certificates: done.Records}
	if result.Segments == nil {
		result.Segments = []string{}
	}
	return result, err
}

// Who returns the certificates that text can mean, of the ledger and of its archive in a folder, that in
// the CA's if dir is empty: see issuance.Service.Find. incomplete is the first segment that cannot be read,
// and may come with certificates; there is a warning for each other one.
func (c *CA) Who(ctx context.Context, text, dir string) (found []issuance.Match, incomplete, err error) {
	found, err = c.Service.FindAll(ctx, text, archiveFolder(c.folder, dir), func(e *ledger.SegmentError) { incomplete = c.broken(incomplete, e) })
	if err != nil && incomplete != nil {
		return nil, nil, incomplete // what was not found may be there
	}
	return found, incomplete, err
}

// ListArchive lists the certificates of the ledger, and then those of its archive in a folder, that in the
// CA's if dir is empty: see ledger.Ledger.ListAll. incomplete is called with the first segment that cannot be read; there is a warning
// for each other one.
func (c *CA) ListArchive(ctx context.Context, f ledger.Filter, dir string, incomplete func(error)) iter.Seq2[ledger.Certificate, error] {
	var first error
	return c.Ledger.ListAll(ctx, archiveFolder(c.folder, dir), f, func(e *ledger.SegmentError) {
		first = c.broken(first, e)
		incomplete(first)
	})
}

// broken returns the first segment that cannot be read, and warns of the others.
func (c *CA) broken(first error, e *ledger.SegmentError) error {
	if first == nil {
		return e
	}
	c.config.Warn(e.Error())
	return first
}
