package emulator

import (
	"cmp"
	"encoding/json/v2"
	"fmt"
	"slices"
	"time"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/policy"
)

// The roles, users and managed policies of the configuration are in the store of package iam, where calls change
// them like any others.

// openIAM opens the store, and puts into it what the configuration has.
func (e *Emulator) openIAM(c Config) error {
	config, err := c.iam()
	if err != nil {
		return err
	}
	if e.iam, err = iam.Open(c.StateDir); err != nil {
		return err
	}
	c.delayChanges(e.iam)
	gone, err := e.iam.Configure(config, c.Now())
	e.logGone(gone)
	return err
}

// logGone notes what the state folder had from an earlier configuration.
func (e *Emulator) logGone(arns []string) {
	for _, name := range arns {
		e.log.entry(e.config.Now(), name+" is gone: the configuration does not have it any more")
	}
}

// iam returns the configuration of the store.
func (c Config) iam() (iam.Config, error) {
	config := iam.Config{Policies: c.Policies}
	names := map[string]bool{}
	for _, r := range c.Roles {
		if err := once(names, r.ARN, cmp.Or(r.validate(), r.parseTrust())); err != nil {
			return iam.Config{}, err
		}
		config.Roles = append(config.Roles, r.stored())
	}
	users := map[string]int{} // places in config.Users, by ARN
	for _, u := range c.Users {
		if err := once(names, u.AccessKeyID, u.validate()); err != nil {
			return iam.Config{}, err
		}
		i, ok := users[u.ARN]
		if !ok {
			i = len(config.Users)
			users[u.ARN] = i
			config.Users = append(config.Users, iam.UserConfig{ARN: u.ARN, ID: uniqueID("AIDA", u.ARN), Keys: map[string]string{}, Permissions: u.Permissions})
		}
		config.Users[i].Keys[u.AccessKeyID] = u.SecretAccessKey
	}
	return config, nil
}

// once returns err, or an error if the name has been there before.
func once(names map[string]bool, name string, err error) error {
	if err == nil && names[name] {
		err = fmt.Errorf("%s is configured twice", name)
	}
	names[name] = true
	return err
}

// stored returns the role as the store has it.
func (r Role) stored() iam.RoleConfig {
	return iam.RoleConfig{
		ARN: r.ARN, ID: uniqueID("AROA", r.ARN), Trust: r.document(), MaxSeconds: int(r.MaxSessionDuration / time.Second), Permissions: r.Permissions,
	}
}

// document returns the role's trust policy: its own, or one with the conditions of its lists. CreateSession asks
// for the trust anchor only, AssumeRole for actions and external id only; with a list of trust anchors nobody
// but Roles Anywhere may assume the role.
func (r Role) document() string {
	if r.TrustPolicy != "" {
		return r.TrustPolicy
	}
	all := []string{policy.AssumeRole, policy.TagSession, policy.SetSourceIdentity}
	service := statement{Effect: "Allow", Principal: map[string]string{"Service": policy.RolesAnywhere}, Action: all}
	if len(r.TrustAnchorARNs) > 0 {
		service.Condition = map[string]map[string][]string{"ArnEquals": {"aws:SourceArn": r.TrustAnchorARNs}}
	}
	statements := []statement{service}
	if len(r.TrustAnchorARNs) == 0 {
		statements = append(statements, r.everyone(all)...)
	}
	text, _ := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": statements}, json.Deterministic(true)) // only strings
	return string(text)
}

// everyone returns the statements for other callers than Roles Anywhere. sts:ExternalId is a key of sts:AssumeRole
// alone (Service Authorization Reference).
func (r Role) everyone(actions []string) []statement {
	if len(r.Actions) > 0 {
		actions = r.Actions
	}
	s := statement{Effect: "Allow", Principal: map[string]string{"AWS": "*"}, Action: actions}
	if r.ExternalID == "" {
		return []statement{s}
	}
	isAssumeRole := func(action string) bool { return action == policy.AssumeRole }
	s.Action = slices.DeleteFunc(slices.Clone(actions), isAssumeRole)
	var all []statement
	if len(s.Action) > 0 {
		all = append(all, s)
	}
	if slices.ContainsFunc(actions, isAssumeRole) {
		s.Action, s.Condition = []string{policy.AssumeRole}, map[string]map[string][]string{"StringEquals": {"sts:ExternalId": {r.ExternalID}}}
		all = append(all, s)
	}
	return all
}

// statement is one of a trust policy that is made here.
type statement struct {
	Effect    string                         `json:"Effect"`
	Principal map[string]string              `json:"Principal"`
	Action    []string                       `json:"Action"`
	Condition map[string]map[string][]string `json:"Condition,omitzero"`
}

// PutRole adds a role, or replaces the one with the same ARN. A profile must list it. It is for this run alone: at the next
// start a role that the configuration does not have is gone.
func (e *Emulator) PutRole(r Role) error {
	r = e.config.roleDefaults(r, 0)
	if err := cmp.Or(r.validate(), r.parseTrust()); err != nil {
		return err
	}
	return e.iam.Put(iam.Config{Roles: []iam.RoleConfig{r.stored()}}, e.config.Now())
}
