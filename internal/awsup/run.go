package awsup

import (
	"context"
	"slices"
	"strings"
	"time"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
)

// Planned is a plan, and what it was made from.
type Planned struct {
	*awsplan.Plan
	Wanted *awsplan.Wanted
	Found  *awsplan.Found
	Caller *Caller
}

// Place returns the account and the region that the plan is about.
func (p *Planned) Place() cadir.Place {
	return cadir.Place{Account: p.Found.Account, Region: p.Found.Region}
}

// Prepare reads the account, and plans. Errors are those of Find and awsplan.New.
func Prepare(ctx context.Context, a *awsaccount.Account, w *awsplan.Wanted) (*Planned, error) {
	found, caller, err := Find(ctx, a, w)
	if err != nil {
		return nil, err
	}
	plan, err := awsplan.New(w, found)
	if err != nil {
		return nil, err
	}
	return &Planned{Plan: plan, Wanted: w, Found: found, Caller: caller}, nil
}

// UnfinishedError reports that each step was done, and that the account is not what it should be.
type UnfinishedError struct{ Step string } // the text of the first step that is left

func (e *UnfinishedError) Error() string {
	return "each step was done, but AWS shows something else: somebody has changed the account meanwhile. What is left: " + e.Step
}

// LostError reports that the answer of a call that creates something was lost, and that it is not there, as far as AWS
// shows.
type LostError struct {
	Step string
	Err  error
}

func (e *LostError) Error() string {
	return "it is not known whether AWS did it, " + e.Step + ": " + e.Err.Error()
}

// Unwrap returns why there was no answer.
func (e *LostError) Unwrap() error { return e.Err }

// run is a plan that is carried out.
type run struct {
	account *awsaccount.Account
	wanted  *awsplan.Wanted
	planned *awsplan.Found // what the plan was made from
	found   *awsplan.Found // what was read since
	anchor  string         // ARN; empty: not created yet
}

// Do does the steps in their order, and reads the account again: the result has no steps. done is called after each.
// Errors are those of awsaccount.Call, *awsplan.ConflictError, *ChangedError, *LostError and *UnfinishedError; what was done until then
// stays, and the next plan goes on from there.
func (p *Planned) Do(ctx context.Context, a *awsaccount.Account, done func(*awsplan.Step)) (*Planned, error) {
	if len(p.Steps) == 0 {
		return p, nil
	}
	found := *p.Found
	found.Roles = slices.Clone(found.Roles)
	r := &run{account: a, wanted: p.Wanted, planned: p.Found, found: &found, anchor: p.Anchor}
	for i := range p.Steps {
		if err := r.step(ctx, &p.Steps[i]); err != nil {
			return nil, err
		}
		done(&p.Steps[i])
	}
	return r.confirm(ctx)
}

func (r *run) step(ctx context.Context, s *awsplan.Step) error {
	change := r.resolve(s.Change)
	if s.ARN == "" && creates(change) {
		return r.create(ctx, s, change)
	}
	if s.ARN != "" && awsplan.Replaces(change) {
		if needed, err := r.mayReplace(ctx, s, change); err != nil || !needed {
			return err
		}
	}
	return r.do(ctx, change)
}

// resolve writes the ARN of the trust anchor that was created meanwhile into the trust policies of roles.
func (r *run) resolve(change awsplan.Change) awsplan.Change {
	known := func(document string) string { return strings.ReplaceAll(document, r.found.NewAnchor(), r.anchor) }
	switch c := change.(type) {
	case awsplan.CreateRole:
		c.Document = known(c.Document)
		return c
	case awsplan.SetTrust:
		c.Document = known(c.Document)
		return c
	}
	return change
}

// The waits for what a service shows late.
const (
	lookWait = 2 * time.Second
	looks    = 4
)

// confirm reads the account until it is as planned. IAM shows changes some seconds late (IAM User Guide, "Changes that
// I make are not always immediately visible").
func (r *run) confirm(ctx context.Context) (*Planned, error) {
	for n := 1; ; n++ {
		now, err := Prepare(ctx, r.account, r.wanted)
		if err != nil || len(now.Steps) == 0 {
			return now, err
		}
		if n == looks {
			return nil, &UnfinishedError{now.Steps[0].Text}
		}
		if err := r.account.Sleep(ctx, lookWait); err != nil {
			return nil, err
		}
	}
}

// needed reads what a step is about, and reports whether the step is still to be done.
func (r *run) needed(ctx context.Context, s *awsplan.Step) (_ bool, err error) {
	switch s.Kind {
	case awsplan.KindAnchor:
		r.found.Anchors, err = findAnchors(ctx, r.account)
	case awsplan.KindProfile:
		r.found.Profiles, err = findProfiles(ctx, r.account)
	case awsplan.KindRole:
		err = r.findRole(ctx, s.Name)
	}
	if err != nil {
		return false, err
	}
	plan, err := awsplan.New(r.wanted, r.found)
	if err != nil {
		return false, err
	}
	if plan.Anchor != "" {
		r.anchor = plan.Anchor
	}
	return slices.ContainsFunc(plan.Steps, func(other awsplan.Step) bool { return other.ID() == s.ID() }), nil
}

func (r *run) findRole(ctx context.Context, name string) error {
	found, err := findRole(ctx, r.account, name)
	if err != nil {
		return err
	}
	r.found.Roles = slices.DeleteFunc(r.found.Roles, func(other awsplan.FoundRole) bool { return other.Name == name })
	if found != nil {
		r.found.Roles = append(r.found.Roles, *found)
	}
	return nil
}
