package awsup

import (
	"bytes"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsaccount"
	"kedge/internal/awsexplain"
	"kedge/internal/awsplan"
	"kedge/internal/awsrights"
	"kedge/internal/cadir"
)

// Sought is what Look reads.
type Sought struct {
	ARNs    awsexplain.ARNs
	Roots   []*x509.Certificate // by which another trust anchor is found, if that one is missing
	Subject string              // distinguished name of the host, RFC 2253; empty: none
}

// Look reads what a host needs in an account, and changes nothing. What the credentials may not read is in the answers,
// and so is what is not there; other errors are those of awsaccount.Call. Of an account or a region that is not
// that of the trust anchor nothing is read, and nothing by ARNs that do not fit: a report can have any text.
func Look(ctx context.Context, a *awsaccount.Account, s Sought) (*awsexplain.Account, error) {
	caller, err := FindCaller(ctx, a)
	if err != nil {
		return nil, err
	}
	found := &awsexplain.Account{ID: caller.Account, Region: a.Region, Caller: caller.ARN}
	anchor, err := cadir.ParseReference(s.ARNs.TrustAnchor, cadir.TrustAnchorARN)
	if err != nil || !s.ARNs.Fit() || anchor.Account != caller.Account || anchor.Region != a.Region {
		return found, nil // which the checks report
	}
	for _, read := range []func() error{
		func() (err error) { found.Anchor, err = lookAnchor(ctx, a, s.ARNs.TrustAnchor); return err },
		func() (err error) { found.Others, err = lookOthers(ctx, a, found.Anchor, s.Roots); return err },
		func() (err error) { found.Lists, err = lookLists(ctx, a, found.Anchor.Value); return err },
		func() (err error) { found.Profile, err = lookProfile(ctx, a, s.ARNs.Profile); return err },
		func() (err error) { found.Role, err = lookRole(ctx, a, s.ARNs.Role); return err },
		func() (err error) { found.Subject, err = lookSubject(ctx, a, s.Subject); return err },
	} {
		if err := read(); err != nil {
			return nil, err
		}
	}
	return found, nil
}

// answerOf returns what came of a request: a right that is missing, and an object that is, are answers.
func answerOf[T any](value *T, err error) (awsexplain.Answer[T], error) {
	if e, ok := errors.AsType[*awsaccount.Error](err); ok {
		switch e.Kind {
		case awsaccount.Denied:
			return awsexplain.Answer[T]{Denied: e.Denial.ActionOf(e.Operation)}, nil
		case awsaccount.NotFound:
			return awsexplain.Answer[T]{}, nil
		}
	}
	return awsexplain.Answer[T]{Value: value}, err
}

func lookAnchor(ctx context.Context, a *awsaccount.Account, arn string) (awsexplain.Answer[awsplan.FoundAnchor], error) {
	return answerOf(func() (*awsplan.FoundAnchor, error) {
		out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.GetTrustAnchor, &rolesanywhere.GetTrustAnchorInput{TrustAnchorId: &arn})
		if err != nil {
			return nil, err
		}
		if out.TrustAnchor == nil {
			return nil, &AnswerError{"rolesanywhere:GetTrustAnchor"}
		}
		anchor := anchorOf(out.TrustAnchor)
		anchor.Tags, err = resourceTags(ctx, a, anchor.ARN)
		return &anchor, err
	}())
}

// lookOthers finds other trust anchors with a root of the CA, if the one that hosts use is missing.
func lookOthers(ctx context.Context, a *awsaccount.Account, anchor awsexplain.Answer[awsplan.FoundAnchor], roots []*x509.Certificate) (awsexplain.Answer[[]string], error) {
	if anchor.Value != nil || anchor.Denied != "" {
		return awsexplain.Answer[[]string]{}, nil
	}
	return answerOf(func() (*[]string, error) {
		var arns []string
		for token := (*string)(nil); ; {
			out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListTrustAnchors, &rolesanywhere.ListTrustAnchorsInput{NextToken: token})
			if err != nil {
				return nil, err
			}
			for i := range out.TrustAnchors {
				other := anchorOf(&out.TrustAnchors[i])
				if slices.ContainsFunc(roots, func(root *x509.Certificate) bool { return slices.ContainsFunc(other.Certificates, root.Equal) }) {
					arns = append(arns, other.ARN)
				}
			}
			if token = out.NextToken; token == nil {
				return &arns, nil
			}
		}
	}())
}

// lookLists returns the lists of the trust anchor.
func lookLists(ctx context.Context, a *awsaccount.Account, anchor *awsplan.FoundAnchor) (awsexplain.Answer[[]awsexplain.List], error) {
	if anchor == nil {
		return awsexplain.Answer[[]awsexplain.List]{}, nil
	}
	return answerOf(func() (*[]awsexplain.List, error) {
		all := []awsexplain.List{}
		for token := (*string)(nil); ; {
			out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListCrls, &rolesanywhere.ListCrlsInput{NextToken: token})
			if err != nil {
				return nil, err
			}
			for _, l := range out.Crls {
				if aws.ToString(l.TrustAnchorArn) == anchor.ARN {
					all = append(all, awsexplain.List{ARN: aws.ToString(l.CrlArn), Enabled: aws.ToBool(l.Enabled), Parsed: parsedList(l.CrlData)})
				}
			}
			if token = out.NextToken; token == nil {
				return &all, nil
			}
		}
	}())
}

// parsedList reads a list, PEM or DER, as it was imported; nil: it is none.
func parsedList(data []byte) *x509.RevocationList {
	if block, _ := pem.Decode(data); block != nil {
		data = block.Bytes
	}
	list, err := x509.ParseRevocationList(bytes.TrimSpace(data))
	if err != nil {
		return nil
	}
	return list
}

func lookProfile(ctx context.Context, a *awsaccount.Account, arn string) (awsexplain.Answer[awsexplain.Profile], error) {
	return answerOf(func() (*awsexplain.Profile, error) {
		out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.GetProfile, &rolesanywhere.GetProfileInput{ProfileId: &arn})
		if err != nil {
			return nil, err
		}
		if out.Profile == nil {
			return nil, &AnswerError{"rolesanywhere:GetProfile"}
		}
		p := &awsexplain.Profile{
			FoundProfile: profileOf(out.Profile), AcceptsSessionName: aws.ToBool(out.Profile.AcceptRoleSessionName),
			SessionPolicy: aws.ToString(out.Profile.SessionPolicy), ManagedPolicies: out.Profile.ManagedPolicyArns, Mapping: map[string][]string{},
		}
		for _, field := range out.Profile.AttributeMappings {
			for _, rule := range field.MappingRules {
				p.Mapping[string(field.CertificateField)] = append(p.Mapping[string(field.CertificateField)], aws.ToString(rule.Specifier))
			}
		}
		return p, nil
	}())
}

// lookRole returns the role with the name in an ARN, and the names of its policies.
func lookRole(ctx context.Context, a *awsaccount.Account, arn string) (awsexplain.Answer[awsplan.FoundRole], error) {
	name := arn[strings.LastIndexByte(arn, '/')+1:]
	return answerOf(func() (*awsplan.FoundRole, error) {
		role, err := readRole(ctx, a, name)
		if err != nil {
			return nil, err
		}
		own, err := inlineNames(ctx, a, name)
		if err != nil {
			return nil, err
		}
		role.Inline = map[string]string{}
		for _, policy := range own {
			role.Inline[policy] = "" // what it allows is not asked for
		}
		return role, nil
	}())
}

// lookSubject returns what AWS has seen of hosts with a distinguished name.
func lookSubject(ctx context.Context, a *awsaccount.Account, name string) (awsexplain.Answer[awsexplain.Subject], error) {
	return answerOf(func() (*awsexplain.Subject, error) {
		for token := (*string)(nil); name != ""; {
			out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.ListSubjects, &rolesanywhere.ListSubjectsInput{NextToken: token})
			if err != nil {
				return nil, err
			}
			for _, s := range out.Subjects {
				if plain(aws.ToString(s.X509Subject)) == plain(name) {
					return lastRequest(ctx, a, s)
				}
			}
			if token = out.NextToken; token == nil {
				break
			}
		}
		return nil, nil
	}())
}

// plain is a distinguished name without the spaces that programs write after commas.
func plain(subject string) string { return strings.ReplaceAll(subject, ", ", ",") }

// lastRequest returns a subject with what came of its last request.
func lastRequest(ctx context.Context, a *awsaccount.Account, s types.SubjectSummary) (*awsexplain.Subject, error) {
	out, err := awsaccount.Call(ctx, a, a.RolesAnywhere.GetSubject, &rolesanywhere.GetSubjectInput{SubjectId: s.SubjectId})
	if err != nil {
		return nil, err
	}
	if out.Subject == nil {
		return nil, &AnswerError{"rolesanywhere:GetSubject"}
	}
	found := &awsexplain.Subject{Enabled: aws.ToBool(s.Enabled), LastSeen: aws.ToTime(s.LastSeenAt)}
	if all := out.Subject.Credentials; len(all) > 0 {
		last := slices.MaxFunc(all, func(a, b types.CredentialSummary) int { return aws.ToTime(a.SeenAt).Compare(aws.ToTime(b.SeenAt)) })
		found.Failed = aws.ToBool(last.Failed)
	}
	return found, nil
}

// LookRights are what Look needs. Everybody may call sts:GetCallerIdentity (STS API Reference).
func LookRights(s awsrights.Scope) []awsrights.Statement {
	return []awsrights.Statement{
		{Sid: "FindObjects", Actions: []string{"rolesanywhere:ListTrustAnchors", "rolesanywhere:ListCrls", "rolesanywhere:ListSubjects"}, Resources: awsrights.Any()},
		{Sid: "ReadObjects", Actions: []string{"rolesanywhere:GetTrustAnchor", "rolesanywhere:GetProfile", "rolesanywhere:GetSubject"}, Resources: s.Of("trust-anchor", "profile", "subject")},
		{Sid: "ReadTags", Actions: []string{"rolesanywhere:ListTagsForResource"}, Resources: s.Of("trust-anchor")},
		{Sid: "ReadRoles", Actions: []string{"iam:GetRole", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"}, Resources: s.AnyRole()},
	}
}
