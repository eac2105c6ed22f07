package iam

import (
	"fmt"
	"maps"
	"strings"
	"time"
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
	ARN         string
	ID          string // AROA…
	Trust       string
	MaxSeconds  int // the longest session
	Permissions Permissions
}

// UserConfig is a user with access keys, secrets by ids.
type UserConfig struct {
	ARN         string
	ID          string // AIDA…
	Keys        map[string]string
	Permissions Permissions
}

// Configure makes the entries of a configuration entities of the store. The configuration owns them:
//   - An entry that is as it was at the last start stays as calls have left it since then: changed, or deleted.
//   - An entry that is new, or has changed, becomes what the configuration has.
//   - An entity of an earlier configuration that has no entry any more is gone, with its access keys.
//
// What calls have made stays, unless an entry has its name. Configure returns the ARNs of the entities that are gone.
func (s *Store) Configure(c Config, now time.Time) (gone []string, err error) {
	entries, err := c.entries()
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &data{accounts: maps.Clone(s.current.Load().accounts)}
	gone = d.dropOthers(entries)
	if err := s.enter(d, c, now); err != nil {
		return nil, err
	}
	return gone, s.install(d)
}

// Put adds entities, or replaces those of their names, as entries of a configuration that the others stay beside. The
// next Configure without them removes them.
func (s *Store) Put(c Config, now time.Time) error {
	if _, err := c.entries(); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &data{accounts: maps.Clone(s.current.Load().accounts)}
	if err := s.enter(d, c, now); err != nil {
		return err
	}
	return s.install(d)
}

// install stores a snapshot of entries, which takes effect at once.
func (s *Store) install(d *data) error {
	if err := s.commit(d); err != nil {
		return err
	}
	s.settle()
	return nil
}

// enter puts entries into a copy of the accounts.
func (s *Store) enter(d *data, c Config, now time.Time) error {
	now = now.UTC().Truncate(time.Second)
	for _, p := range c.Policies {
		if err := s.enterPolicy(d, p, now); err != nil {
			return fmt.Errorf("policy %s: %w", p.ARN, err)
		}
	}
	for _, r := range c.Roles {
		if err := s.enterRole(d, r, now); err != nil {
			return fmt.Errorf("role %s: %w", r.ARN, err)
		}
	}
	for _, u := range c.Users {
		if err := s.enterUser(d, u, now); err != nil {
			return fmt.Errorf("user %s: %w", u.ARN, err)
		}
	}
	return nil
}

// place is where an entity stands: an account, and its kind and folded name, such as "role/web".
type place struct{ account, entity string }

func placeOf(arn string) place {
	kind, _, _ := strings.Cut(partOf(arn, 5), "/")
	return place{partOf(arn, 4), kind + "/" + folded(nameOf(arn))}
}

// entries returns the ARNs of the entries by their places. It refuses two of one kind and one name in an account: a path
// makes no difference, nor does the case (IAMG reference_iam-quotas, "IAM name requirements").
func (c Config) entries() (map[place]string, error) {
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
	entries := map[place]string{}
	for _, arn := range all {
		at := placeOf(arn)
		if other, ok := entries[at]; ok {
			kind, _, _ := strings.Cut(at.entity, "/")
			return nil, fmt.Errorf("%s and %s: an account has one %s of a name, whatever its path and upper or lower case", other, arn, kind)
		}
		entries[at] = arn
	}
	return entries, nil
}
