package caadvice

import (
	"fmt"

	"kedge/internal/advice"
	"kedge/internal/awsaccount"
	"kedge/internal/cli"
)

// inAccount is about requests to an AWS account with the operator's credentials.
func inAccount() advice.Table {
	return advice.Table{
		advice.CodeWhere(cli.ExitRefused, isRefusal),
		advice.About(aboutAccount),
	}
}

// isRefusal reports whether AWS answered, and refused.
func isRefusal(e *awsaccount.Error) bool {
	switch e.Kind {
	case awsaccount.Configuration, awsaccount.Throttled, awsaccount.Unavailable, awsaccount.Slow, awsaccount.Unreachable:
		return false
	}
	return e.Operation != ""
}

func aboutAccount(e *awsaccount.Error) string {
	if e.Operation == "" && e.Kind != awsaccount.Configuration {
		return "set AWS_PROFILE or give --aws-profile, and see what the SDKs find: aws sts get-caller-identity"
	}
	switch e.Kind {
	case awsaccount.Configuration:
		return "correct it, or give --aws-profile, --region or --endpoint-url"
	case awsaccount.Expired:
		return "get new ones, such as by aws sso login or aws login, and run the same again"
	case awsaccount.NoCredentials:
		return "see whose they are: aws sts get-caller-identity; --aws-profile or AWS_PROFILE selects others"
	case awsaccount.Skew:
		return "set the clock of this machine, by NTP, before a CA issues anything on it"
	case awsaccount.Denied:
		return denied(e)
	case awsaccount.Throttled, awsaccount.Unavailable:
		return "run the same again later, it goes on where it was; health.aws.amazon.com shows outages"
	case awsaccount.Slow, awsaccount.Unreachable:
		return "see whether the network, the proxy in HTTPS_PROXY and the endpoint of that region work: aws sts get-caller-identity; then run the same again, it goes on where it was"
	case awsaccount.Limit:
		return "delete what is not used, or have the quota raised (Service Quotas, IAM and IAM Roles Anywhere); then run the same again"
	case awsaccount.InUse:
		return "run the same again in a minute; if it stays, see what else uses it"
	case awsaccount.NotFound, awsaccount.Exists:
		return "somebody else may be changing the account: run the same again, it reads what is there first"
	}
	return "the text after the colon is AWS's own; once its cause is removed, run the same again"
}

// denied names the right that is missing, as a statement of a policy has it.
func denied(e *awsaccount.Error) string {
	resource := e.Denial.Resource
	if resource == "" {
		resource = "the resource"
	}
	return fmt.Sprintf("have %s on %s allowed for these credentials; if a policy denies it, such as a permissions boundary or one of the organization, that has to change", e.Denial.ActionOf(e.Operation), resource)
}
