package awsup

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
)

// Caller is whose credentials the operator has.
type Caller struct {
	ARN       string
	Partition string
	Account   string
}

// Find reads what is in the account: only trust anchors, if only these are wanted. Its calls are as many as there are
// objects and lists, and managed policies that roles are to get. Errors are those of awsaccount.Call.
func Find(ctx context.Context, a *awsaccount.Account, w *awsplan.Wanted) (*awsplan.Found, *Caller, error) {
	caller, err := FindCaller(ctx, a)
	if err != nil {
		return nil, nil, err
	}
	f := &awsplan.Found{Partition: caller.Partition, Account: caller.Account, Region: a.Region}
	if f.Anchors, err = findAnchors(ctx, a); err != nil {
		return nil, nil, err
	}
	if w.OnlyAnchor {
		return f, caller, nil
	}
	if f.Profiles, err = findProfiles(ctx, a); err != nil {
		return nil, nil, err
	}
	for i := range w.Roles {
		role, err := findRole(ctx, a, w.Roles[i].Name)
		if err != nil {
			return nil, nil, err
		}
		if role != nil {
			f.Roles = append(f.Roles, *role)
		}
	}
	if f.NoPolicies, err = missingPolicies(ctx, a, w.Attachments(f)); err != nil {
		return nil, nil, err
	}
	return f, caller, nil
}

// missingPolicies looks for each managed policy that roles are to get, once, and returns the ARNs of those that do not
// exist.
func missingPolicies(ctx context.Context, a *awsaccount.Account, all []awsplan.Attachment) (missing []string, err error) {
	looked := map[string]bool{}
	for _, one := range all {
		if looked[one.Policy] {
			continue
		}
		looked[one.Policy] = true
		_, err := awsaccount.Call(ctx, a, a.IAM.GetPolicy, &iam.GetPolicyInput{PolicyArn: &one.Policy})
		if awsaccount.Is(err, awsaccount.NotFound) {
			missing = append(missing, one.Policy)
		} else if err != nil {
			return nil, err
		}
	}
	return missing, nil
}

// FindCaller returns whose credentials the account is used with. Errors are those of awsaccount.Call.
func FindCaller(ctx context.Context, a *awsaccount.Account) (*Caller, error) {
	out, err := awsaccount.Call(ctx, a, a.STS.GetCallerIdentity, &sts.GetCallerIdentityInput{})
	if err != nil {
		return nil, err
	}
	if out.Arn == nil || out.Account == nil {
		return nil, &AnswerError{"sts:GetCallerIdentity"}
	}
	return &Caller{ARN: *out.Arn, Partition: cadir.PartitionOf(*out.Arn), Account: *out.Account}, nil
}

func findAnchors(ctx context.Context, a *awsaccount.Account) (all []awsplan.FoundAnchor, err error) {
	for token := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListTrustAnchors, &rolesanywhere.ListTrustAnchorsInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.TrustAnchors {
			anchor := anchorOf(&out.TrustAnchors[i])
			if anchor.Tags, err = resourceTags(ctx, a, anchor.ARN); err != nil {
				return nil, err
			}
			all = append(all, anchor)
		}
		if token = out.NextToken; token == nil {
			return all, nil
		}
	}
}

func findProfiles(ctx context.Context, a *awsaccount.Account) (all []awsplan.FoundProfile, err error) {
	for token := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListProfiles, &rolesanywhere.ListProfilesInput{NextToken: token})
		if err != nil {
			return nil, err
		}
		for i := range out.Profiles {
			profile := profileOf(&out.Profiles[i])
			if profile.Tags, err = resourceTags(ctx, a, profile.ARN); err != nil {
				return nil, err
			}
			all = append(all, profile)
		}
		if token = out.NextToken; token == nil {
			return all, nil
		}
	}
}

// resourceTags returns the tags of a resource of IAM Roles Anywhere; none, if it was deleted meanwhile.
func resourceTags(ctx context.Context, a *awsaccount.Account, arn string) (map[string]string, error) {
	out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListTagsForResource, &rolesanywhere.ListTagsForResourceInput{ResourceArn: &arn})
	if awsaccount.Is(err, awsaccount.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return tagsOf(out.Tags), nil
}

func tagsOf(tags []types.Tag) map[string]string {
	all := map[string]string{}
	for _, tag := range tags {
		all[*tag.Key] = *tag.Value
	}
	return all
}

// findRole returns a role with its policies; nil: there is none.
func findRole(ctx context.Context, a *awsaccount.Account, name string) (*awsplan.FoundRole, error) {
	role, err := readRole(ctx, a, name)
	if awsaccount.Is(err, awsaccount.NotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	role.Inline, err = inlinePolicies(ctx, a, name)
	return role, err
}

// readRole returns a role with the policies that are attached to it, and without those of its own.
func readRole(ctx context.Context, a *awsaccount.Account, name string) (*awsplan.FoundRole, error) {
	out, err := awsaccount.Call(ctx, a, a.IAM.GetRole, &iam.GetRoleInput{RoleName: &name})
	if err != nil {
		return nil, err
	}
	if out.Role == nil {
		return nil, &AnswerError{"iam:GetRole"}
	}
	role, err := roleOf(out.Role)
	if err == nil {
		role.Attached, err = attachedPolicies(ctx, a, name)
	}
	return role, err
}

func attachedPolicies(ctx context.Context, a *awsaccount.Account, role string) (arns []string, err error) {
	for marker := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.IAM.ListAttachedRolePolicies, &iam.ListAttachedRolePoliciesInput{RoleName: &role, Marker: marker})
		if err != nil {
			return nil, err
		}
		for _, policy := range out.AttachedPolicies {
			arns = append(arns, *policy.PolicyArn)
		}
		if marker = out.Marker; !out.IsTruncated {
			return arns, nil
		}
	}
}

// inlinePolicies returns the policies of its own that a role has, by their names.
func inlinePolicies(ctx context.Context, a *awsaccount.Account, role string) (map[string]string, error) {
	names, err := inlineNames(ctx, a, role)
	if err != nil {
		return nil, err
	}
	all := map[string]string{}
	for _, name := range names {
		policy, err := awsaccount.Call(ctx, a, a.IAM.GetRolePolicy, &iam.GetRolePolicyInput{RoleName: &role, PolicyName: &name})
		if err != nil {
			return nil, err
		}
		if policy.PolicyDocument == nil {
			return nil, &AnswerError{"iam:GetRolePolicy"}
		}
		if all[name], err = decoded(*policy.PolicyDocument); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func inlineNames(ctx context.Context, a *awsaccount.Account, role string) (names []string, err error) {
	for marker := (*string)(nil); ; {
		out, err := awsaccount.Call(ctx, a, a.IAM.ListRolePolicies, &iam.ListRolePoliciesInput{RoleName: &role, Marker: marker})
		if err != nil {
			return nil, err
		}
		names = append(names, out.PolicyNames...)
		if marker = out.Marker; !out.IsTruncated {
			return names, nil
		}
	}
}
