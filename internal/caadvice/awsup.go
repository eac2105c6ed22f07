package caadvice

import (
	"fmt"
	"strings"

	"kedge/internal/advice"
	"kedge/internal/awsadmin"
	"kedge/internal/awsexport"
	"kedge/internal/awsplan"
	"kedge/internal/awsup"
	"kedge/internal/cadir"
	"kedge/internal/cli"
)

// atWork is about the account that kedge-ca aws up makes.
func atWork() advice.Table {
	return advice.Table{
		advice.About(aboutConflict),
		advice.About(func(e *awsplan.MoreError) string {
			if len(e.All) == 0 {
				return ""
			}
			return "add it to policies: of the role if it is meant, or take it from the role: aws iam detach-role-policy or delete-role-policy; without --yes, on a terminal, you can agree to it"
		}),
		advice.Kind[*awsplan.NoPolicyError]("correct the ARN after --policy, or under policies: and permissions_boundary: in kedge-ca.yaml, or create the policy first: aws iam create-policy; a role can get those of its account and AWS's own: aws iam list-policies"),
		advice.Kind[*awsplan.LossError]("see whether somebody still needs them; then run the same without --yes, on a terminal, and agree to it: managed policies stay, those of the role itself are deleted with it"),
		advice.Kind[*awsplan.DisabledError]("find out who disabled it, and why; if hosts may have sessions by it again, run the same without --yes, on a terminal, and agree to it"),
		advice.Kind[*awsup.AnswerError]("see whether a proxy in HTTPS_PROXY or the endpoint answers in the place of AWS: aws sts get-caller-identity"),
		advice.Kind[*awsup.ChangedError]("find out who changed it; run the same again: it shows what differs now, and asks"),
		advice.Kind[*awsup.LostError]("run the same again: it looks for it before it does anything"),
		advice.Kind[*awsup.UnfinishedError]("see what is left with kedge-ca aws plan, and run the same again"),
		advice.Code[*cadir.NewPlaceError](cli.ExitUsage),
		advice.Kind[*cadir.NewPlaceError]("see whether --aws-profile and --region are those that you mean: with --yes nothing is built in another account or region unless you give --new-place, too"),
		advice.Kind[*cadir.SharedRoleError]("give the role of this region a name of its own, such as one that ends with the region"),
		advice.About(func(e *awsup.ProbeError) string {
			if e.Settled {
				return "see whether the trust policy fits hosts: kedge-ca aws plan; a policy of the organization or a permissions boundary may deny it, too; then run the same again"
			}
			return "new roles can take longer than a minute to be known everywhere: run the same again, it tries the role anew"
		}),
		advice.Kind[*awsexport.CharacterError]("kedge-ca aws up and aws export --cli write the character by its number, as \\uXXXX; for Terraform take the character out of the file, or attach a managed policy by its ARN"),
		advice.Kind[*awsexport.TemplateSizeError]("describe fewer roles, or put policies that several roles have into a managed policy and give its ARN; kedge-ca aws up and the other exports have no such limit"),
		advice.Kind[*awsadmin.PermissionsError]("the file has a policy of what the role may do, as JSON: Version, and statements with Effect, Action and Resource"),
	}
}

func aboutConflict(e *awsplan.ConflictError) string {
	switch e.Reason {
	case awsplan.Foreign, awsplan.OtherCA:
		return "choose another name for the role; what others made is neither adopted nor changed"
	case awsplan.Misplaced:
		return fmt.Sprintf("if it is not of this CA, take its tag away: %s; then run the same again", untag(e))
	case awsplan.Twice:
		return "find out which one hosts use (its ARN is in aws.yaml of the CA's folder, and in their profiles); take the tag " + awsplan.TagKey + " from the other one, or delete it"
	case awsplan.OtherCerts:
		return fmt.Sprintf("if it is another CA's, take its tag away: %s; then run the same again, which makes one", untag(e))
	case awsplan.AliasTaken:
		return "set another alias: under aws: in kedge-ca.yaml, or take it from the other one, if no host uses it"
	case awsplan.OtherPath:
		return "set path: under aws: in kedge-ca.yaml to the path that it has, or choose another name for the role"
	}
	return ""
}

// untag is the command line that takes the tag away.
func untag(e *awsplan.ConflictError) string {
	if e.Kind == awsplan.KindRole {
		return "aws iam untag-role --role-name " + e.Name + " --tag-keys " + awsplan.TagKey
	}
	return "aws rolesanywhere untag-resource --resource-arn " + strings.Join(e.ARNs, " ") + " --tag-keys " + awsplan.TagKey
}
