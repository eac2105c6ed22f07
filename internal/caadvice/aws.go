package caadvice

import (
	"fmt"
	"strings"

	"kedge/internal/advice"
	"kedge/internal/awsadmin"
	"kedge/internal/awsexplain"
	"kedge/internal/cadir"
	"kedge/internal/localca"
)

// atAWS is about policies of roles.
func atAWS() advice.Table {
	return advice.Table{
		advice.Any("give its ARN: --trust-anchor ARN; \"kedge-ca bundle --aws-cli --trust-anchor ARN\" keeps it", awsadmin.ErrNoAnchor),
		advice.Any("name the hosts, or a pattern with more in it than wildcards", awsadmin.ErrNoHosts),
		advice.About(func(e *awsadmin.PatternError) string {
			if e.Wide == "" {
				return "list the names, or give such hosts an OU in a profile of their own and take --ou"
			}
			return fmt.Sprintf("if all of these are meant, write '%s'; otherwise list the names, or give such hosts an OU in a profile of their own and take --ou", e.Wide)
		}),
		advice.Kind[*awsadmin.ValueError]("check the name with kedge-ca who; a value outside that alphabet needs another attribute: --san-uri or --ou"),
		advice.About(aboutLength),
		advice.About(func(e *cadir.UnknownRoleError) string {
			if len(e.Known) == 0 {
				return "describe it under aws: roles: in kedge-ca.yaml, or name the hosts on the command line"
			}
			return "there are " + strings.Join(e.Known, ", ")
		}),
		advice.Kind[*awsadmin.LintError]("with an error, strangers may get the role, hosts may not, or it allows more than they need: write it again with kedge-ca aws policy, and put it at AWS with aws iam update-assume-role-policy"),
		advice.Kind[*awsadmin.MalformedError]("the file has a trust policy as JSON, or what aws iam get-role prints; kedge-ca aws policy writes one"),
		advice.Kind[*awsexplain.CauseError]("below each check that failed is what to do, on standard output"),
		advice.Any("write it on the host: kedge doctor --json > web-01.json", awsexplain.ErrNoReport),
		advice.Kind[*awsexplain.SchemaError]("take kedge and kedge-ca of one version"),
		advice.Kind[*localca.SeveralRolesError]("name the one that it should get: --role NAME"),
		advice.Any("aws rolesanywhere get-profile --profile-id ID > profile.json", awsadmin.ErrNoProfile),
	}
}

func aboutLength(e *awsadmin.LengthError) string {
	const fewer = "give such hosts an OU in a profile of their own and take --ou, take --san-uri with a path of SPIFFE IDs, or spread the names over several roles"
	if e.Length <= awsadmin.MaxTrustLength {
		return fewer + fmt.Sprintf("; or have the quota raised (Service Quotas, IAM, Role trust policy length) and give --max-length %d", awsadmin.MaxTrustLength)
	}
	return fewer
}
