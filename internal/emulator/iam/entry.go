package iam

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/v2"
	"fmt"
	"slices"
	"strings"
	"time"

	"kedge/internal/emulator/policy"
)

// The entities that a configuration has entries of. Each has the fingerprint of its entry (Configured), and an account
// keeps, in Gone, which of them there were.

// fingerprint identifies the configuration of an entity.
func fingerprint(config any) string {
	content, err := json.Marshal(config, json.Deterministic(true))
	if err != nil {
		panic(err) // a field of an entry without a form in JSON, which no entry of that kind would have
	}
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// accountFor returns the account of an ARN as a copy in d that can be changed.
func (d *data) accountFor(arn string) *account {
	next, a := d.edit(partOf(arn, 4))
	d.accounts = next.accounts
	return a
}

// dropOthers removes the entities of an earlier configuration that have no entry, and returns their ARNs. A managed policy
// is detached; as a boundary it stays, and allows nothing, as without a boundary there would be more rights.
func (d *data) dropOthers(entries map[place]string) []string {
	var gone []string
	for _, number := range sortedKeys(d.accounts) {
		for entity, arn := range d.accounts[number].configured() {
			if _, ok := entries[place{number, entity}]; !ok {
				d.accountFor(arn).drop(entity, arn)
				gone = append(gone, arn)
			}
		}
		for entity, mark := range d.accounts[number].Gone {
			if _, ok := entries[place{number, entity}]; !ok && mark != "" {
				next, a := d.edit(number)
				d.accounts = next.accounts
				a.Gone[entity] = ""
			}
		}
	}
	slices.Sort(gone)
	return gone
}

// configured returns the ARNs of the entities that a configuration has or had, by kind and folded name.
func (a *account) configured() map[string]string {
	all := map[string]string{}
	for key, r := range a.Roles {
		if r.Configured != "" {
			all["role/"+key] = r.ARN
		}
	}
	for key, u := range a.Users {
		if u.Configured != "" {
			all["user/"+key] = u.ARN
		}
	}
	for key, p := range a.Policies {
		if p.Configured != "" {
			all["policy/"+key] = p.ARN
		}
	}
	return all
}

// drop removes an entity that the configuration has no more.
func (a *account) drop(entity, arn string) {
	a.bury(entity, "")
	kind, key, _ := strings.Cut(entity, "/")
	switch kind {
	case "role":
		delete(a.Roles, key)
	case "user":
		delete(a.Users, key)
	case "policy":
		delete(a.Policies, key)
		a.detach(arn)
	}
}

// detach takes a managed policy from the roles and the users that have it.
func (a *account) detach(arn string) {
	without := func(e entity) entity {
		e = e.clone()
		e.Attached = slices.DeleteFunc(e.Attached, func(has string) bool { return has == arn })
		return e
	}
	for key, r := range a.Roles {
		if slices.Contains(r.Attached, arn) {
			c := *r
			c.entity = without(r.entity)
			a.Roles[key] = &c
		}
	}
	for key, u := range a.Users {
		if slices.Contains(u.Attached, arn) {
			c := *u
			c.entity = without(u.entity)
			a.Users[key] = &c
		}
	}
}

// bury keeps that an entity of the configuration was deleted while its entry had this fingerprint; "" if it has no entry.
func (a *account) bury(entity, mark string) {
	if a.Gone == nil {
		a.Gone = map[string]string{}
	}
	a.Gone[entity] = mark
}

// stays reports whether an entry is as it was at the last start, so that what calls have made of it stays: an entity with
// the fingerprint has, or none.
func (a *account) stays(entity, has, mark string) bool {
	return has == mark || a.Gone[entity] == mark
}

// settle gives the entity of an entry its id: that of the entity that it replaces, else the one of the entry. No id is
// used twice (IAMG reference_identifiers, "Unique identifiers"): once it has been gone, it gets another.
func (a *account) settle(e *entity, at place, old *entity, now time.Time) {
	_, wasGone := a.Gone[at.entity]
	delete(a.Gone, at.entity)
	switch e.Created = now; {
	case old != nil && old.ARN == e.ARN:
		e.ID, e.Created = old.ID, old.Created
	case wasGone || old != nil || e.ID == "":
		prefix := "AROA"
		if strings.HasPrefix(at.entity, "user/") {
			prefix = "AIDA"
		}
		e.ID = newID(prefix)
	}
}

func (s *Store) enterPolicy(d *data, c PolicyConfig, now time.Time) error {
	if err := checkPolicyARN(c.ARN); err != nil {
		return err
	}
	doc, err := managedDocument(c.Document)
	if err != nil {
		return err
	}
	at, mark := placeOf(c.ARN), fingerprint(c)
	p := &managed{
		Path: pathIn(c.ARN), Name: nameOf(c.ARN), ID: newID("ANPA"), ARN: c.ARN, Created: now, Updated: now,
		Versions: []policyVersion{{doc, 1, now}}, Default: 1, Last: 1, Configured: mark,
	}
	has := ""
	old := d.of(at.account).Policies[folded(p.Name)]
	if old != nil {
		p.ID, p.Created, has = old.ID, old.Created, old.Configured
	}
	if d.of(at.account).stays(at.entity, has, mark) {
		return nil
	}
	a := d.accountFor(c.ARN)
	delete(a.Gone, at.entity)
	a.Policies[folded(p.Name)] = p
	return nil
}

func (s *Store) enterRole(d *data, c RoleConfig, now time.Time) error {
	trust, err := newDocument(policy.Trust, c.Trust)
	if err != nil {
		return err
	}
	e, err := configured(c.ARN, c.Permissions)
	if err != nil {
		return err
	}
	e.ID, e.Configured = c.ID, fingerprint(c)
	var old *entity
	if r := d.of(partOf(c.ARN, 4)).Roles[folded(e.Name)]; r != nil {
		old = &r.entity
	}
	a, err := s.replace(d, &e, old, now)
	if a != nil {
		a.Roles[folded(e.Name)] = &Role{entity: e, Trust: trust, MaxSeconds: c.MaxSeconds}
	}
	return err
}

func (s *Store) enterUser(d *data, c UserConfig, now time.Time) error {
	e, err := configured(c.ARN, c.Permissions)
	if err != nil {
		return err
	}
	e.ID, e.Configured = c.ID, fingerprint(c)
	var old *entity
	if u := d.of(partOf(c.ARN, 4)).Users[folded(e.Name)]; u != nil {
		old = &u.entity
	}
	a, err := s.replace(d, &e, old, now)
	if a == nil {
		return err
	}
	u := &User{entity: e}
	for _, id := range sortedKeys(c.Keys) {
		u.Keys = append(u.Keys, accessKey{id, c.Keys[id], active, now})
	}
	a.Users[folded(e.Name)] = u
	return nil
}

// replace returns the account, as a copy in d, in which the entity e of an entry takes the place of old, and gives e its id.
// It returns nil if what is there stays. The managed policies of e must exist. For what stays, calls may have deleted them;
// but the configuration must not have dropped them.
func (s *Store) replace(d *data, e, old *entity, now time.Time) (*account, error) {
	at, has := placeOf(e.ARN), ""
	if old != nil {
		has = old.Configured
	}
	stays := d.of(at.account).stays(at.entity, has, e.Configured)
	for _, name := range append(slices.Clone(e.Attached), e.Boundary) {
		if name == "" || s.visible(d, name, at.account) != nil {
			continue
		}
		if mark, wasThere := d.of(at.account).Gone[placeOf(name).entity]; !stays || wasThere && mark == "" {
			return nil, fmt.Errorf("the managed policy %s does not exist here", name)
		}
	}
	if stays {
		return nil, nil
	}
	a := d.accountFor(e.ARN)
	a.settle(e, at, old, now)
	return a, nil
}

// configured returns the entity of an entry. Its documents are checked as the operations do.
func configured(arn string, p Permissions) (entity, error) {
	kind, rest, _ := strings.Cut(partOf(arn, 5), "/")
	if kind == "" || rest == "" {
		return entity{}, fmt.Errorf("%q is not the ARN of a role or user", arn)
	}
	e := entity{ARN: arn, Name: nameOf(arn), Path: "/" + rest[:strings.LastIndexByte(rest, '/')+1], Boundary: p.Boundary}
	e.Unlimited = len(p.Inline) == 0 && len(p.Attached) == 0
	for _, name := range sortedKeys(p.Inline) {
		doc, err := newDocument(policy.Identity, p.Inline[name])
		if err != nil {
			return entity{}, fmt.Errorf("its policy %s: %w", name, err)
		}
		if e.Inline == nil {
			e.Inline = map[string]document{}
		}
		e.Inline[name] = doc
	}
	e.Attached = slices.Compact(slices.Sorted(slices.Values(p.Attached)))
	return e, nil
}
