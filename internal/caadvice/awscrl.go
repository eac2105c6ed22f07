package caadvice

import (
	"fmt"

	"kedge/internal/advice"
	"kedge/internal/awscrl"
	"kedge/internal/cadir"
	"kedge/internal/localca"
)

// pushed is about lists at IAM Roles Anywhere. It comes before the advice about lists in the CA's folder, which some
// of these errors wrap.
func pushed() advice.Table {
	return advice.Table{
		advice.About(func(e *localca.NoAnchorError) string {
			return fmt.Sprintf("give its ARN once, it is kept: kedge-ca crl --issuer %s --trust-anchor ARN", e.Authority)
		}),
		advice.About(func(e *localca.WrongAccountError) string {
			return fmt.Sprintf("give the profile of that account once in kedge-ca.yaml, under aws: crl: profiles: {%q: NAME}; or push there alone with --aws-profile", e.Want.Account)
		}),
		advice.About(func(e *localca.StaleListError) string {
			return fmt.Sprintf("make a list that has them, and push it: kedge-ca crl --issuer %[1]s; kedge-ca aws crl push --issuer %[1]s", e.Authority)
		}),
		advice.About(func(e *awscrl.NoListError) string {
			return "make it first: kedge-ca crl --issuer " + e.Authority
		}),
		advice.Kind[*awscrl.SizeError]("rotate to a new CA, or issue for shorter times: what has expired leaves the list; until then disable the trust anchor, or deny the hosts in the trust policies of the roles"),
		advice.Kind[*awscrl.BehindError]("if the ledger was restored from an older backup, take the list into it: kedge-ca aws crl push --take-list, and then kedge-ca crl; if another copy of this CA made it, stop that one first"),
		advice.About(func(e *awscrl.ForeignError) string {
			return "somebody copied the tag, or gave the list another content: see what it is, and delete it if nothing needs it: " + deleteCRL(e.ARN)
		}),
		advice.About(func(e *awscrl.UntaggedError) string {
			return fmt.Sprintf("if nothing else manages it, give it the tag: aws rolesanywhere tag-resource --resource-arn %s --tags key=%s,value=%s%s; or %s", e.ARN, e.Key, e.Value, region(e.ARN), deleteCRL(e.ARN))
		}),
		advice.About(func(e *awscrl.FullError) string {
			return "a trust anchor takes two lists; if one is of a CA that is not in use any more: aws rolesanywhere delete-crl --crl-id ARN" + region(e.Anchor)
		}),
		advice.About(func(e *awscrl.OlderError) string {
			return "make a list with a higher number: kedge-ca crl --issuer " + e.Authority
		}),
		advice.Kind[*awscrl.ReadBackError]("something else changes the list, such as another copy of this CA or a pipeline: find it by CloudTrail (UpdateCrl), and run the same again"),
		advice.About(func(e *awscrl.DisabledError) string {
			return "if nobody meant that: aws rolesanywhere enable-crl --crl-id " + e.ARN + region(e.ARN)
		}),
		advice.Kind[*awscrl.AnswerError]("see whether a proxy in HTTPS_PROXY or the endpoint answers in the place of AWS: aws rolesanywhere list-crls"),
		advice.Kind[*awscrl.UnknownOutcomeError]("run the same again: it first looks for the list"),
	}
}

func deleteCRL(arn string) string {
	return "aws rolesanywhere delete-crl --crl-id " + arn + region(arn)
}

// region returns the flag of the AWS CLI for the region of an ARN of IAM Roles Anywhere, with a space before it.
func region(arn string) string {
	for _, kind := range []cadir.ARNKind{cadir.CRLARN, cadir.TrustAnchorARN} {
		if a, err := cadir.ParseARN(arn, kind); err == nil {
			return " --region " + a.Region
		}
	}
	return ""
}
