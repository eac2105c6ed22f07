package caadvice

import (
	"kedge/internal/advice"
	"kedge/internal/awskms"
	"kedge/internal/cli"
)

// inKMS is about keys in AWS KMS.
func inKMS() advice.Table {
	return advice.Table{
		advice.CodeWhere(cli.ExitFailed, func(e *awskms.Error) bool { return e.Kind == awskms.Unreachable || e.Kind == awskms.Slow }),
		advice.About(func(e *awskms.TakenError) string {
			return "choose another name; if that is the key that is meant, open it: awskms:key-id=" + e.Alias
		}),
		advice.About(func(e *awskms.UnnamedError) string {
			return "use it as it is, --key '" + e.Key + "', or delete it: aws kms schedule-key-deletion"
		}),
		advice.Kind[*awskms.UnknownError]("see whether there is a new one before anything is run again: aws kms list-keys; a key costs money until it is deleted"),
		advice.About(aboutKMS),
	}
}

func aboutKMS(e *awskms.Error) string {
	if e.OfCredentials() {
		return "run it again later; see where the SDKs find credentials, and whether that answers: aws sts get-caller-identity"
	}
	switch e.Kind {
	case awskms.Throttled:
		return "run it again later; if it stays, have the quota for cryptographic operations of the account raised (Service Quotas, AWS Key Management Service)"
	case awskms.Unavailable:
		return "run it again later; health.aws.amazon.com shows outages of KMS"
	case awskms.Busy:
		return "run it again later; a second CA server with a key of its own takes a part of the load"
	case awskms.Slow, awskms.Unreachable:
		return "see whether the network, the proxy in HTTPS_PROXY and the endpoint of KMS in that region work: aws kms list-keys"
	case awskms.Denied:
		return "allow it in the policy of the credentials or of the key: kms:GetPublicKey and kms:Sign, and to make a key kms:CreateKey and kms:CreateAlias; whose credentials they are: aws sts get-caller-identity"
	case awskms.NoCredentials:
		return "set AWS_PROFILE, or add ;profile=NAME to the URI, and see what the SDKs find: aws sts get-caller-identity; a wrong clock is a reason, too"
	case awskms.Configuration:
		return "correct it, or add ;region=REGION or ;profile=NAME to the URI"
	case awskms.NotFound:
		return "correct the ID, the region or the account: aws kms describe-key --key-id ID --region REGION"
	case awskms.Disabled:
		return "enable it: aws kms enable-key --key-id ID"
	case awskms.PendingDeletion:
		return "if the CA is to live, stop that at once: aws kms cancel-key-deletion --key-id ID, then aws kms enable-key --key-id ID; a deleted key is lost for good"
	case awskms.WrongState:
		return "see its state, and what is to be done about it: aws kms describe-key --key-id ID"
	case awskms.WrongKey:
		return "make one that signs: kedge-ca key create 'awskms:name=NAME;region=REGION'"
	}
	return "see what KMS has: aws kms describe-key --key-id ID"
}
