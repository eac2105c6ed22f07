package ledger

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca/ledger/segment"
)

// kindAbandon is a segment that was given up before anything of it left the database; see abandonBody. The
// next one gets its number.
const kindAbandon = "abandon"

type abandonBody struct {
	Number int64  `json:"number"`
	Digest string `json:"digest"` // SHA-256 of its manifest
}

// deleteUnused deletes a segment only if no row of it has left the database: of a row that has left, the segment
// is the only copy.
const deleteUnused = "DELETE FROM segments WHERE number = ? AND digest = ? AND done = 0 AND gone = 0"

// errOtherSegment reports a file with the name of a segment and other contents.
var errOtherSegment = errors.New("it is not the one that the ledger has an entry about")

// sealLast seals the last segment, which was recorded and is not done.
func (a *archiver) sealLast(ctx context.Context) (*segment.Sealed, error) {
	path, err := segment.Path(a.o.Dir, a.last.file)
	if err != nil {
		return nil, err
	}
	sealed, err := a.seal(ctx, path)
	if err == nil && !sealed.Is(a.last.digest) {
		err = errors.Join(errOtherSegment, sealed.Segment().Close())
	}
	if err == nil {
		return sealed, nil
	}
	_, damaged := errors.AsType[*segment.DamagedError](err)
	lost := damaged || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errOtherSegment)
	return nil, &SegmentError{Number: a.last.number, File: path, Err: err, Unused: lost && a.last.gone == 0}
}

// abandonLast gives up the last segment: the chain gets an entry about it, and its number is free. The one
// before must be in the folder, so that a segment is not given up because another folder was named. A later
// Verify wants all entries that were in it to be in the database, or in other segments.
func (a *archiver) abandonLast(ctx context.Context, all []segmentRow) error {
	lost := a.last
	if n := len(all); n > 1 {
		a.last = all[n-2]
		if err := a.hasLast(ctx); err != nil {
			return err
		}
	}
	return a.alone(ctx, func(ctx context.Context, t *transaction) error {
		if _, err := t.append(ctx, kindAbandon, abandonBody{lost.number, hex.EncodeToString(lost.digest)}); err != nil {
			return err
		}
		changed, err := t.exec(ctx, deleteUnused, lost.number, lost.digest)
		if err == nil && changed != 1 {
			err = &ArchivingError{a.Where()} // another archiver found the file and goes on with it
		}
		return err
	})
}

// replayAbandon forgets the entry of a segment.
func (v *verifier) replayAbandon(e *Entry) error {
	var b abandonBody
	if err := e.decode(&b); err != nil {
		return err
	}
	if was, known := v.archive.entries[b.Number]; !known || hex.EncodeToString(was.digest) != b.Digest {
		return fmt.Errorf("it gives up a segment %d that the ledger does not have", b.Number)
	}
	delete(v.archive.entries, b.Number)
	return nil
}
