// Package awsaccount makes requests to an AWS account with the operator's own credentials: to IAM Roles
// Anywhere, IAM and STS.
//
//	account, err := awsaccount.Open(ctx, awsaccount.Config{Profile: "admin"})
//	made, err := awsaccount.Call(ctx, account, account.IAM.CreateRole, &iam.CreateRoleInput{…})
//
// [Call] is the way to each operation. It bounds how long a request takes and how often it is repeated, makes one
// change a second, and returns an [*Error] whose Kind names what went wrong. What creates something is repeated
// only if AWS refused it as one request too many: after a lost answer it may be there, and neither service takes
// a token that makes a second request the same as the first. [Error.MayBeDone] reports that.
//
// Credentials, region and endpoints come from where the AWS SDKs have them: the environment and the files in
// ~/.aws. Only kedge-ca links it.
package awsaccount
