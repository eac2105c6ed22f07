package iam

import (
	"crypto/rand"
	"encoding/base32"
	"maps"
	"slices"
	"strings"
	"time"

	"kedge/internal/emulator/policy"
)

// entityKind is what IAM calls an entity in its messages.
type entityKind string

const (
	roleKind entityKind = "role"
	userKind entityKind = "user"
)

// entity is what roles and users have in common. Entities of a snapshot are never changed.
type entity struct {
	Path     string              `json:"path"`
	Name     string              `json:"name"`
	ID       string              `json:"id"` // AROA… or AIDA…
	ARN      string              `json:"arn"`
	Created  time.Time           `json:"created"`
	Tags     []Tag               `json:"tags,omitzero"`
	Boundary string              `json:"boundary,omitzero"` // ARN of a managed policy
	Inline   map[string]document `json:"inline,omitzero"`   // by name
	Attached []string            `json:"attached,omitzero"` // ARNs of managed policies, sorted

	// Configured is the fingerprint of the configuration that the entity was made from; empty: made by a call.
	Configured string `json:"configured,omitzero"`
	// Unlimited is an entity whose entry has no policies; see [Store.AssumePolicies].
	Unlimited bool `json:"unlimited,omitzero"`
}

// holder is an entity that policies can be given to.
type holder interface {
	base() *entity
	kind() entityKind
}

// Role is a role of the store. Its fields are not to be changed.
type Role struct {
	entity        `json:",inline"`
	Trust         document `json:"trust"`
	Description   string   `json:"description,omitzero"`
	MaxSeconds    int      `json:"maxSeconds"`             // the longest session
	ServiceLinked string   `json:"serviceLinked,omitzero"` // the service whose role it is; empty: an ordinary role
}

func (r *Role) base() *entity    { return &r.entity }
func (r *Role) kind() entityKind { return roleKind }

// MaxSessionDuration returns the length of the longest session.
func (r *Role) MaxSessionDuration() time.Duration { return time.Duration(r.MaxSeconds) * time.Second }

// TrustPolicy returns the role's trust policy, and its text.
func (r *Role) TrustPolicy() (*policy.Document, string) { return r.Trust.parsed, r.Trust.Text }

// User is a user of the store. Its fields are not to be changed.
type User struct {
	entity `json:",inline"`
	Keys   []accessKey `json:"keys,omitzero"`

	Administrator bool `json:"administrator,omitzero"` // see [Store.Administrator]
}

func (u *User) base() *entity    { return &u.entity }
func (u *User) kind() entityKind { return userKind }

// document is a policy document as it was put, and parsed.
type document struct {
	Text   string `json:"text"`
	parsed *policy.Document
}

// newDocument parses a document as IAM does when it is put.
func newDocument(kind policy.Kind, text string) (document, error) {
	parsed, err := policy.Parse(kind, []byte(text))
	if err != nil {
		if wrong, ok := err.(*policy.MalformedError); ok {
			return document{}, malformed(wrong)
		}
		return document{}, err
	}
	return document{text, parsed}, nil
}

// clone returns a copy that can be changed.
func (e entity) clone() entity {
	e.Tags, e.Attached, e.Inline = slices.Clone(e.Tags), slices.Clone(e.Attached), maps.Clone(e.Inline)
	return e
}

// newID returns a unique id: four characters for the kind of entity, and 17 (IAMG reference_identifiers,
// "Understanding unique ID prefixes").
func newID(prefix string) string {
	b := make([]byte, 11)
	_, _ = rand.Read(b) // never fails: see crypto/rand
	return prefix + base32.StdEncoding.EncodeToString(b)[:17]
}

// resource returns the last part of an entity's ARN.
func resource(kind entityKind, path, name string) string { return string(kind) + path + name }

// folded returns the key of a name: names are unique without regard to case (IAMG reference_iam-quotas,
// "IAM name requirements").
func folded(name string) string { return strings.ToLower(name) }
