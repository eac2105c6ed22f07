package iam

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json/v2"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"kedge/internal/emulator/policy"
)

// Config has the entities that are there before the first call.
type Config struct {
	Policies []PolicyConfig
	Roles    []RoleConfig
	Users    []UserConfig
}

// PolicyConfig is a customer managed policy.
type PolicyConfig struct{ ARN, Document string }

// Permissions are the policies of a role or a user.
type Permissions struct {
	Inline   map[string]string // documents by name
	Attached []string          // ARNs of managed policies
	Boundary string            // ARN of a managed policy; empty: none
}

// RoleConfig is a role. The documents were checked by the caller or are refused here.
type RoleConfig struct {
	ARN                string
	ID                 string // AROA…
	Trust              string
	MaxSessionDuration time.Duration
	Permissions        Permissions
}

// UserConfig is a user with access keys, secrets by ids.
type UserConfig struct {
	ARN         string
	ID          string // AIDA…
	Keys        map[string]string
	Permissions Permissions
}

// Configure puts entities into the store. One that an earlier run put there from the same configuration stays as
// the calls since then have left it; one whose configuration is new or has changed becomes what the
// configuration has, and keeps its id. An entity that was deleted is there again.
func (s *Store) Configure(c Config, now time.Time) error {
	if err := c.checkNames(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &data{accounts: maps.Clone(s.current.Load().accounts)}
	now = now.UTC().Truncate(time.Second)
	for _, p := range c.Policies {
		if err := s.configurePolicy(d, p, now); err != nil {
			return fmt.Errorf("policy %s: %w", p.ARN, err)
		}
	}
	for _, r := range c.Roles {
		if err := s.configureRole(d, r, now); err != nil {
			return fmt.Errorf("role %s: %w", r.ARN, err)
		}
	}
	for _, u := range c.Users {
		if err := s.configureUser(d, u, now); err != nil {
			return fmt.Errorf("user %s: %w", u.ARN, err)
		}
	}
	return s.commit(d)
}

// checkNames refuses two entities of one kind and one name in an account: a path makes no difference, nor does the case
// (IAMG reference_iam-quotas, "IAM name requirements").
func (c Config) checkNames() error {
	var all []string
	for _, p := range c.Policies {
		all = append(all, p.ARN)
	}
	for _, r := range c.Roles {
		all = append(all, r.ARN)
	}
	for _, u := range c.Users {
		all = append(all, u.ARN)
	}
	names := map[[3]string]string{} // ARNs by account, kind and name
	for _, arn := range all {
		kind, _, _ := strings.Cut(partOf(arn, 5), "/")
		name := [3]string{partOf(arn, 4), kind, folded(nameOf(arn))}
		if other, ok := names[name]; ok {
			return fmt.Errorf("%s and %s: an account has one %s of a name, whatever its path and upper or lower case", other, arn, kind)
		}
		names[name] = arn
	}
	return nil
}

// Administrator returns an access key of a user that may do everything. The user is made if it does not exist, or
// has no active key; what calls have made of it since then stays.
func (s *Store) Administrator(arn, id string, now time.Time) (keyID, secret string, err error) {
	if u, ok := s.current.Load().byARN(arn).(*User); ok {
		for _, k := range u.Keys {
			if k.Status == active {
				return k.ID, k.Secret, nil
			}
		}
	}
	k := newKey(now)
	err = s.Configure(Config{Users: []UserConfig{{
		ARN: arn, ID: id, Keys: map[string]string{k.ID: k.Secret},
		Permissions: Permissions{Attached: []string{awsARN(partOf(arn, 1), AdministratorAccess)}},
	}}}, now)
	return k.ID, k.Secret, err
}

// fingerprint identifies the configuration of an entity.
func fingerprint(config any) string {
	content, _ := json.Marshal(config, json.Deterministic(true)) // only strings and numbers are in it
	sum := sha256.Sum256(content)
	return hex.EncodeToString(sum[:])
}

// accountFor returns the account of an ARN as a copy in d that can be changed.
func (d *data) accountFor(arn string) *account {
	next, a := d.edit(partOf(arn, 4))
	d.accounts = next.accounts
	return a
}

func (s *Store) configurePolicy(d *data, c PolicyConfig, now time.Time) error {
	a, mark := d.accountFor(c.ARN), fingerprint(c)
	if err := checkPolicyARN(c.ARN); err != nil {
		return err
	}
	old := a.Policies[folded(nameOf(c.ARN))]
	if old != nil && old.Configured == mark {
		return nil
	}
	doc, err := managedDocument(c.Document)
	if err != nil {
		return err
	}
	p := &managed{
		Path: pathIn(c.ARN), Name: nameOf(c.ARN), ID: newID("ANPA"), ARN: c.ARN, Created: now, Updated: now,
		Versions: []policyVersion{{doc, 1, now}}, Default: 1, Last: 1, Configured: mark,
	}
	if old != nil {
		p.ID, p.Created = old.ID, old.Created
	}
	a.Policies[folded(p.Name)] = p
	return nil
}

func (s *Store) configureRole(d *data, c RoleConfig, now time.Time) error {
	a, mark := d.accountFor(c.ARN), fingerprint(c)
	old := a.Roles[folded(nameOf(c.ARN))]
	if old != nil && old.Configured == mark {
		return nil
	}
	trust, err := newDocument(policy.Trust, c.Trust)
	if err != nil {
		return err
	}
	e, err := s.configured(d, c.ARN, c.Permissions)
	if err != nil {
		return err
	}
	e.ID, e.Created, e.Configured = c.ID, now, mark
	if old != nil {
		e.ID, e.Created = old.ID, old.Created
	}
	a.Roles[folded(e.Name)] = &Role{entity: e, Trust: trust, MaxSeconds: int(c.MaxSessionDuration / time.Second)}
	return nil
}

func (s *Store) configureUser(d *data, c UserConfig, now time.Time) error {
	a, mark := d.accountFor(c.ARN), fingerprint(c)
	old := a.Users[folded(nameOf(c.ARN))]
	if old != nil && old.Configured == mark {
		return nil
	}
	e, err := s.configured(d, c.ARN, c.Permissions)
	if err != nil {
		return err
	}
	e.ID, e.Created, e.Configured = c.ID, now, mark
	if old != nil {
		e.ID, e.Created = old.ID, old.Created
	}
	u := &User{entity: e}
	for _, id := range sortedKeys(c.Keys) {
		u.Keys = append(u.Keys, accessKey{id, c.Keys[id], active, now})
	}
	a.Users[folded(e.Name)] = u
	return nil
}

// configured returns an entity with the permissions of the configuration, checked as the operations do.
func (s *Store) configured(d *data, arn string, p Permissions) (entity, error) {
	kind, rest, _ := strings.Cut(partOf(arn, 5), "/")
	if kind == "" || rest == "" {
		return entity{}, fmt.Errorf("%q is not the ARN of a role or user", arn)
	}
	e := entity{ARN: arn, Name: nameOf(arn), Path: "/" + rest[:strings.LastIndexByte(rest, '/')+1], Boundary: p.Boundary}
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
	for _, name := range append(slices.Clone(e.Attached), p.Boundary) {
		if name != "" && s.visible(d, name, partOf(arn, 4)) == nil {
			return entity{}, fmt.Errorf("the managed policy %s does not exist here", name)
		}
	}
	return e, nil
}
