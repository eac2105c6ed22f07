package awsup

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
)

// Removal is what is known of a CA in an account.
type Removal struct {
	Owners  []awsplan.Owner
	Planned map[string][]string // policies of roles by the plan, ARNs or names, by the names of the roles
}

// FindAll reads what may be of a CA in the account. Roles are looked for among all, by the ARNs of the trust anchor in
// their trust policies and by the profiles, and by the names that are known. Errors are those of awsaccount.Call.
func FindAll(ctx context.Context, a *awsaccount.Account, r Removal) (*awsplan.Found, *Caller, error) {
	found, caller, err := Find(ctx, a, &awsplan.Wanted{})
	if err != nil {
		return nil, nil, err
	}
	if found.CRLs, err = findCRLs(ctx, a); err != nil {
		return nil, nil, err
	}
	names, err := roleNames(ctx, a, found, r)
	if err != nil {
		return nil, nil, err
	}
	for _, name := range names {
		role, err := findRole(ctx, a, name)
		if err != nil {
			return nil, nil, err
		}
		if role != nil {
			found.Roles = append(found.Roles, *role)
		}
	}
	return found, caller, nil
}

// PrepareDown reads what is of a CA in the account, and plans its end. Errors are those of FindAll.
func PrepareDown(ctx context.Context, a *awsaccount.Account, r Removal) (*Planned, error) {
	found, caller, err := FindAll(ctx, a, r)
	if err != nil {
		return nil, err
	}
	return &Planned{Plan: awsplan.Down(r.Owners, r.Planned, found), Found: found, Caller: caller}, nil
}

func findCRLs(ctx context.Context, a *awsaccount.Account) (all []awsplan.FoundCRL, err error) {
	for token := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListCrls, &rolesanywhere.ListCrlsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.Crls {
			list := awsplan.FoundCRL{ARN: aws.ToString(out.Crls[i].CrlArn), Name: aws.ToString(out.Crls[i].Name), Anchor: aws.ToString(out.Crls[i].TrustAnchorArn)}
			if list.Tags, err = resourceTags(ctx, a, list.ARN); err != nil {
				return nil, err
			}
			all = append(all, list)
		}
		if token = out.NextToken; token == nil {
			return all, nil
		}
	}
}

// roleNames returns the names of roles that may be the CA's.
func roleNames(ctx context.Context, a *awsaccount.Account, found *awsplan.Found, r Removal) (names []string, err error) {
	for name := range r.Planned {
		names = append(names, name)
	}
	own := ownARNs(found, r.Owners)
	for marker := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.IAM.ListRoles, &iam.ListRolesInput{Marker: marker})
		if err != nil {
			return nil, err
		}
		for i := range out.Roles {
			role, err := roleOf(&out.Roles[i])
			if err != nil {
				return nil, err
			}
			if slices.ContainsFunc(own, func(arn string) bool { return role.ARN == arn || strings.Contains(role.Trust, arn) }) {
				names = append(names, role.Name)
			}
		}
		if marker = out.Marker; !out.IsTruncated {
			slices.Sort(names)
			return slices.Compact(names), nil
		}
	}
}

// ownARNs returns the ARNs of the CA's trust anchors, and of the roles in its profiles.
func ownARNs(found *awsplan.Found, owners []awsplan.Owner) (arns []string) {
	for _, anchor := range found.Anchors {
		if awsplan.Owns(owners, anchor.Tags) {
			arns = append(arns, anchor.ARN)
		}
	}
	for _, profile := range found.Profiles {
		if awsplan.Owns(owners, profile.Tags) {
			arns = append(arns, profile.Roles...)
		}
	}
	return arns
}

// DoDown does the steps in their order. What is gone already is no error: somebody else, or a call whose answer was
// lost, has deleted it. done is called after each. Errors are those of awsaccount.Call; what was done until then stays
// done, and the next plan goes on from there.
func (p *Planned) DoDown(ctx context.Context, a *awsaccount.Account, done func(*awsplan.Step)) error {
	for i := range p.Steps {
		if err := remove(ctx, a, p.Steps[i].Change); err != nil && !awsaccount.Is(err, awsaccount.NotFound) {
			return err
		}
		done(&p.Steps[i])
	}
	return nil
}

func remove(ctx context.Context, a *awsaccount.Account, change awsplan.Change) (err error) {
	switch c := change.(type) {
	case awsplan.DeleteProfile:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.DeleteProfile, &rolesanywhere.DeleteProfileInput{ProfileId: &c.ARN})
	case awsplan.DeleteAnchor:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.DeleteTrustAnchor, &rolesanywhere.DeleteTrustAnchorInput{TrustAnchorId: &c.ARN})
	case awsplan.DeleteCRL:
		_, err = awsaccount.Call(ctx, a, a.RolesAnywhere.DeleteCrl, &rolesanywhere.DeleteCrlInput{CrlId: &c.ARN})
	case awsplan.DetachPolicy:
		_, err = awsaccount.Call(ctx, a, a.IAM.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: &c.Role, PolicyArn: &c.ARN})
	case awsplan.DeletePolicy:
		_, err = awsaccount.Call(ctx, a, a.IAM.DeleteRolePolicy, &iam.DeleteRolePolicyInput{RoleName: &c.Role, PolicyName: &c.Policy})
	case awsplan.DeleteRole:
		_, err = awsaccount.Call(ctx, a, a.IAM.DeleteRole, &iam.DeleteRoleInput{RoleName: &c.Role})
	}
	return err
}
