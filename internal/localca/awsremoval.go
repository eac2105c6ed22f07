package localca

import (
	"context"
	"maps"
	"slices"

	"kedge/internal/awsplan"
)

// AWSRemoval is how what is of this CA is known in an account.
type AWSRemoval struct {
	Owners   []awsplan.Owner
	Policies map[string][]string // that aws up has given roles, by their names
}

// AWSRemoval returns how what is of this CA is known in an account.
func (c *CA) AWSRemoval(ctx context.Context) (*AWSRemoval, error) {
	owners, err := c.owners(ctx)
	if err != nil {
		return nil, err
	}
	known, err := c.folder.AWS()
	if err != nil {
		return nil, err
	}
	r := &AWSRemoval{Owners: owners, Policies: map[string][]string{}}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(known.Roles)), slices.Collect(maps.Keys(c.Settings.AWS.Roles))) {
		r.Policies[name] = known.Policies[name]
	}
	return r, nil
}
