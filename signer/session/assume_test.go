package session

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const otherRole = "arn:aws:iam::444455556666:role/path/hub"

// TestChain_Endpoint holds the addresses against those that the SDK's STS package finds.
func TestChain_Endpoint(t *testing.T) {
	t.Parallel()
	for partition, region := range map[string]string{
		"aws": "eu-west-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1", "aws-eusc": "eusc-de-east-1",
		"aws-iso": "us-iso-east-1", "aws-iso-b": "us-isob-east-1", "aws-iso-e": "eu-isoe-west-1", "aws-iso-f": "us-isof-south-1",
	} {
		in := strings.NewReplacer("arn:aws:", "arn:"+partition+":", "eu-west-1", region)
		for _, variant := range []struct{ fips, dual bool }{{}, {fips: true}, {dual: true}, {fips: true, dual: true}} {
			c, err := New(Config{
				TrustAnchorARN: in.Replace(anchorARN), ProfileARN: in.Replace(profileARN), RoleARN: in.Replace(roleARN),
				FIPS: variant.fips, DualStack: variant.dual, Now: start,
			})
			if err != nil {
				t.Fatal(err)
			}
			chain, err := NewChain(c, ChainConfig{Roles: []AssumeConfig{{RoleARN: in.Replace(otherRole)}}})
			if err != nil {
				t.Fatal(err)
			}
			want, err := sts.NewDefaultEndpointResolverV2().ResolveEndpoint(context.Background(), sts.EndpointParameters{
				Region: &region, UseFIPS: &variant.fips, UseDualStack: &variant.dual, UseGlobalEndpoint: aws.Bool(false),
			})
			if err != nil || chain.Endpoint() != want.URI.String() {
				t.Errorf("%s, %+v: %s, want %s, %v", region, variant, chain.Endpoint(), want.URI.String(), err)
			}
		}
	}
}

func TestNewChain_refuses(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("k", 129)
	tests := []struct {
		change      func(*AssumeConfig)
		field, want string
	}{
		{func(c *AssumeConfig) { c.RoleARN = "" }, "AssumeRoleARN", "role ARN is missing"},
		{func(c *AssumeConfig) { c.RoleARN = "arn:aws:iam::111122223333:user/x" }, "AssumeRoleARN", "not a role ARN"},
		{func(c *AssumeConfig) { c.RoleARN = "arn:aws-cn:iam::111122223333:role/x" }, "AssumeRoleARN", "is not in partition aws, as the role before it"},
		{func(c *AssumeConfig) { c.Duration = 2 * time.Hour }, "AssumeDuration", "lasts at most 3600 seconds, not 7200"},
		{func(c *AssumeConfig) { c.Duration = time.Minute }, "AssumeDuration", "lasts at least 900 seconds, not 60"},
		{func(c *AssumeConfig) { c.Duration = -time.Hour }, "AssumeDuration", "lasts at least 900 seconds"},
		{func(c *AssumeConfig) { c.Duration = time.Hour - time.Millisecond }, "AssumeDuration", "whole seconds"},
		{func(c *AssumeConfig) { c.SessionName = "x" }, "AssumeSessionName", "it must have 2 to 64"},
		{func(c *AssumeConfig) { c.SessionName = "a b" }, "AssumeSessionName", "a character other than"},
		{func(c *AssumeConfig) { c.ExternalID = "x" }, "AssumeExternalID", "it must have 2 to 1224"},
		{func(c *AssumeConfig) { c.ExternalID = "a b" }, "AssumeExternalID", "a character other than"},
		{func(c *AssumeConfig) { c.Policy = "{" }, "AssumePolicy", "is not JSON"},
		{func(c *AssumeConfig) { c.Policy = strings.Repeat(" ", 2049) }, "AssumePolicy", "has 2049 characters: it can have 2048"},
		{func(c *AssumeConfig) { c.PolicyARNs = []string{"ReadOnlyAccess"} }, "AssumePolicyARN", "is not the ARN of a managed policy"},
		{func(c *AssumeConfig) { c.PolicyARNs = make([]string, 11) }, "AssumePolicyARN", "11 managed policies: there can be 10"},
		{func(c *AssumeConfig) { c.Tags = make([]Tag, 51) }, "AssumeTag", "51 tags: there can be 50"},
		{func(c *AssumeConfig) { c.Tags = []Tag{{Key: ""}} }, "AssumeTag", "it must have 1 to 128"},
		{func(c *AssumeConfig) { c.Tags = []Tag{{Key: long}} }, "AssumeTag", "it must have 1 to 128"},
		{func(c *AssumeConfig) { c.Tags = []Tag{{Key: "k", Value: long + long}} }, "AssumeTag", "it can have 256"},
		{func(c *AssumeConfig) { c.Tags = []Tag{{Key: "k", Value: "a,b"}} }, "AssumeTag", "a character other than"},
		{func(c *AssumeConfig) { c.Tags = []Tag{{Key: "AWS:k"}} }, "AssumeTag", "begins with aws:"},
		{func(c *AssumeConfig) { c.Tags = []Tag{{Key: "k"}, {Key: "K"}} }, "AssumeTag", "is there twice"},
	}
	c := newService(t, success()).client(t)
	for _, tt := range tests {
		cfg := AssumeConfig{RoleARN: otherRole}
		tt.change(&cfg)
		_, err := NewChain(c, ChainConfig{Roles: []AssumeConfig{{RoleARN: otherRole}, cfg}})
		field := ""
		if e, ok := errors.AsType[*ConfigError](err); ok {
			field = e.Field
		}
		if e, ok := errors.AsType[*ARNError](err); ok {
			field = e.Field
		}
		if err == nil || field != tt.field || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s: %s", field, err, tt.field, tt.want)
		}
	}
	if _, err := NewChain(c, ChainConfig{}); err == nil {
		t.Error("a chain without roles")
	}
	_, err := NewChain(c, ChainConfig{Roles: []AssumeConfig{{RoleARN: otherRole}}, Endpoint: "http://sts.example.com"})
	if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != "AssumeEndpoint" {
		t.Errorf("got %v", err)
	}
}

// goodXML is STS's answer; changes are pairs of what to replace and with what.
func goodXML(changes ...string) string {
	return strings.NewReplacer(changes...).Replace(`<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult>` +
		`<SourceIdentity>CN=web-1</SourceIdentity><AssumedRoleUser><Arn>arn:aws:sts::444455556666:assumed-role/hub/0a1b</Arn>` +
		`<AssumedRoleId>AROAEXAMPLE:0a1b</AssumedRoleId></AssumedRoleUser><Credentials><AccessKeyId>ASIAOTHER</AccessKeyId>` +
		`<SecretAccessKey>other/Key+1</SecretAccessKey><SessionToken>other//==</SessionToken><Expiration>2026-03-01T12:15:00Z</Expiration>` +
		`</Credentials></AssumeRoleResult><ResponseMetadata><RequestId>request-2</RequestId></ResponseMetadata></AssumeRoleResponse>`)
}

// TestChain_answers: an answer is believed only if it is what was asked for.
func TestChain_answers(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, body, want string
		status           int
	}{
		{"good", goodXML(), "", 200},
		{"cut off", goodXML()[:200], "answered with XML that is cut off or not a session", 200},
		{"another answer", "<GetCallerIdentityResponse/>", "answered with XML that is cut off or not a session", 200},
		{"no key", goodXML("ASIAOTHER", ""), "answered without accessKeyId", 200},
		{"no secret", goodXML("other/Key+1", ""), "answered without secretAccessKey", 200},
		{"no token", goodXML("other//==", ""), "answered without sessionToken", 200},
		{"a line in the token", goodXML("other//==", "a\nb"), "answered with characters in sessionToken", 200},
		{"no expiration", goodXML("2026-03-01T12:15:00Z", ""), `answered with the expiration ""`, 200},
		{"expired", goodXML("12:15:00", "11:00:00"), "answered with credentials that expired at", 200},
		{"another account", goodXML("444455556666", "111122223333"), "which is none of account 444455556666", 200},
		{"another role", goodXML("/hub/", "/spoke/"), `answered with the assumed role "arn:aws:sts::444455556666:assumed-role/spoke/0a1b", not "hub"`, 200},
		{"control characters", goodXML("CN=web-1", "CN=\u0085"), "answered with control characters in a name", 200},
		{"an empty error", "<ErrorResponse/>", "answered 403 Forbidden without an error of AWS", 403},
		{"no XML", "no", "answered 403 Forbidden without an error of AWS", 403},
		{"an error", "<ErrorResponse><Error><Code>AccessDenied</Code><Message>\nno\u2028</Message></Error></ErrorResponse>", "AWS refused the session of " + otherRole + ": AccessDenied: no", 403},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := newService(t, success(), func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "text/xml")
				w.WriteHeader(tt.status)
				w.Write([]byte(tt.body))
			})
			c := s.client(t, func(cfg *Config) { cfg.MaxAttempts = 1 })
			chain, err := NewChain(c, ChainConfig{Roles: []AssumeConfig{{RoleARN: otherRole}}, Endpoint: s.URL})
			if err != nil {
				t.Fatal(err)
			}
			got, err := chain.CreateSession(t.Context(), identity())
			if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got  %v\nwant %s", err, tt.want)
			}
			if err == nil && (got.AccessKeyID != "ASIAOTHER" || got.RequestID != "request-2" || got.RoleARN != otherRole || got.AccountID != "444455556666") {
				t.Errorf("%+v", got)
			}
			if s.bodies[1] != "Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A444455556666%3Arole%2Fpath%2Fhub&RoleSessionName=0a1b&Version=2011-06-15" {
				t.Errorf("posted %s", s.bodies[1])
			}
		})
	}
}
