package iam

import "strings"

// A trust policy that is saved has the unique ids of users and roles in the place of their ARNs, and is shown with the ARNs as
// long as they exist. So a user or a role that is deleted and made again is another one to it, and the id of the old one is
// shown (IAMG reference_policies_elements_principal, "IAM role principals" and "IAM user principals").

// pin replaces the ARNs in all trust policies by the ids. One that a configuration has before its user or role exists is
// replaced once it does, which is ours: calls are refused with it.
func (d *data) pin() {
	for _, a := range d.accounts {
		for _, r := range a.Roles {
			if trust := r.Trust.renamed(d.idOf); trust.parsed != r.Trust.parsed {
				d.accountFor(r.ARN).copyRole(r).Trust = trust
			}
		}
	}
}

// shown returns a role with the ARNs in its trust policy.
func (d *data) shown(r *Role) *Role {
	trust := r.Trust.renamed(d.arnOf)
	if trust.parsed == r.Trust.parsed {
		return r
	}
	c := *r
	c.Trust = trust
	return &c
}

func (t document) renamed(rename func(string) string) document {
	parsed, text := t.parsed.Rename(t.Text, rename)
	return document{text, parsed}
}

// idOf returns the id of the user or the role that a trust policy names by its ARN, or the name as it is.
func (d *data) idOf(name string) string {
	if h := d.byARN(name); h != nil {
		return h.base().ID
	}
	return name
}

// arnOf returns the ARN of the user or the role that a trust policy names by its id, or the name as it is.
func (d *data) arnOf(name string) string {
	if arn, ok := d.arns[name]; ok {
		return arn
	}
	return name
}

// isID reports whether a principal that package policy has accepted is a unique id.
func isID(name string) bool {
	return strings.HasPrefix(name, "AROA") || strings.HasPrefix(name, "AIDA")
}
