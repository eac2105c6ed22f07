// Package awsexport writes what hosts of a CA need in an account at AWS for other tools than kedge-ca: as a script for
// the AWS CLI, for Terraform, or for CloudFormation.
//
// What they build is what "kedge-ca aws up" builds, with its tags, so that it finds its objects afterwards. Each
// default is written out: a member that is absent may keep a former value, and may have another default tomorrow. The
// functions read nothing and call nobody; the same input gives the same text.
package awsexport
