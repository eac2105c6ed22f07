package localca

import (
	"context"

	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/internal/report"
)

// AWSRemoval is how what is of this CA is known in an account.
type AWSRemoval struct {
	Owners   []awsplan.Owner
	Policies map[string][]string // that aws up has given roles, or the configuration describes, by the names of the roles

	known *cadir.Places
}

// AWSRemoval returns how what is of this CA is known in an account.
func (c *CA) AWSRemoval(ctx context.Context) (*AWSRemoval, error) {
	owners, err := c.owners(ctx)
	if err != nil {
		return nil, err
	}
	known, err := c.folder.Places()
	if err != nil {
		return nil, err
	}
	r := &AWSRemoval{Owners: owners, Policies: map[string][]string{}, known: known}
	for name := range c.Settings.AWS.Roles {
		r.Policies[name] = c.describedPolicies(ctx, name)
	}
	for _, at := range known.All {
		for name := range at.Roles {
			r.Policies[name] = append(r.Policies[name], at.Policies[name]...)
		}
	}
	return r, nil
}

// Kept returns what aws up has built in a place, by aws.yaml.
func (r *AWSRemoval) Kept(place cadir.Place) *awsplan.Kept {
	at := r.known.At(place)
	return &awsplan.Kept{Anchor: at.TrustAnchor, Profile: at.Profile, Roles: at.Roles, Policies: at.Policies, Untried: at.Untried}
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
