package iam

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"slices"
	"strings"
	"time"
)

// Access keys of users (IAMG id_credentials_access-keys).
func keyOperations() []operation {
	return []operation{
		{"CreateAccessKey", "UserName existingUserNameType", userTarget, createKey, changes},
		{"DeleteAccessKey", "UserName existingUserNameType, AccessKeyId* accessKeyIdType", userTarget, deleteKey, changes},
		{"UpdateAccessKey", "UserName existingUserNameType, AccessKeyId* accessKeyIdType, Status* statusType", userTarget, updateKey, changes},
		{"ListAccessKeys", "UserName existingUserNameType, Marker markerType, MaxItems maxItemsType", userTarget, listKeys, reads},
	}
}

// maxKeys: IAMG reference_iam-quotas.
const maxKeys = 2

const active = "Active"

// accessKey is a long-term key of a user.
type accessKey struct {
	ID      string    `json:"id"`
	Secret  string    `json:"secret"`
	Status  string    `json:"status"` // Active or Inactive
	Created time.Time `json:"created"`
}

// Key is a long-term key that is active, with its user.
type Key struct {
	Secret  string
	User    *User
	Account string
}

// Key returns the active key with an id.
func (s *Store) Key(id string) (Key, bool) {
	k, ok := s.effective(s.current.Load()).keys[id]
	return k, ok
}

// index fills the tables of the active keys, and of the unique ids, of all accounts.
func (d *data) index() {
	d.keys, d.arns = map[string]Key{}, map[string]string{}
	for number, a := range d.accounts {
		for _, r := range a.Roles {
			d.arns[r.ID] = r.ARN
		}
		for _, u := range a.Users {
			d.arns[u.ID] = u.ARN
			for _, k := range u.Keys {
				if k.Status == active {
					d.keys[k.ID] = Key{k.Secret, u, number}
				}
			}
		}
	}
}

type keyElement struct {
	UserName        string
	AccessKeyID     string `xml:"AccessKeyId"`
	Status          string
	SecretAccessKey string `xml:",omitempty"`
	CreateDate      string
}

type keyAnswer struct{ AccessKey keyElement }

// editGivenUser is editUser for operations without a name for the sender's own keys.
func (r *request) editGivenUser() (*User, error) {
	name, err := r.givenUser()
	if err != nil {
		return nil, err
	}
	return r.account.editUser(name)
}

func createKey(r *request) (any, error) {
	user, err := r.editGivenUser()
	if err != nil {
		return nil, err
	}
	if len(user.Keys) >= maxKeys {
		return nil, limitExceeded("Cannot exceed quota for AccessKeysPerUser: %d", maxKeys) // field reports
	}
	k := newKey(r.now())
	user.Keys = append(user.Keys, k)
	return keyAnswer{keyElement{user.Name, k.ID, k.Status, k.Secret, stamp(k.Created)}}, nil
}

// newKey generates a key in the form of AWS: an id of AKIA and 16 characters, a secret of 40 (IAMG
// reference_identifiers).
func newKey(now time.Time) accessKey {
	b := make([]byte, 40)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return accessKey{"AKIA" + base32.StdEncoding.EncodeToString(b[:10]), base64.StdEncoding.EncodeToString(b[10:]), active, now}
}

// key returns the place of the key that the request names; the text is a field report.
func (r *request) key(u *User) (int, error) {
	id := r.text("AccessKeyId")
	i := slices.IndexFunc(u.Keys, func(k accessKey) bool { return k.ID == id })
	if i < 0 {
		return 0, noSuchEntity("The Access Key with id %s cannot be found.", id)
	}
	return i, nil
}

func deleteKey(r *request) (any, error) {
	user, err := r.editGivenUser()
	if err != nil {
		return nil, err
	}
	i, err := r.key(user)
	if err != nil {
		return nil, err
	}
	user.Keys = slices.Delete(user.Keys, i, i+1)
	return nil, nil
}

func updateKey(r *request) (any, error) {
	user, err := r.editGivenUser()
	if err != nil {
		return nil, err
	}
	i, err := r.key(user)
	if err != nil {
		return nil, err
	}
	user.Keys[i].Status = r.text("Status")
	return nil, nil
}

type keysAnswer struct {
	AccessKeyMetadata list[keyElement]
	page
}

func listKeys(r *request) (any, error) {
	name, err := r.givenUser()
	if err != nil {
		return nil, err
	}
	user, err := r.account.user(name)
	if err != nil {
		return nil, err
	}
	var all []keyElement
	for _, k := range user.Keys {
		all = append(all, keyElement{UserName: user.Name, AccessKeyID: k.ID, Status: k.Status, CreateDate: stamp(k.Created)})
	}
	slices.SortFunc(all, func(a, b keyElement) int { return strings.Compare(a.AccessKeyID, b.AccessKeyID) })
	items, p, err := paged(r, all, func(e keyElement) string { return e.AccessKeyID })
	return keysAnswer{list[keyElement]{items}, p}, err
}
