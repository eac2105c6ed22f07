package signer

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"kedge/internal/safefile"
)

// RuleError reports that a certificate breaks a rule of IAM Roles Anywhere, so that a request
// signed with it would be refused.
type RuleError struct {
	File    string // where the certificate was read; empty when that is not known
	Subject string // whose certificate it is
	Rule    string // what is wrong and what it must be
	Source  string // where the rule stands
}

func (e *RuleError) Error() string {
	return fmt.Sprintf("%scertificate %q %s", inFile(e.File), e.Subject, e.Rule)
}

// KeyMismatchError reports that none of the certificates belongs to the private key.
type KeyMismatchError struct {
	KeyFile, CertFile string   // where they were read; empty when that is not known
	Key               string   // the kind of key, such as "P-256"
	Subject           string   // of the certificate that was expected to belong to it
	CertKey           string   // the kind of key in that certificate
	Unreadable        []string // certificates that were passed over, of which one may be the one
}

func (e *KeyMismatchError) Error() string {
	where := ""
	if e.CertFile != "" {
		where = " in " + e.CertFile
	}
	text := fmt.Sprintf("%sthe %s private key does not belong to the certificate %q%s, which holds another %s key",
		inFile(e.KeyFile), e.Key, e.Subject, where, e.CertKey)
	if strings.HasPrefix(e.CertKey, "an ") || strings.HasPrefix(e.CertKey, "a ") {
		text = fmt.Sprintf("%sthe %s private key does not belong to the certificate %q%s, which holds %s key",
			inFile(e.KeyFile), e.Key, e.Subject, where, e.CertKey)
	}
	for _, words := range e.Unreadable {
		text += "; " + words
	}
	return text
}

// ValidityError reports a certificate that has expired or is not valid yet.
type ValidityError struct {
	File                string
	Subject             string
	NotBefore, NotAfter time.Time
	Now                 time.Time // the time it was compared with

	// ByService reports whether Now is the service's time. Skew is then how far this host's clock is
	// behind it (negative: ahead). The caller that owns the clock sets both.
	ByService bool
	Skew      time.Duration
}

// Expired tells an expired certificate from one that is not valid yet.
func (e *ValidityError) Expired() bool { return e.Now.After(e.NotAfter) }

func (e *ValidityError) Error() string {
	now := e.Now.UTC().Format(time.RFC3339) + " now"
	if e.ByService && e.Skew != 0 {
		now = e.Now.UTC().Format(time.RFC3339) + " by the service's clock"
	}
	if e.Expired() {
		return fmt.Sprintf("%scertificate %q expired at %s; it is %s", inFile(e.File), e.Subject, e.NotAfter.UTC().Format(time.RFC3339), now)
	}
	return fmt.Sprintf("%scertificate %q is not valid before %s; it is %s", inFile(e.File), e.Subject, e.NotBefore.UTC().Format(time.RFC3339), now)
}

// FileError reports that key or certificate bytes could not be read or understood. Err is the
// cause: a *fs.PathError, a *safefile.InputError, keyfile.ErrWrongPassword, or words about the content.
type FileError struct {
	File string // the path, or the name of another input such as "standard input"
	Err  error
}

func (e *FileError) Error() string {
	path, isPath := errors.AsType[*fs.PathError](e.Err)
	input, isInput := errors.AsType[*safefile.InputError](e.Err)
	if isPath && path.Path == e.File || isInput && input.Path == e.File {
		return e.Err.Error() // it names the path itself
	}
	return e.File + ": " + e.Err.Error()
}

func (e *FileError) Unwrap() error { return e.Err }

// SignError reports that the key did not sign, as one in hardware may not. Err is the key's.
type SignError struct {
	Subject string // whose certificate it is
	Err     error
}

func (e *SignError) Error() string {
	return fmt.Sprintf("sign with the key of %q: %v", e.Subject, e.Err)
}
func (e *SignError) Unwrap() error { return e.Err }

func inFile(name string) string {
	if name == "" {
		return ""
	}
	return name + ": "
}
