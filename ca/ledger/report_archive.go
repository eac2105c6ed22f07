package ledger

import (
	"errors"
	"fmt"
	"io/fs"
)

// ArchiveError reports that segments cannot be read, while the database is as it was written. It wraps
// why, for the first of them: often a *[SegmentError].
type ArchiveError struct {
	Where  string // the ledger
	Report Report
}

// Error states the first segment and the number of the others.
func (e *ArchiveError) Error() string {
	text := fmt.Sprintf("the archive of %s is damaged: %v", e.Where, e.Unwrap())
	segment, ok := errors.AsType[*SegmentError](e.Unwrap())
	switch {
	case ok && errors.Is(segment, fs.ErrNotExist):
		text = fmt.Sprintf("the archive of %s is incomplete: segment %d, %s, is missing", e.Where, segment.Number, segment.File)
	case ok && errors.Is(segment, fs.ErrPermission):
		text = fmt.Sprintf("segment %d, %s, could not be checked: permission denied", segment.Number, segment.File)
	}
	return text + e.Report.others()
}

func (e *ArchiveError) Unwrap() error {
	if len(e.Report.Faults) == 0 {
		return nil
	}
	return e.Report.Faults[0].segment
}

// Err returns nil if there are no faults, an *[ArchiveError] if segments cannot be read and nothing else is
// wrong, or a *[DamagedError]. where is the ledger.
func (r *Report) Err(where string) error {
	switch {
	case r.OK():
		return nil
	case r.changed:
		return &DamagedError{Where: where, Report: *r}
	}
	return &ArchiveError{Where: where, Report: *r}
}

// unread lists a segment that cannot be read, or not further.
func (r *Report) unread(number int64, err error) {
	what := err.Error()
	if segment, ok := errors.AsType[*SegmentError](err); ok {
		switch what = fmt.Sprint(segment.Err); {
		case errors.Is(err, fs.ErrNotExist):
			what = "it is missing: there is no file " + segment.File
		case errors.Is(err, fs.ErrPermission):
			what = segment.File + " could not be checked: permission denied"
		}
	}
	r.list(Fault{Table: "segments", Row: fmt.Sprint(number), What: what, segment: err})
}
