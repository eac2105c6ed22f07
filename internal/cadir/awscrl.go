package cadir

import (
	"cmp"
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
	// Profiles are the profiles whose credentials push it to other accounts, by the IDs of the accounts. Default: Profile.
	Profiles map[string]string `yaml:"profiles"`
}

// ProfileOf returns the profile whose credentials push a list to an account by itself.
func (c AccountCRLSettings) ProfileOf(account string) string {
	return cmp.Or(c.Profiles[account], c.Profile)
}

func (c AccountCRLSettings) check() error {
	for account, profile := range c.Profiles {
		if !matches(accountID, account) || profile == "" {
			return fmt.Errorf("profiles: %q: %q is not the ID of an account, of 12 digits, and the name of a profile", account, profile)
		}
	}
	if c.Profile != "" && !c.Push {
		return errors.New("profile: nothing is pushed by itself without push: true; kedge-ca aws crl push takes --aws-profile")
	}
	return nil
}

// PushRecord is what the last push of an authority's list from this folder found and did in a place:
// NAME.ACCOUNT.REGION.pushed beside the list. It is a cache of what AWS has: another server, or a person, can have changed that since.
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

// PushRecordPath is the path of the record about an authority's list in a place.
func (f Folder) PushRecordPath(authority string, at Place) string {
	return filepath.Join(f.Dir, crlFolder, authority+"."+at.Account+"."+at.Region+".pushed")
}

// PushRecord reads the record about an authority's list in a place; the zero record where there is none. One that another
// user can change is a *safefile.UnsafeError.
func (f Folder) PushRecord(authority string, at Place) (*PushRecord, error) {
	r, err := readPushRecord(f.PushRecordPath(authority, at))
	if err != nil || !r.IsZero() {
		return r, err
	}
	// Formerly there was one place, and NAME.pushed.
	former, err := readPushRecord(filepath.Join(f.Dir, crlFolder, authority+".pushed"))
	if err == nil && PlaceOf(former.Anchor) == at {
		r = former
	}
	return r, nil
}

// IsZero reports whether nothing is recorded.
func (r *PushRecord) IsZero() bool { return *r == PushRecord{} }

func readPushRecord(path string) (*PushRecord, error) {
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

// WritePushRecord replaces the record about an authority's list in a place.
func (f Folder) WritePushRecord(authority string, at Place, r *PushRecord) error {
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := f.MakeCRLFolder(); err != nil {
		return err
	}
	return atomicfile.Write(f.PushRecordPath(authority, at), append(data, '\n'), 0o644)
}

// PushLockPath is the path of an empty file that is locked while lists are pushed.
func (f Folder) PushLockPath() string { return filepath.Join(f.Dir, crlFolder, "push.lock") }
