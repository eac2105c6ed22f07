package cadir

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"time"

	"kedge/internal/atomicfile"
	"kedge/internal/safefile"
)

// AccountCRLSettings specify what becomes of revocation lists at IAM Roles Anywhere.
type AccountCRLSettings struct {
	// Push is whether each list is pushed to IAM Roles Anywhere when it is made. Default: false.
	Push bool `yaml:"push"`
	// Profile is the profile of ~/.aws/config whose credentials push it. Default: those that the AWS SDKs
	// find.
	Profile string `yaml:"profile"`
}

func (c AccountCRLSettings) check() error {
	if c.Profile != "" && !c.Push {
		return errors.New("profile: nothing is pushed by itself without push: true; kedge-ca aws crl push takes --aws-profile")
	}
	return nil
}

// PushRecord is what the last push of an authority's list from this folder found and did: NAME.pushed beside the
// list. It is a cache of what AWS has: another server, or a person, can have changed that since.
type PushRecord struct {
	ARN        string    `json:"crl_arn,omitempty"` // empty: nothing was pushed yet
	Anchor     string    `json:"trust_anchor_arn,omitempty"`
	Number     int64     `json:"number,omitempty"`
	NextUpdate time.Time `json:"next_update,omitzero"`
	SHA256     string    `json:"sha256,omitempty"`    // of its DER, in hexadecimal
	Checked    time.Time `json:"checked_at,omitzero"` // when AWS was last seen to have it

	// Failed is when the last push failed, zero if it did not, and Failure why.
	Failed  time.Time `json:"failed_at,omitzero"`
	Failure string    `json:"failure,omitempty"`
}

// Is reports whether the record is about the list with this hash of its DER at a trust anchor: another one, such as a new
// one, does not have it.
func (r *PushRecord) Is(sum []byte, anchor string) bool {
	return r.Anchor == anchor && r.SHA256 != "" && r.SHA256 == hex.EncodeToString(sum)
}

// SetIs makes Is true for a list at a trust anchor.
func (r *PushRecord) SetIs(sum []byte, anchor string) {
	r.SHA256, r.Anchor = hex.EncodeToString(sum), anchor
}

const maxPushRecord = 64 << 10

// PushRecordPath is the path of the record about an authority's list.
func (f Folder) PushRecordPath(authority string) string {
	return filepath.Join(f.Dir, crlFolder, authority+".pushed")
}

// PushRecord reads the record about an authority's list; the zero record where there is none. One that another user
// can change is a *safefile.UnsafeError.
func (f Folder) PushRecord(authority string) (*PushRecord, error) {
	path := f.PushRecordPath(authority)
	data, err := safefile.Read(path, maxPushRecord)
	if errors.Is(err, fs.ErrNotExist) {
		return new(PushRecord), nil
	}
	if err != nil {
		return nil, err
	}
	r := new(PushRecord)
	if json.Unmarshal(data, r) != nil {
		return nil, fmt.Errorf("%s is damaged: remove it; kedge-ca aws crl push writes it anew", path)
	}
	return r, nil
}

// WritePushRecord replaces the record about an authority's list.
func (f Folder) WritePushRecord(authority string, r *PushRecord) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := f.MakeCRLFolder(); err != nil {
		return err
	}
	return atomicfile.Write(f.PushRecordPath(authority), append(data, '\n'), 0o644)
}

// PushLockPath is the path of an empty file that is locked while lists are pushed.
func (f Folder) PushLockPath() string { return filepath.Join(f.Dir, crlFolder, "push.lock") }
