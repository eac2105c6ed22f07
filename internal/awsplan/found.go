package awsplan

import (
	"crypto/x509"
	"maps"
	"slices"
	"strings"
	"time"
)

// Found is what is in an account and a region: each trust anchor and each profile, and the roles that are wanted or
// carry a tag of the CA.
type Found struct {
	Partition, Account, Region string

	Anchors  []FoundAnchor
	Profiles []FoundProfile
	Roles    []FoundRole
	CRLs     []FoundCRL // only for Down

	// NoPolicies are ARNs of managed policies that were looked for, and do not exist.
	NoPolicies []string
}

// FoundAnchor is a trust anchor.
type FoundAnchor struct {
	ARN, Name     string
	Alias         string // empty: none
	Tags          map[string]string
	Certificates  []*x509.Certificate // none, if its source is another than certificates
	Unreadable    bool                // its certificates cannot be read
	Enabled       bool
	Notifications []Notification // of each event
}

// FoundProfile is a profile.
type FoundProfile struct {
	ARN, Name string
	Alias     string // empty: none
	Tags      map[string]string
	Roles     []string // ARNs
	Duration  time.Duration
	Enabled   bool
}

// FoundCRL is a revocation list that was imported.
type FoundCRL struct {
	ARN, Name string
	Tags      map[string]string
	Anchor    string // ARN of the trust anchor whose certificates it revokes
}

// FoundRole is a role.
type FoundRole struct {
	ARN, Name, Path string
	Tags            map[string]string
	Trust           string
	Attached        []string          // ARNs of managed policies
	Inline          map[string]string // policies of the role itself, by their names
	Boundary        string            // ARN; empty: none
	MaxSession      time.Duration
	Created         time.Time
}

// roleARN returns the ARN that a role of the account has.
func (f *Found) roleARN(r *Role) string {
	return "arn:" + f.Partition + ":iam::" + f.Account + ":role" + r.Path + r.Name
}

// NewAnchor stands for the ARN of a trust anchor that is not there yet.
func (f *Found) NewAnchor() string {
	return "arn:" + f.Partition + ":rolesanywhere:" + f.Region + ":" + f.Account + ":trust-anchor/00000000-0000-0000-0000-000000000000"
}

// shown replaces the ARN of the trust anchor that is not there yet in a text for people.
func (f *Found) shown(text string) string {
	return strings.ReplaceAll(text, f.NewAnchor(), "the ARN of the new trust anchor")
}

// Role returns the role with a name; nil: it was not found.
func (f *Found) Role(name string) *FoundRole {
	for i := range f.Roles {
		if f.Roles[i].Name == name {
			return &f.Roles[i]
		}
	}
	return nil
}

// Lines describes the certificates and the notifications of a trust anchor.
func (a *FoundAnchor) Lines() []string {
	return slices.Concat(aliasLines(a.Alias), describeEach("", a.Certificates), notificationLines(a.Notifications))
}

// Lines describes the sessions and the roles of a profile.
func (p *FoundProfile) Lines() []string {
	return slices.Concat(aliasLines(p.Alias), []string{"sessions of " + duration(p.Duration)}, slices.Sorted(slices.Values(p.Roles)))
}

// Lines describes the policies of a role.
func (r *FoundRole) Lines() (lines []string) {
	for _, policy := range slices.Concat(r.Attached, slices.Sorted(maps.Keys(r.Inline))) {
		lines = append(lines, "policy "+policy)
	}
	if r.Boundary != "" {
		lines = append(lines, "permissions boundary "+r.Boundary)
	}
	return lines
}
