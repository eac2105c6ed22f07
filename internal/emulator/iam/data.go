package iam

import (
	"maps"
	"slices"
	"strings"
)

// data is a snapshot of all accounts, by their numbers.
type data struct {
	accounts map[string]*account
	keys     map[string]Key    // those that are active, by their ids
	arns     map[string]string // of users and roles, by their ids
}

// account has the entities of one account, by their folded names.
type account struct {
	Roles    map[string]*Role    `json:"roles"`
	Users    map[string]*User    `json:"users"`
	Policies map[string]*managed `json:"policies"`

	// Gone has the entities of the configuration that were deleted, by kind and folded name, such as "role/web": the
	// fingerprint of the entry that a call deleted, or "" if the configuration has none any more.
	Gone map[string]string `json:"gone,omitzero"`
}

func newAccount() *account {
	return &account{Roles: map[string]*Role{}, Users: map[string]*User{}, Policies: map[string]*managed{}}
}

// of returns an account, an empty one if nothing is in it yet.
func (d *data) of(number string) *account {
	if a := d.accounts[number]; a != nil {
		return a
	}
	return newAccount()
}

// edit returns a copy of the snapshot, in which the account can be changed.
func (d *data) edit(number string) (*data, *account) {
	a := d.of(number)
	copied := &account{maps.Clone(a.Roles), maps.Clone(a.Users), maps.Clone(a.Policies), maps.Clone(a.Gone)}
	next := &data{accounts: maps.Clone(d.accounts), arns: d.arns}
	next.accounts[number] = copied
	return next, copied
}

// role returns a role by its name.
func (a *account) role(name string) (*Role, error) {
	if r := a.Roles[folded(name)]; r != nil && r.Name == name {
		return r, nil
	}
	return nil, noSuchEntity("The role with name %s cannot be found.", name) // field reports
}

// user returns a user by its name.
func (a *account) user(name string) (*User, error) {
	if u := a.Users[folded(name)]; u != nil && u.Name == name {
		return u, nil
	}
	return nil, noSuchEntity("The user with name %s cannot be found.", name) // field reports
}

// editRole returns a copy of a role that can be changed, which is that of the account from now on.
// A service-linked role is refused: IAMG using-service-linked-roles; the text is a field report.
func (a *account) editRole(name string) (*Role, error) {
	r, err := a.role(name)
	if err != nil {
		return nil, err
	}
	if r.ServiceLinked != "" {
		return nil, unmodifiable("Cannot perform the operation on the protected role '%s' - this role is only modifiable by AWS", name)
	}
	return a.copyRole(r), nil
}

func (a *account) copyRole(r *Role) *Role {
	c := *r
	c.entity = r.clone()
	a.Roles[folded(r.Name)] = &c
	return &c
}

// editUser returns a copy of a user that can be changed, which is that of the account from now on.
func (a *account) editUser(name string) (*User, error) {
	u, err := a.user(name)
	if err != nil {
		return nil, err
	}
	c := *u
	c.entity, c.Keys = u.clone(), slices.Clone(u.Keys)
	a.Users[folded(name)] = &c
	return &c, nil
}

// holders returns the roles and the users, each sorted by name.
func (a *account) holders() []holder {
	var all []holder
	for _, key := range slices.Sorted(maps.Keys(a.Roles)) {
		all = append(all, a.Roles[key])
	}
	for _, key := range slices.Sorted(maps.Keys(a.Users)) {
		all = append(all, a.Users[key])
	}
	return all
}

// byARN returns the role or user with an ARN, or nil.
func (d *data) byARN(arn string) holder {
	a := d.accounts[partOf(arn, 4)]
	if a == nil {
		return nil
	}
	var found holder
	switch name := folded(nameOf(arn)); {
	case strings.HasPrefix(partOf(arn, 5), "role/") && a.Roles[name] != nil:
		found = a.Roles[name]
	case strings.HasPrefix(partOf(arn, 5), "user/") && a.Users[name] != nil:
		found = a.Users[name]
	}
	if found == nil || found.base().ARN != arn {
		return nil
	}
	return found
}
