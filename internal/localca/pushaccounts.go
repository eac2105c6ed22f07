package localca

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"kedge/internal/awsaccount"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
)

// WrongAccountError reports that credentials are of another account than that of a trust anchor.
type WrongAccountError struct {
	Want cadir.Place
	Has  string // account
}

func (e *WrongAccountError) Error() string {
	return fmt.Sprintf("the credentials are of account %s, and the trust anchor is in %s", e.Has, e.Want)
}

// reach is how accounts are reached.
type reach struct {
	config    awsaccount.Config
	profileOf func(account string) string // if config has no profile
}

// reach returns how accounts are reached as a user asks for it.
func (c *CA) reach(config awsaccount.Config) reach {
	return reach{config, func(account string) string { return c.Settings.AWS.CRL.Profiles[account] }}
}

// accounts has an account for each place.
type accounts struct {
	reach
	several bool // whether there are several accounts, so that whose credentials those are matters
	opened  map[cadir.Place]*awsaccount.Account
}

func (r reach) accounts(targets []pushTarget) accounts {
	return accounts{reach: r, several: areSeveral(targets), opened: map[cadir.Place]*awsaccount.Account{}}
}

// areSeveral reports whether targets are in several accounts.
func areSeveral(targets []pushTarget) bool {
	return slices.ContainsFunc(targets, func(t pushTarget) bool { return t.anchor.Account != targets[0].anchor.Account })
}

// in returns the account of a place. Credentials of another one are a *WrongAccountError.
func (a accounts) in(ctx context.Context, place cadir.Place) (*awsaccount.Account, error) {
	if account := a.opened[place]; account != nil {
		return account, nil
	}
	config := a.config
	config.Region, config.Profile = place.Region, cmp.Or(config.Profile, a.profileOf(place.Account))
	account, err := awsaccount.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	if a.several {
		if err := checkAccount(ctx, account, place); err != nil {
			return nil, err
		}
	}
	a.opened[place] = account
	return account, nil
}

func checkAccount(ctx context.Context, account *awsaccount.Account, place cadir.Place) error {
	caller, err := awsup.FindCaller(ctx, account)
	if err == nil && caller.Account != place.Account {
		err = &WrongAccountError{Want: place, Has: caller.Account}
	}
	return err
}

// requestedTargets returns the targets of a request: with a profile those in its account, if there are several accounts.
func (c *CA) requestedTargets(ctx context.Context, r PushRequest) ([]pushTarget, error) {
	all, err := c.pushTargets(ctx, r.Authorities)
	if err != nil || r.Account.Profile == "" || !areSeveral(all) {
		return all, err
	}
	config := r.Account
	config.Region = all[0].anchor.Region
	account, err := awsaccount.Open(ctx, config)
	if err != nil {
		return nil, err
	}
	caller, err := awsup.FindCaller(ctx, account)
	if err != nil {
		return nil, err
	}
	var left []cadir.Place
	targets := slices.DeleteFunc(slices.Clone(all), func(t pushTarget) bool {
		elsewhere := t.anchor.Account != caller.Account
		if elsewhere && !slices.Contains(left, t.place()) {
			left = append(left, t.place())
		}
		return elsewhere
	})
	if len(targets) == 0 {
		return nil, &WrongAccountError{Want: all[0].place(), Has: caller.Account}
	}
	if r.LeftOut != nil {
		r.LeftOut(left)
	}
	return targets, nil
}
