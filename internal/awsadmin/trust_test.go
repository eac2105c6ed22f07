package awsadmin

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/internal/awsplan"
	"kedge/internal/emulator/policy"
)

const (
	anchorARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001"
	otherARN  = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000003"
	hubARN    = "arn:aws:iam::111122223333:role/hub"
)

func policyOf(t *testing.T, trust Trust) string {
	t.Helper()
	text, err := trust.Policy()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestTrust_Policy_document: the whole document of the usual case, as it is written.
func TestTrust_Policy_document(t *testing.T) {
	t.Parallel()
	got := policyOf(t, Trust{Anchor: anchorARN, Hosts: Hosts{Names: []string{"web-01", "web-02", "web-01"}}})
	want := `{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Effect": "Allow",
      "Principal": {
        "Service": "rolesanywhere.amazonaws.com"
      },
      "Action": [
        "sts:AssumeRole",
        "sts:TagSession",
        "sts:SetSourceIdentity"
      ],
      "Condition": {
        "ArnEquals": {
          "aws:SourceArn": "` + anchorARN + `"
        },
        "StringEquals": {
          "aws:PrincipalTag/x509Subject/CN": [
            "web-01",
            "web-02"
          ]
        }
      }
    }
  ]
}
`
	if got != want {
		t.Errorf("%s", got)
	}
}

// TestTrust_Policy_characters: a policy has the characters that IAM accepts, and others by their numbers.
func TestTrust_Policy_characters(t *testing.T) {
	t.Parallel()
	got := policyOf(t, Trust{Anchor: anchorARN, Hosts: Hosts{Units: []string{"Łódź-üÿ"}}})
	if !strings.Contains(got, `"\u0141ód\u017a-üÿ"`) || strings.ContainsFunc(got, func(r rune) bool { return r > awsplan.MaxDocumentRune }) {
		t.Errorf("%s", got)
	}
}

// TestTrust_Policy_conditions: what is compared, and how, for each attribute.
func TestTrust_Policy_conditions(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		hosts Hosts
		hubs  []string
		want  string
	}{
		{Hosts{Names: []string{"web-01"}}, nil, `{"ArnEquals":{"aws:SourceArn":"ANCHOR"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"web-01"}}`},
		{Hosts{Names: []string{"web-**", "db"}}, nil, `{"ArnEquals":{"aws:SourceArn":"ANCHOR"},"StringLike":{"aws:PrincipalTag/x509Subject/CN":["web-*","db"]}}`},
		{Hosts{URIs: []string{"spiffe://ex.com/wl/**"}}, nil, `{"ArnEquals":{"aws:SourceArn":"ANCHOR"},"StringLike":{"aws:PrincipalTag/x509SAN/URI":"spiffe://ex.com/wl/*"}}`},
		{Hosts{URIs: []string{"spiffe://ex.com/a"}, Units: []string{"batch"}}, nil, `{"ArnEquals":{"aws:SourceArn":"ANCHOR"},"StringEquals":{"aws:PrincipalTag/x509SAN/URI":"spiffe://ex.com/a","aws:PrincipalTag/x509Subject/OU":"batch"}}`},
		{Hosts{Names: []string{"a"}, Issuers: []string{"Example CA"}}, nil, `{"ArnEquals":{"aws:SourceArn":"ANCHOR"},"StringEquals":{"aws:PrincipalTag/x509Issuer/CN":"Example CA","aws:PrincipalTag/x509Subject/CN":"a"}}`},
		{Hosts{Names: []string{"a", "b-**"}}, []string{hubARN}, `{"StringLike":{"aws:SourceIdentity":["CN=a","CN=b-*"]}}`},
		{Hosts{Names: []string{strings.Repeat("n", 62)}}, []string{hubARN}, `{"StringEquals":{"aws:SourceIdentity":"` + strings.Repeat("n", 62) + `"}}`},
		{Hosts{Units: []string{"batch"}}, []string{hubARN}, `{"StringEquals":{"aws:PrincipalTag/x509Subject/OU":"batch"}}`},
	} {
		text := policyOf(t, Trust{Anchor: anchorARN, Hosts: tt.hosts, Hubs: tt.hubs})
		var doc struct {
			Statement []struct {
				Action    []string
				Principal map[string]string
				Condition json.RawMessage
			}
		}
		if err := json.Unmarshal([]byte(text), &doc); err != nil || len(doc.Statement) != 1 {
			t.Fatalf("%v: %s", err, text)
		}
		var got, want any
		if err := errors.Join(json.Unmarshal(doc.Statement[0].Condition, &got), json.Unmarshal([]byte(strings.ReplaceAll(tt.want, "ANCHOR", anchorARN)), &want)); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%+v: %s, want %s", tt.hosts, doc.Statement[0].Condition, tt.want)
		}
		if isHub := len(tt.hubs) > 0; isHub != (doc.Statement[0].Principal["AWS"] == hubARN) || isHub != (len(doc.Statement[0].Action) == 2) {
			t.Errorf("%+v: %+v", tt.hosts, doc.Statement[0])
		}
	}
}

// TestTrust_Policy_least: IAM gives the role to the hosts that are named, with this trust anchor, and to no
// others.
func TestTrust_Policy_least(t *testing.T) {
	t.Parallel()
	exact := Hosts{Names: []string{"web-01"}}
	for _, tt := range []struct {
		name   string
		hosts  Hosts
		anchor string
		tags   map[string]string
		want   policy.Outcome
	}{
		{"the host", exact, anchorARN, map[string]string{tagName: "web-01"}, policy.Allowed},
		{"another host", exact, anchorARN, map[string]string{tagName: "web-011"}, policy.ImplicitDeny},
		{"another case", exact, anchorARN, map[string]string{tagName: "WEB-01"}, policy.ImplicitDeny},
		{"another CA", exact, otherARN, map[string]string{tagName: "web-01"}, policy.ImplicitDeny},
		{"no name", exact, anchorARN, map[string]string{tagUnit: "web-01"}, policy.ImplicitDeny},
		{"pattern", Hosts{Names: []string{"web-**"}}, anchorARN, map[string]string{tagName: "web-01.example.com"}, policy.Allowed},
		{"outside of the pattern", Hosts{Names: []string{"web-**"}}, anchorARN, map[string]string{tagName: "x-web-01"}, policy.ImplicitDeny},
		{"name of the right issuer", Hosts{Names: []string{"web-01"}, Issuers: []string{"CA 1"}}, anchorARN, map[string]string{tagName: "web-01", tagIssuer: "CA 1"}, policy.Allowed},
		{"name of another issuer", Hosts{Names: []string{"web-01"}, Issuers: []string{"CA 1"}}, anchorARN, map[string]string{tagName: "web-01", tagIssuer: "CA 2"}, policy.ImplicitDeny},
		{"another path", Hosts{URIs: []string{"spiffe://ex.com/wl/**"}}, anchorARN, map[string]string{tagURI: "spiffe://ex.com/wlx/a"}, policy.ImplicitDeny},
	} {
		parsed, err := policy.Parse(policy.Trust, []byte(policyOf(t, Trust{Anchor: anchorARN, Hosts: tt.hosts})))
		if err != nil {
			t.Fatal(err)
		}
		session := policy.CertificateSession{TrustAnchor: tt.anchor, Account: "111122223333", Tags: tt.tags, SourceIdentity: "CN=x", SessionName: "1f", Now: time.Unix(1e9, 0)}
		if got := session.Authorize(parsed).Outcome; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestTrust_Policy_least_chain: along a chain, the sessions of the hub that a host has get the role, and those of
// other roles and of other hosts do not.
func TestTrust_Policy_least_chain(t *testing.T) {
	t.Parallel()
	parsed, err := policy.Parse(policy.Trust, []byte(policyOf(t, Trust{Hubs: []string{hubARN}, Hosts: Hosts{Names: []string{"web-01"}}})))
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, role, identity, action string
		want                         policy.Outcome
	}{
		{"the host", hubARN, "CN=web-01", policy.AssumeRole, policy.Allowed},
		{"its source identity", hubARN, "CN=web-01", policy.SetSourceIdentity, policy.Allowed},
		{"its tags", hubARN, "CN=web-01", policy.TagSession, policy.ImplicitDeny},
		{"another host", hubARN, "CN=web-011", policy.AssumeRole, policy.ImplicitDeny},
		{"another case", hubARN, "CN=WEB-01", policy.AssumeRole, policy.ImplicitDeny},
		{"nobody's", hubARN, "", policy.AssumeRole, policy.ImplicitDeny},
		{"another role", hubARN + "2", "CN=web-01", policy.AssumeRole, policy.ImplicitDeny},
	} {
		name := tt.role[strings.LastIndex(tt.role, "/")+1:]
		r := policy.Request{Principal: policy.Principal{ARN: "arn:aws:sts::111122223333:assumed-role/" + name + "/1f", Role: tt.role}, Action: tt.action, Resource: "arn:aws:iam::111122223333:role/backup"}
		if tt.identity != "" {
			r.Context.Set("aws:SourceIdentity", tt.identity)
		}
		if got := parsed.Evaluate(&r).Outcome; got != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestTrust_Policy_refuses: what a policy cannot express, or would open to all, is an error.
func TestTrust_Policy_refuses(t *testing.T) {
	t.Parallel()
	named := func(names ...string) Trust { return Trust{Anchor: anchorARN, Hosts: Hosts{Names: names}} }
	for _, tt := range []struct {
		trust Trust
		want  string
	}{
		{named(), "no host is named: each certificate of the CA would get the role"},
		{named("**"), `"**" for the tag x509Subject/CN names no host: each certificate`},
		{named("?"), `"?" for the tag x509Subject/CN names no host: each certificate`},
		{named(""), `"" for the tag x509Subject/CN names no host: each certificate`},
		{named("web-01", "**"), `"**" for the tag x509Subject/CN names no host`},
		{Trust{Anchor: anchorARN, Hosts: Hosts{Names: []string{"a"}, Units: []string{""}}}, `"" for the tag x509Subject/OU names no host`},
		{Trust{Anchor: anchorARN, Hosts: Hosts{Issuers: []string{"CA"}}}, "no host is named: each certificate of the CA would get the role"},
		{named("web-*"), `a policy cannot express "web-*": IAM's wildcards cross dots and slashes, so it would also give the role to web-a.b and web-a/b`},
		{named("web-?.x"), `a policy cannot express "web-?.x": IAM's wildcards cross dots and slashes, so it would also give the role to web-..x and web-/.x`},
		{named("w*-?"), `a policy cannot express "w*-?": IAM's wildcards cross dots and slashes, so it would also give the role to wa.b-. and wa/b-/`},
		{named("a&b"), `no certificate gives the tag x509Subject/CN of "a&b": session tags cannot hold '&'; take letters, digits, spaces and _.:/=+-@`},
		{named("${aws:username}"), `no certificate gives the tag x509Subject/CN of "${aws:username}": session tags cannot hold '$'`},
		{named(strings.Repeat("n", 257)), "and session tags have 256 at most"},
		{Trust{Hosts: Hosts{Names: []string{"a"}}}, "the trust anchor of the hosts is not known here"},
		{Trust{Anchor: hubARN, Hosts: Hosts{Names: []string{"a"}}}, "is not the ARN of a trust anchor"},
		{Trust{Anchor: strings.Replace(anchorARN, "trust-anchor/", "alias/trust-anchor/w", 1), Hosts: Hosts{Names: []string{"a"}}}, "ARN of a trust anchor"},
		{Trust{Hubs: []string{"*"}, Hosts: Hosts{Names: []string{"a"}}}, `"*" is not the ARN of a role`},
		{Trust{Hubs: []string{hubARN}, Hosts: Hosts{Names: []string{"a b"}}}, `no certificate gives the tag x509Subject/CN of "a b": a source identity has letters, digits and _+=,.@- only`},
	} {
		text, err := tt.trust.Policy()
		if err == nil || !strings.Contains(err.Error(), tt.want) || text != nil {
			t.Errorf("%+v: %v, want %s", tt.trust, err, tt.want)
		}
	}
}

// TestTrust_Policy_length: a policy is refused at the limit of the account, counted as IAM does.
func TestTrust_Policy_length(t *testing.T) {
	t.Parallel()
	trust := Trust{Anchor: anchorARN}
	for i := range 200 {
		trust.Hosts.Names = append(trust.Hosts.Names, fmt.Sprintf("web-%03d", i))
	}
	_, err := trust.Policy()
	if e, ok := errors.AsType[*LengthError](err); !ok || e.Max != 2048 || e.Length < 2049 {
		t.Errorf("%v", err)
	}
	long := trust
	long.MaxLength = 2 * MaxTrustLength
	for len(long.Hosts.Names) < 1000 {
		long.Hosts.Names = append(long.Hosts.Names, fmt.Sprintf("db-%03d", len(long.Hosts.Names)))
	}
	_, err = long.Policy()
	if e, ok := errors.AsType[*LengthError](err); !ok || e.Max != MaxTrustLength {
		t.Errorf("%v", err)
	}
	trust.MaxLength = MaxTrustLength
	if n := policy.Trust.Size(policyOf(t, trust)); n <= 2048 || n > 4096 {
		t.Error(n)
	}
}
