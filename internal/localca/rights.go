package localca

import (
	"cmp"
	"context"
	"slices"

	"kedge/internal/awscrl"
	"kedge/internal/awshosts"
	"kedge/internal/awsrights"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
)

// Rights returns what each command that uses an account at AWS needs there, by its name for kedge-ca aws permissions.
func Rights() map[string]func(awsrights.Scope) []awsrights.Statement {
	return map[string]func(awsrights.Scope) []awsrights.Statement{
		"plan": awsup.PlanRights, "up": awsup.UpRights, "status": awsup.StatusRights, "down": awsup.DownRights, "rotate": awsup.RotateRights, "hosts": awshosts.Rights,
		"explain":  awsup.LookRights,
		"crl-push": awscrl.PushRights, "crl-status": awscrl.StateRights,
	}
}

// RightsScope returns what rights for this CA at AWS are limited to: its objects, in the account and region of its trust
// anchor; of several, the first one in the account and region that are given. What is given, and not empty, takes
// precedence; roles are those of the configuration otherwise. What is not known is "*".
func (c *CA) RightsScope(ctx context.Context, given awsrights.Scope) (awsrights.Scope, error) {
	owners, err := c.owners(ctx)
	if err != nil {
		return awsrights.Scope{}, err
	}
	anchors, err := c.TrustAnchors()
	if err != nil {
		return awsrights.Scope{}, err
	}
	anchor := anchorIn(anchors, given)
	known := cadir.PlaceOf(anchor)
	partition := cmp.Or(cadir.PartitionOf(anchor), "aws")
	s := awsrights.Scope{
		Partition: cmp.Or(given.Partition, partition), Account: cmp.Or(given.Account, known.Account, "*"), Region: cmp.Or(given.Region, known.Region, "*"),
		Owners: owners, Roles: given.Roles,
	}
	if len(s.Roles) == 0 {
		path := c.Settings.AWS.Complete().Path
		for name := range c.Settings.AWS.Roles {
			s.Roles = append(s.Roles, path+name)
		}
		slices.Sort(s.Roles)
	}
	return s, nil
}

// anchorIn returns the first trust anchor in the account and region that are given, or else in the account; empty: there is
// none.
func anchorIn(anchors []string, given awsrights.Scope) string {
	for _, region := range []string{given.Region, ""} {
		for _, arn := range anchors {
			at := cadir.PlaceOf(arn)
			if at.Account == cmp.Or(given.Account, at.Account) && at.Region == cmp.Or(region, at.Region) {
				return arn
			}
		}
	}
	return ""
}
