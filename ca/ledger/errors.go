package ledger

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"kedge/ca"
)

// ErrClosed is returned by a ledger that was closed.
var ErrClosed = errors.New("the ledger is closed")

// MissingError reports that the ledger does not exist.
type MissingError struct {
	Where  string // a path, or a host and a database
	Empty  bool   // it exists and is empty: creating it was interrupted
	Backup bool   // it would be a backup, not the ledger of a CA
}

func (e *MissingError) Error() string {
	if e.Empty {
		return fmt.Sprintf("the ledger %s is empty", e.Where)
	}
	return fmt.Sprintf("there is no ledger %s", e.Where)
}

// AccessError reports that the user of this process cannot read the ledger, or cannot write it.
type AccessError struct {
	Where string
	Path  string // of its file
	Write bool   // it can be read
}

func (e *AccessError) Error() string {
	if e.Write {
		return fmt.Sprintf("the ledger %s cannot be written by this user: the file or its folder is read-only", e.Where)
	}
	return fmt.Sprintf("the ledger %s cannot be read by this user", e.Where)
}

// Unwrap returns fs.ErrPermission.
func (e *AccessError) Unwrap() error { return fs.ErrPermission }

// ForeignError reports that the file or database is not a ledger.
type ForeignError struct {
	Where string
	Why   string
}

func (e *ForeignError) Error() string { return fmt.Sprintf("%s is not a ledger: %s", e.Where, e.Why) }

// NewerSchemaError reports that a newer program has changed the tables.
type NewerSchemaError struct {
	Where         string
	Schema, Known int64 // the version of the tables, and the newest that this program supports
}

func (e *NewerSchemaError) Error() string {
	return fmt.Sprintf("the ledger %s has schema %d, from a newer kedge-ca; this one knows schemas up to %d", e.Where, e.Schema, e.Known)
}

// OlderSchemaError reports that the ledger has an older schema, which a program that only reads
// cannot migrate.
type OlderSchemaError struct {
	Where         string
	Schema, Known int64 // the version of the tables, and the one that this program reads
}

func (e *OlderSchemaError) Error() string {
	return fmt.Sprintf("the ledger %s has schema %d, from an older kedge-ca; this one reads schema %d", e.Where, e.Schema, e.Known)
}

// ClockError reports that the clocks of this machine and of the ledger's server differ too much to
// agree on what has expired. Nothing was written.
type ClockError struct {
	Where        string
	Ours, Theirs time.Time
}

func (e *ClockError) Error() string {
	return fmt.Sprintf("the clock of this machine says %s, that of the ledger's server %s (%s): they differ by %v, and nothing is written by a clock that may be wrong",
		e.Ours.Format(time.RFC3339), e.Theirs.Format(time.RFC3339), e.Where, e.Ours.Sub(e.Theirs).Abs().Round(time.Second))
}

// BrokenError reports that the tables are not those of a ledger, or cannot be read.
type BrokenError struct {
	Where string
	Err   error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the ledger %s is damaged: %v", e.Where, e.Err)
}

func (e *BrokenError) Unwrap() error { return e.Err }

// BusyError reports that another process held the lock for the whole timeout.
type BusyError struct {
	Where  string
	Waited time.Duration
}

func (e *BusyError) Error() string {
	return fmt.Sprintf("the ledger %s is locked by another process, for more than %s", e.Where, e.Waited)
}

// UnreachableError reports that the server of the ledger did not answer, or disconnected. A write
// may have been carried out.
type UnreachableError struct {
	Where string
	Err   error
}

func (e *UnreachableError) Error() string {
	return fmt.Sprintf("the ledger %s cannot be reached: %v", e.Where, e.Err)
}

func (e *UnreachableError) Unwrap() error { return e.Err }

// DuplicateError reports that what should be recorded is in the ledger already.
type DuplicateError struct {
	What string // "the serial number 0a1b… of the issuer CN=…"
}

func (e *DuplicateError) Error() string { return e.What + " is in the ledger already" }

// NotFoundError reports that the ledger does not have something.
type NotFoundError struct {
	What string
}

func (e *NotFoundError) Error() string { return e.What + " is not in the ledger" }

// RevokedError reports that a certificate has been revoked already.
type RevokedError struct {
	Fingerprint []byte
	Subject     string
	At          time.Time
	Reason      ca.Reason
}

func (e *RevokedError) Error() string {
	return fmt.Sprintf("the certificate %q (SHA-256 %s) was revoked on %s: %s", e.Subject,
		hex.EncodeToString(e.Fingerprint), e.At.UTC().Format(time.RFC3339), e.Reason)
}

// NotHeldError reports that a certificate cannot be released: only a hold can end.
type NotHeldError struct {
	Fingerprint []byte
	Subject     string
	Revoked     bool // permanently; false: not revoked
	Reason      ca.Reason
}

func (e *NotHeldError) Error() string {
	if !e.Revoked {
		return fmt.Sprintf("the certificate %q (SHA-256 %s) is not revoked", e.Subject, hex.EncodeToString(e.Fingerprint))
	}
	return fmt.Sprintf("the certificate %q (SHA-256 %s) was revoked for good: %s; only a hold can be released",
		e.Subject, hex.EncodeToString(e.Fingerprint), e.Reason)
}
