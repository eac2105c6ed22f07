package emulator

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
)

func tag(key, value string) types.Tag { return types.Tag{Key: &key, Value: &value} }

// as is a client with the credentials of an answer.
func (w *stsWorld) as(c *types.Credentials) *sts.Client {
	return w.client(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
}

// TestAssumeRole_transitiveTags: they and the source identity go on along a chain; other tags end
// with their session.
func TestAssumeRole_transitiveTags(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	target, name := w.config.Roles[1].ARN, aws.String("second")
	first, err := w.sessionClient().AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: &target, RoleSessionName: name,
		Tags: []types.Tag{tag("team", "storage"), tag("Stage", "")}, TransitiveTagKeys: []string{"team"},
	})
	if err != nil {
		t.Fatal(err)
	}
	second, err := w.as(first.Credentials).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &target, RoleSessionName: name})
	if err != nil {
		t.Fatal(err)
	}
	s := w.sessions.find(*second.Credentials.AccessKeyId)
	if len(s.Tags) != 1 || s.Tags["team"] != "storage" || !slices.Equal(s.TransitiveTags, []string{"team"}) || s.SourceIdentity != "CN=web-1" {
		t.Errorf("session %+v", s)
	}
	_, err = w.as(second.Credentials).AssumeRole(t.Context(), &sts.AssumeRoleInput{RoleArn: &target, RoleSessionName: name, Tags: []types.Tag{tag("TEAM", "x")}})
	wantAPIError(t, err, "InvalidParameterCombination", "conflicts with a transitive tag key")
}

func TestAssumeRole_trust(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	role := w.config.Roles[1].ARN
	set := func(change func(*Role)) {
		r := Role{ARN: role, MaxSessionDuration: 2 * time.Hour}
		change(&r)
		if err := w.PutRole(r); err != nil {
			t.Fatal(err)
		}
	}
	assume := func(in sts.AssumeRoleInput) error {
		in.RoleArn, in.RoleSessionName = &role, aws.String("second")
		_, err := w.sessionClient().AssumeRole(context.Background(), &in)
		return err
	}
	set(func(r *Role) { r.ExternalID = "2f1c" })
	wantAPIError(t, assume(sts.AssumeRoleInput{}), "AccessDenied", "sts:AssumeRole on resource: "+role)
	wantAPIError(t, assume(sts.AssumeRoleInput{ExternalId: aws.String("other")}), "AccessDenied", "sts:AssumeRole")
	if err := assume(sts.AssumeRoleInput{ExternalId: aws.String("2f1c")}); err != nil {
		t.Error(err)
	}
	set(func(r *Role) { r.Actions = []string{"sts:AssumeRole"} })
	wantAPIError(t, assume(sts.AssumeRoleInput{}), "AccessDenied", "sts:SetSourceIdentity")
	wantAPIError(t, assume(sts.AssumeRoleInput{Tags: []types.Tag{tag("a", "b")}}), "AccessDenied", "sts:TagSession")
	set(func(r *Role) { r.Actions = []string{"sts:AssumeRole", "sts:SetSourceIdentity"} })
	if err := assume(sts.AssumeRoleInput{}); err != nil {
		t.Error(err)
	}
}

func TestAssumeRole_parameters(t *testing.T) {
	t.Parallel()
	w := newSTSWorld(t)
	role := w.config.Roles[1].ARN
	many := make([]types.Tag, 51)
	for i := range many {
		many[i] = tag(strings.Repeat("k", i+1), "v")
	}
	tests := []struct {
		name, code, text string
		in               sts.AssumeRoleInput
	}{
		{"external id", "ValidationError", "externalId", sts.AssumeRoleInput{ExternalId: aws.String("a b")}},
		{"policy", "MalformedPolicyDocument", "Syntax errors", sts.AssumeRoleInput{Policy: aws.String("{")}},
		{"long policy", "ValidationError", "less than or equal to 2048", sts.AssumeRoleInput{Policy: aws.String(strings.Repeat(" ", 2049))}},
		{"policy ARN", "ValidationError", "Invalid ARN", sts.AssumeRoleInput{PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:role/ReadOnlyAccess")}}}},
		{"eleven policies", "ValidationError", "policyArns", sts.AssumeRoleInput{PolicyArns: slices.Repeat([]types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}, 11)}},
		{"51 tags", "ValidationError", "less than or equal to 50", sts.AssumeRoleInput{Tags: many}},
		{"tag twice", "InvalidParameterValue", "case insensitive", sts.AssumeRoleInput{Tags: []types.Tag{tag("a", "1"), tag("A", "2")}}},
		{"tag of AWS", "InvalidParameterValue", "reserved", sts.AssumeRoleInput{Tags: []types.Tag{tag("aws:x", "1")}}},
		{"tag with a comma", "ValidationError", "regular expression", sts.AssumeRoleInput{Tags: []types.Tag{tag("a", "1,2")}}},
		{"transitive, but no tag", "InvalidParameterValue", "must be included", sts.AssumeRoleInput{TransitiveTagKeys: []string{"a"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.in.RoleArn, tt.in.RoleSessionName = &role, aws.String("second")
			_, err := w.sessionClient().AssumeRole(t.Context(), &tt.in)
			wantAPIError(t, err, tt.code, tt.text)
		})
	}
	ok := sts.AssumeRoleInput{
		RoleArn: &role, RoleSessionName: aws.String("second"), Policy: aws.String(readPolicy),
		PolicyArns: []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}},
	}
	if _, err := w.sessionClient().AssumeRole(t.Context(), &ok); err != nil {
		t.Error(err)
	}
}
