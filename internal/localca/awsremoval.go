package localca

import (
	"context"
	"maps"
	"slices"

	"kedge/internal/awsplan"
	"kedge/internal/report"
)

// AWSRemoval is how what is of this CA is known in an account.
type AWSRemoval struct {
	Owners   []awsplan.Owner
	Policies map[string][]string // that aws up has given roles, or the configuration describes, by the names of the roles
	Kept     awsplan.Kept        // what aws up has built, by aws.yaml
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
	r := &AWSRemoval{Owners: owners, Policies: map[string][]string{}, Kept: awsplan.Kept{
		Anchor: known.TrustAnchor, Profile: known.Profile, Roles: known.Roles, Policies: known.Policies, Untried: known.Untried,
	}}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(known.Roles)), slices.Collect(maps.Keys(c.Settings.AWS.Roles))) {
		r.Policies[name] = slices.Concat(known.Policies[name], c.describedPolicies(ctx, name))
	}
	return r, nil
}

// describedPolicies returns the policies of a role by the configuration: aws up may have given it them, and not have come
// to the end. Of a role that cannot be read any more there are none, so that a person is asked.
func (c *CA) describedPolicies(ctx context.Context, name string) []string {
	settings, ok := c.Settings.AWS.Roles[name]
	if !ok {
		return nil
	}
	role, err := c.wantedRole(ctx, name, &settings, new(report.Notes))
	if err != nil {
		return nil
	}
	return role.Policies()
}
