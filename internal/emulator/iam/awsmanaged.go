package iam

import (
	"strings"
	"time"

	"kedge/internal/emulator/policy"
)

// awsAccount stands in the ARNs of AWS's own managed policies.
const awsAccount = "aws"

func awsARN(partition, name string) string {
	return "arn:" + partition + ":iam::" + awsAccount + ":policy/" + name
}

// AdministratorAccess is the name of AWS's policy that allows everything.
const AdministratorAccess = "AdministratorAccess"

// awsManaged returns a few of AWS's managed policies, by ARN, in each partition that the emulator has: those
// that the examples of the guides attach, and that of the service-linked role. Their documents are those of the
// AWS Managed Policy Reference.
func awsManaged() map[string]*managed {
	all := map[string]*managed{}
	created := time.Date(2015, 2, 6, 18, 39, 46, 0, time.UTC) // of AdministratorAccess; of all of them, which is ours
	for _, p := range []struct{ name, statement string }{
		{AdministratorAccess, `{"Effect":"Allow","Action":"*","Resource":"*"}`},
		{"AmazonS3FullAccess", `{"Effect":"Allow","Action":["s3:*","s3-object-lambda:*"],"Resource":"*"}`},
		{"AmazonS3ReadOnlyAccess", `{"Effect":"Allow","Action":["s3:Get*","s3:List*","s3:Describe*","s3-object-lambda:Get*","s3-object-lambda:List*"],"Resource":"*"}`},
		{"IAMFullAccess", `{"Effect":"Allow","Action":["iam:*","organizations:DescribeAccount","organizations:DescribeOrganization","organizations:DescribeOrganizationalUnit","organizations:DescribePolicy","organizations:ListChildren","organizations:ListParents","organizations:ListPoliciesForTarget","organizations:ListRoots","organizations:ListPolicies","organizations:ListTargetsForPolicy"],"Resource":"*"}`},
		{"IAMReadOnlyAccess", `{"Effect":"Allow","Action":["iam:GenerateCredentialReport","iam:GenerateServiceLastAccessedDetails","iam:Get*","iam:List*","iam:SimulateCustomPolicy","iam:SimulatePrincipalPolicy"],"Resource":"*"}`},
		{"aws-service-role/AWSRolesAnywhereServicePolicy", `{"Effect":"Allow","Action":"cloudwatch:PutMetricData","Resource":"*","Condition":{"StringEquals":{"cloudwatch:namespace":["AWS/RolesAnywhere","AWS/Usage"]}}},{"Effect":"Allow","Action":["acm-pca:GetCertificateAuthorityCertificate","acm-pca:DescribeCertificateAuthority"],"Resource":"arn:aws:acm-pca:*:*:*"}`},
	} {
		text := `{"Version":"2012-10-17","Statement":[` + p.statement + `]}`
		parsed, err := policy.Parse(policy.Identity, []byte(text))
		if err != nil {
			continue // a test has each of them parsed
		}
		for _, partition := range partitions() {
			arn := awsARN(partition, p.name)
			all[arn] = &managed{
				Path: pathIn(arn), Name: nameOf(arn), ID: "ANPA" + strings.ToUpper(nameOf(arn) + strings.Repeat("A", 17))[:17], ARN: arn,
				Created: created, Updated: created, Versions: []policyVersion{{document{text, parsed}, 1, created}}, Default: 1, Last: 1,
			}
		}
	}
	return all
}

func partitions() []string {
	return []string{"aws", "aws-cn", "aws-us-gov", "aws-eusc", "aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f"}
}
