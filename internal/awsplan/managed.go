package awsplan

import (
	"fmt"
	"slices"
	"strings"
)

// Attachment is a managed policy that a role is to get, also as its permissions boundary.
type Attachment struct {
	Role   string // name
	Policy string // ARN
}

// Attachments returns the managed policies that roles are to get and do not have: IAM deletes none that a role has (IAM
// API Reference, DeletePolicy), so those exist.
func (w *Wanted) Attachments(f *Found) (all []Attachment) {
	for i := range w.Roles {
		role := &w.Roles[i]
		found := f.Role(role.Name)
		if found == nil {
			found = &FoundRole{}
		}
		for _, policy := range role.Attached {
			if !slices.Contains(found.Attached, policy) {
				all = append(all, Attachment{role.Name, policy})
			}
		}
		if role.Boundary != "" && role.Boundary != found.Boundary {
			all = append(all, Attachment{role.Name, role.Boundary})
		}
	}
	return all
}

// lacking returns those Attachments whose policies do not exist.
func (w *Wanted) lacking(f *Found) []Attachment {
	return slices.DeleteFunc(w.Attachments(f), func(a Attachment) bool { return !slices.Contains(f.NoPolicies, a.Policy) })
}

// NoPolicyError reports managed policies that roles are to get and that do not exist.
type NoPolicyError struct {
	Account string
	All     []Attachment
}

func (e *NoPolicyError) Error() string {
	var all []string
	for _, a := range e.All {
		all = append(all, fmt.Sprintf("%s, for the role %s", a.Policy, a.Role))
	}
	return fmt.Sprintf("managed policies do not exist in account %s: %s", e.Account, strings.Join(all, "; "))
}
