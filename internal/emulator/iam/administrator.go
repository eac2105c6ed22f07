package iam

import (
	"maps"
	"slices"
	"strconv"
	"time"
)

// Administrator is a user that may do everything, with an access key.
type Administrator struct{ ARN, AccessKeyID, SecretAccessKey string }

// Administrator returns the administrator of an account, who is no entry of a configuration. If there is none, a user
// with this ARN is made. If another user has the name, it is the next name that is free: no user is overwritten. Without an
// active key the administrator gets one, in the place of the oldest if there are two. What calls have made of the user
// otherwise stays.
func (s *Store) Administrator(arn string, now time.Time) (Administrator, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := &data{accounts: maps.Clone(s.current.Load().accounts)}
	a := d.accountFor(arn)
	u := a.administrator()
	if u == nil {
		u = a.newAdministrator(arn, now)
	}
	for _, k := range u.Keys {
		if k.Status == active {
			return Administrator{u.ARN, k.ID, k.Secret}, nil
		}
	}
	changed := *u
	changed.Keys = slices.Clone(u.Keys)
	if len(changed.Keys) >= maxKeys {
		changed.Keys = changed.Keys[1:]
	}
	k := newKey(now.UTC().Truncate(time.Second))
	changed.Keys = append(changed.Keys, k)
	a.Users[folded(u.Name)] = &changed
	return Administrator{u.ARN, k.ID, k.Secret}, s.install(d)
}

// administrator returns the user that [Store.Administrator] made, or nil.
func (a *account) administrator() *User {
	for _, u := range a.Users {
		if u.Administrator {
			return u
		}
	}
	return nil
}

func (a *account) newAdministrator(arn string, now time.Time) *User {
	free := arn
	for n := 2; a.Users[folded(nameOf(free))] != nil; n++ {
		free = arn + "-" + strconv.Itoa(n)
	}
	return &User{Administrator: true, entity: entity{
		Path: "/", Name: nameOf(free), ID: newID("AIDA"), ARN: free, Created: now.UTC().Truncate(time.Second),
		Attached: []string{awsARN(partOf(arn, 1), AdministratorAccess)},
	}}
}
