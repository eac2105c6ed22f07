// Package awsadmin is about what a CA's hosts need in an AWS account: the trust policies of their roles.
//
// [Hosts] selects certificates, and [Trust] is the trust policy that gives these a role and no others.
// [Hosts.Fixed] replaces a pattern of names by what the profiles of the CA put into each certificate of
// such a name and into no other. [Linter] checks trust policies that others wrote, and finds the hosts of
// a ledger that get the role, as the evaluator of the emulator decides.
//
// Nothing here calls AWS, reads a file or keeps state. Comments name where rules come from: "G" and a page
// of the IAM Roles Anywhere User Guide, "IAMG" and a page of the IAM User Guide, "STS" and an operation
// of its API reference.
package awsadmin
