package iam

import (
	"encoding/json/v2"
	"errors"
	"fmt"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/state"
)

// Service is the name of the service, which requests are signed for, and of its folder in the state folder.
const Service = "iam"

// Open returns a store that is kept in the state folder dir, by a document for each account. A call that changes
// something is stored before it is answered. If dir is empty, nothing is kept.
func Open(dir string) (*Store, error) {
	s := New()
	var err error
	if s.folder, err = state.Open(dir, Service); err != nil {
		return nil, err
	}
	d := &data{accounts: map[string]*account{}}
	err = s.folder.Each(func(number string, content []byte) error {
		a := newAccount()
		if json.Unmarshal(content, a, json.RejectUnknownMembers(true)) != nil {
			return state.ErrDamaged
		}
		d.accounts[number] = a
		if err := a.parse(); err != nil {
			return fmt.Errorf("%w: %w", state.ErrDamaged, err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	d.index()
	s.current.Store(d)
	return s, nil
}

// parse parses the documents, and checks that every entity stands where lookups expect it.
func (a *account) parse() error {
	if a.Roles == nil || a.Users == nil || a.Policies == nil {
		return errors.New("a list is missing")
	}
	if err := a.parseRoles(); err != nil {
		return err
	}
	for key, u := range a.Users {
		if u == nil || u.misplaced(key) {
			return fmt.Errorf("user %q is damaged", key)
		}
		if err := u.parse(); err != nil {
			return fmt.Errorf("user %s: %w", u.Name, err)
		}
	}
	for key, p := range a.Policies {
		if p == nil || folded(p.Name) != key || p.ARN == "" || len(p.Versions) == 0 {
			return fmt.Errorf("policy %q is damaged", key)
		}
		if err := p.parse(); err != nil {
			return fmt.Errorf("policy %s: %w", p.Name, err)
		}
	}
	return nil
}

func (a *account) parseRoles() error {
	for key, r := range a.Roles {
		if r == nil || r.misplaced(key) {
			return fmt.Errorf("role %q is damaged", key)
		}
		if err := errors.Join(r.Trust.parse(policy.Trust), r.parse()); err != nil {
			return fmt.Errorf("role %s: %w", r.Name, err)
		}
	}
	return nil
}

func (p *managed) parse() error {
	for i := range p.Versions {
		if err := p.Versions[i].parse(policy.Identity); err != nil {
			return err
		}
	}
	return nil
}

func (e *entity) misplaced(key string) bool {
	return folded(e.Name) != key || e.ARN == "" || e.ID == ""
}

func (e *entity) parse() error {
	for name, d := range e.Inline {
		if err := d.parse(policy.Identity); err != nil {
			return err
		}
		e.Inline[name] = d
	}
	return nil
}

func (d *document) parse(kind policy.Kind) error {
	var err error
	*d, err = newDocument(kind, d.Text)
	return err
}
