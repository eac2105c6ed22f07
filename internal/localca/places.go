package localca

import (
	"context"
	"slices"

	"kedge/internal/awsaccount"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
)

// Places returns the ARNs in the CA's folder.
func (c *CA) Places() (*cadir.Places, error) { return c.folder.Places() }

// ChangePlaces changes the ARNs in the CA's folder, one process at a time.
func (c *CA) ChangePlaces(ctx context.Context, change func(*cadir.Places)) error {
	unlock, err := c.folder.LockAWS(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	known, err := c.folder.Places()
	if err != nil {
		return err
	}
	change(known)
	return c.folder.WritePlaces(known)
}

// PlacesBesides returns where trust anchors of this CA are known, besides one place.
func (c *CA) PlacesBesides(place cadir.Place) (all []cadir.Place, err error) {
	known, err := c.folder.Places()
	if err != nil {
		return nil, err
	}
	all = known.Others(place)
	for _, arn := range c.allAnchors(known) {
		if at := cadir.PlaceOf(arn); at != place && !slices.Contains(all, at) {
			all = append(all, at)
		}
	}
	return all, nil
}

// PlacesIfNew returns the other places of this CA, if nothing of it is yet in the one that a plan is about.
func (c *CA) PlacesIfNew(p *awsup.Planned) ([]cadir.Place, error) {
	if p.Anchor != "" {
		return nil, nil
	}
	return c.PlacesBesides(p.Place())
}

// CheckRoles returns a *cadir.SharedRoleError if a plan is about a role of another region.
func (c *CA) CheckRoles(p *awsup.Planned) error {
	known, err := c.folder.Places()
	if err != nil {
		return err
	}
	for i := range p.Wanted.Roles {
		if err := known.CheckRole(p.Wanted.Roles[i].Name, p.Place()); err != nil {
			return err
		}
	}
	return nil
}

// PlaceOf returns where an account is used. It makes a request only if the CA has several places: otherwise it returns the
// one that the CA has.
func (c *CA) PlaceOf(ctx context.Context, account *awsaccount.Account) (cadir.Place, error) {
	all, err := c.PlacesBesides(cadir.Place{})
	if err != nil || len(all) == 0 {
		return cadir.Place{}, err
	}
	if len(all) == 1 {
		return all[0], nil
	}
	caller, err := awsup.FindCaller(ctx, account)
	if err != nil {
		return cadir.Place{}, err
	}
	return cadir.Place{Account: caller.Account, Region: account.Region}, nil
}
