// Package awsrights makes IAM policies that allow no more than a command of kedge-ca needs. What a command needs
// stands beside its requests, as a list of statements; their order is that of the requests.
//
// Sources: Service Authorization Reference, "IAM Roles Anywhere", "IAM" and "STS": which actions take which
// resources and condition keys.
package awsrights

import (
	"bytes"
	"encoding/json"
	"fmt"
	"path"
	"slices"

	"kedge/internal/awsplan"
)

// Scope is what the rights are limited to. Account and Region may be "*".
type Scope struct {
	Partition string
	Account   string
	Region    string
	Owners    []awsplan.Owner // the CA whose objects may be changed
	Roles     []string        // paths and names, such as /hosts/backup
}

// Statement allows actions.
type Statement struct {
	Sid        string
	Actions    []string
	Resources  []string
	Conditions Conditions // all must hold; nil: none
}

// Conditions are values by operator and key.
type Conditions map[string]map[string][]string

// Of returns the ARNs of all resources of kinds of IAM Roles Anywhere, such as crl/*.
func (s Scope) Of(kinds ...string) (all []string) {
	for _, kind := range kinds {
		all = append(all, fmt.Sprintf("arn:%s:rolesanywhere:%s:%s:%s/*", s.Partition, s.Region, s.Account, kind))
	}
	return all
}

// RoleARNs returns the ARNs of the roles.
func (s Scope) RoleARNs() (all []string) {
	for _, name := range s.Roles {
		all = append(all, fmt.Sprintf("arn:%s:iam::%s:role%s", s.Partition, s.Account, name))
	}
	return all
}

// NamedRoleARNs returns RoleARNs, and those without a path: a role that does not exist has none, where a request names it
// without.
func (s Scope) NamedRoleARNs() []string {
	all := s.RoleARNs()
	for _, role := range s.Roles {
		bare := fmt.Sprintf("arn:%s:iam::%s:role/%s", s.Partition, s.Account, path.Base(role))
		if !slices.Contains(all, bare) {
			all = append(all, bare)
		}
	}
	return all
}

// AnyRole returns the ARN of all roles of the account.
func (s Scope) AnyRole() []string {
	return []string{fmt.Sprintf("arn:%s:iam::%s:role/*", s.Partition, s.Account)}
}

// AnyPolicy returns the ARNs of all managed policies that roles of the account can get: its own, and those of AWS.
func (s Scope) AnyPolicy() []string {
	return []string{fmt.Sprintf("arn:%s:iam::%s:policy/*", s.Partition, s.Account), fmt.Sprintf("arn:%s:iam::aws:policy/*", s.Partition)}
}

// Any is the resource of actions that take no narrower one.
func Any() []string { return []string{"*"} }

// OwnTag returns the condition that objects of these kinds have the tag of the CA.
func (s Scope) OwnTag(kinds ...awsplan.Kind) Conditions { return s.tagged("aws:ResourceTag/", kinds) }

// GivenTag returns the condition that a request gives the tag of the CA for objects of these kinds.
func (s Scope) GivenTag(kinds ...awsplan.Kind) Conditions { return s.tagged("aws:RequestTag/", kinds) }

func (s Scope) tagged(key string, kinds []awsplan.Kind) Conditions {
	var values []string
	for _, owner := range s.Owners {
		for _, kind := range kinds {
			values = append(values, owner.Tag(kind, "*"))
		}
	}
	return Conditions{"StringLike": {key + awsplan.TagKey: values}}
}

// Actions returns the actions of all statements, in their order.
func Actions(all []Statement) (actions []string) {
	for _, s := range all {
		actions = append(actions, s.Actions...)
	}
	return actions
}

// Policy returns statements as a policy, in JSON that ends with a newline.
func Policy(all []Statement) ([]byte, error) {
	type statement struct {
		Sid       string
		Effect    string
		Action    []string
		Resource  []string
		Condition Conditions `json:",omitempty"`
	}
	d := struct {
		Version   string
		Statement []statement
	}{Version: "2012-10-17"}
	for _, s := range all {
		d.Statement = append(d.Statement, statement{s.Sid, "Allow", s.Actions, s.Resources, s.Conditions})
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(d); err != nil {
		return nil, fmt.Errorf("write the policy: %w", err)
	}
	return text.Bytes(), nil
}
