package awsadmin

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

// statementWith returns a policy of one statement: the usual one, with some members replaced. A member
// that is empty is left out.
func statementWith(members map[string]string) string {
	all := map[string]string{
		"Effect": `"Allow"`, "Principal": `{"Service":"rolesanywhere.amazonaws.com"}`, "Action": `["sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"]`,
		"Condition": `{"ArnEquals":{"aws:SourceArn":"` + anchorARN + `"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"web-01"}}`,
	}
	maps.Copy(all, members)
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if all[name] != "" {
			parts = append(parts, fmt.Sprintf("%q:%s", name, all[name]))
		}
	}
	return `{"Version":"2012-10-17","Statement":[{` + strings.Join(parts, ",") + `}]}`
}

// conditioned returns the usual policy with other conditions; ANCHOR stands for that of the CA.
func conditioned(conditions string) string {
	return statementWith(map[string]string{"Condition": strings.ReplaceAll(conditions, "ANCHOR", anchorARN)})
}

// tagged returns the usual policy with another condition on the certificate.
func tagged(condition string) string {
	return conditioned(`{"ArnEquals":{"aws:SourceArn":"ANCHOR"},` + condition + `}`)
}

// sourced returns the usual policy with another condition on the trust anchor.
func sourced(condition string) string {
	return conditioned(`{` + condition + `,"StringLike":{"aws:PrincipalTag/x509Subject/CN":"web-*"}}`)
}

// identified returns the usual policy with a condition on the source identity, which sts:TagSession does not have.
func identified(condition string) string {
	return `{"Version":"2012-10-17","Statement":[` + statementIn(statementWith(map[string]string{"Action": `["sts:AssumeRole","sts:SetSourceIdentity"]`, "Condition": `{"ArnEquals":{"aws:SourceArn":"` + anchorARN + `"},` + condition + `}`})) +
		`,` + statementIn(statementWith(map[string]string{"Action": `"sts:TagSession"`, "Condition": ""})) + `]}`
}

// statementIn returns the one statement of a policy.
func statementIn(policy string) string {
	return strings.TrimSuffix(strings.TrimPrefix(policy, `{"Version":"2012-10-17","Statement":[`), `]}`)
}

func with(name, value string) string { return statementWith(map[string]string{name: value}) }

type lintCase struct{ name, policy, want string } // want: a part of the one finding; empty: none

// lintCases has, for each rule, policies that break it and only it, and the nearest that break none.
func lintCases() map[string][]lintCase {
	const other = "arn:aws:rolesanywhere:eu-west-1:444455556666:trust-anchor/6b656467-6500-4000-8000-000000000001"
	const alias = "arn:aws:rolesanywhere:eu-west-1:111122223333:alias/trust-anchor/w"
	tag := `"aws:PrincipalTag/x509Subject/CN"`
	return map[string][]lintCase{
		"": {
			{"as it should be", statementWith(nil), ""},
			{"two statements", `{"Version":"2012-10-17","Statement":[` + statementIn(with("Action", `["sts:AssumeRole","sts:SetSourceIdentity"]`)) +
				`,{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":"sts:TagSession"}]}`, ""},
			{"another principal beside", `{"Version":"2012-10-17","Statement":[` + statementIn(statementWith(nil)) +
				`,{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::111122223333:role/x"},"Action":"sts:AssumeRole"}]}`, ""},
		},
		"source-missing": {
			{"no condition on it", conditioned(`{"StringEquals":{` + tag + `:"web-01"}}`), "statement 1 names no trust anchor"},
			{"named with Sid", statementWith(map[string]string{"Sid": `"Web"`, "Condition": `{"StringEquals":{` + tag + `:"web-01"}}`}), "statement 1 (Web) names no trust anchor"},
		},
		"source-open": {
			{"any", sourced(`"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:*:*:trust-anchor/*"}`), "takes the trust anchors of other accounts, too: ArnLike aws:SourceArn arn:aws:rolesanywhere:*:*:trust-anchor/*"},
			{"any of the region", sourced(`"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:*:trust-anchor/*"}`), "statement 1 takes"},
			{"accounts that begin so", sourced(`"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:1111*:trust-anchor/*"}`), "statement 1 takes"},
			{"as a text", conditioned(`{"StringLike":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:*",` + tag + `:"web-*"}}`), "statement 1 takes"},
			{"anchors that begin so", sourced(`"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:*:*:trust-anchor/6*"}`), "statement 1 takes"},
			{"account that begins so", conditioned(`{"StringLike":{"aws:SourceAccount":"1111*",` + tag + `:"web-*"}}`), "statement 1 takes"},
			{"all but one", sourced(`"ArnNotEquals":{"aws:SourceArn":"` + other + `"}`), "statement 1 takes"},
			{"exists", sourced(`"Null":{"aws:SourceArn":"false"}`), "statement 1 takes"},
			{"all but accounts that begin so", conditioned(`{"StringNotLike":{"aws:SourceAccount":"0*"},"StringLike":{` + tag + `:"web-*"}}`), "statement 1 takes"},
			{"all but ARNs that begin so", sourced(`"ArnNotLike":{"aws:SourceArn":"arn:*:*:*:0*:*"}`), "statement 1 takes"},
			{"a greater account", sourced(`"NumericGreaterThan":{"aws:SourceAccount":"0"}`), "statement 1 takes"},
			{"all but these", sourced(`"StringNotEquals":{"aws:SourceAccount":["000000000000","999999999999"]}`), "statement 1 takes"},
		},
		"source-account": {
			{"the account", sourced(`"StringEquals":{"aws:SourceAccount":"111122223333"}`), "statement 1 takes each trust anchor of the account: a host of the same name of any other CA there gets the role; add ArnEquals aws:SourceArn " + anchorARN},
			{"any of the account", sourced(`"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/*"}`), "statement 1 takes each trust anchor"},
			{"any, of the account", sourced(`"ArnLike":{"aws:SourceArn":"arn:aws:rolesanywhere:*:*:trust-anchor/*"},"StringEquals":{"aws:SourceAccount":"111122223333"}`), "statement 1 takes each trust anchor"},
			{"anchors of the account that begin so", sourced(`"ArnLike":{"aws:SourceArn":"` + anchorARN[:len(anchorARN)-8] + `*"}`), "statement 1 takes each trust anchor"},
			{"all of the account but one", sourced(`"StringEquals":{"aws:SourceAccount":"111122223333"},"ArnNotEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/7b656467-6500-4000-8000-000000000001"}`), "statement 1 takes each trust anchor"},
			{"the trust anchor, of the account", sourced(`"ArnEquals":{"aws:SourceArn":"ANCHOR"},"StringEquals":{"aws:SourceAccount":"111122223333"}`), ""},
		},
		"source-foreign": {
			{"another anchor", sourced(`"ArnEquals":{"aws:SourceArn":"` + other + `"}`), other + " is none of this CA, whose trust anchor is " + anchorARN},
			{"another anchor, too", sourced(`"ArnEquals":{"aws:SourceArn":["` + anchorARN + `","` + other + `"]}`), other + " is none of this CA"},
			{"another account", sourced(`"StringEquals":{"aws:SourceAccount":"444455556666"}`), "444455556666 is none of this CA"},
		},
		"source-alias": {{"alias", sourced(`"ArnEquals":{"aws:SourceArn":"` + alias + `"}`), alias + " is an alias, and never matches"}},
		"action-missing": {
			{"TagSession", with("Action", `["sts:AssumeRole","sts:SetSourceIdentity"]`), "no statement allows sts:TagSession to rolesanywhere.amazonaws.com"},
			{"SetSourceIdentity", with("Action", `["sts:AssumeRole","sts:TagSession"]`), "no statement allows sts:SetSourceIdentity"},
			{"AssumeRole", with("Action", `["sts:SetSourceIdentity","sts:TagSession"]`), "no statement allows sts:AssumeRole"},
			{"another case", with("Action", `["STS:assumerole","sts:SetSourceIdentity","sts:TagSession"]`), ""},
		},
		"tag-session": {
			{"source identity", tagged(`"StringEquals":{"sts:SourceIdentity":"CN=web-01"}`), "sts:TagSession has no sts:SourceIdentity"},
			{"apart", identified(`"StringEquals":{"sts:SourceIdentity":"CN=web-01"}`), ""},
		},
		"action-wildcard": {
			{"all", with("Action", `"sts:*"`), "statement 1 allows sts:*: list"},
			{"some", with("Action", `["sts:Assume*","sts:SetSourceIdentity","sts:TagSession"]`), "statement 1 allows sts:Assume*"},
		},
		"not-action":    {{"NotAction", statementWith(map[string]string{"Action": "", "NotAction": `"sts:GetCallerIdentity"`}), "statement 1 allows all actions but sts:GetCallerIdentity"}},
		"principal-any": {{"*", with("Principal", `"*"`), "statement 1 is for the principal *"}, {"AWS *", with("Principal", `{"AWS":"*","Service":"rolesanywhere.amazonaws.com"}`), "statement 1 is for the principal *"}},
		"not-principal": {{"NotPrincipal", statementWith(map[string]string{"Principal": "", "NotPrincipal": `{"AWS":"111122223333"}`}), "statement 1 is for all principals but"}},
		"met-by-absence": {
			{"negated", tagged(`"StringNotEquals":{` + tag + `:"web-09"}`), "StringNotEquals of aws:PrincipalTag/x509Subject/CN is met by certificates that lack it"},
			{"IfExists", tagged(`"StringEqualsIfExists":{` + tag + `:"web-01"}`), "is met by certificates that lack it"},
			{"ForAllValues", tagged(`"ForAllValues:StringEquals":{` + tag + `:"web-01"}`), "is met by certificates that lack it"},
			{"Null", tagged(`"Null":{"aws:PrincipalTag/x509Subject/OU":"true"},"StringEquals":{` + tag + `:"web-01"}`), "is met by certificates that lack it"},
			{"Null false", tagged(`"Null":{"aws:PrincipalTag/x509Subject/OU":"false"},"StringEquals":{` + tag + `:"web-01"}`), ""},
			{"another key", tagged(`"StringEquals":{` + tag + `:"web-01"},"StringNotEquals":{"aws:RequestedRegion":"us-east-1"}`), ""},
		},
		"tag-unmapped": {
			{"IP", tagged(`"StringEquals":{"aws:PrincipalTag/x509SAN/IP":"10.0.0.1"}`), "no session has that tag, since the profile maps x509Issuer/*, x509SAN/DNS, x509SAN/URI, x509SAN/Name/*, x509Subject/*"},
			{"no field", tagged(`"StringEquals":{"aws:PrincipalTag/x509Serial":"1"}`), "no session has that tag"},
			{"in another case", tagged(`"StringEquals":{"aws:principaltag/X509san/uri":"spiffe://a/b"}`), ""},
			{"directory name", tagged(`"StringEquals":{"aws:PrincipalTag/x509SAN/Name/CN":"a"}`), ""},
		},
		"tag-unknown": {
			{"no field", tagged(`"StringEquals":{"aws:PrincipalTag/CN":"web-01"}`), "StringEquals of aws:PrincipalTag/CN: no certificate gives that tag: theirs begin with x509Subject/, x509Issuer/ or x509SAN/, such as x509Subject/CN"},
			{"the name of a field", tagged(`"StringLike":{"aws:principaltag/Subject/CN":"web-*"}`), "no certificate gives that tag"},
			{"a field", tagged(`"StringEquals":{"aws:PrincipalTag/X509Subject/CN":"web-01"}`), ""},
		},
		"equals-wildcard": {
			{"StringEquals", tagged(`"StringEquals":{` + tag + `:"web-*"}`), `"web-*" has a wildcard`},
			{"ignoring case", tagged(`"StringEqualsIgnoreCase":{` + tag + `:"web-?"}`), `"web-?" has a wildcard`},
			{"variable", tagged(`"StringEquals":{` + tag + `:"${aws:SourceAccount, '*'}"}`), ""},
		},
		"value-characters": {
			{"ampersand", tagged(`"StringEquals":{` + tag + `:"a&b"}`), `no session has the value "a&b": session tags cannot hold '&'`},
			{"source identity", identified(`"StringEquals":{"sts:SourceIdentity":"CN=web 01"}`), `no session has the value "CN=web 01": a source identity has letters`},
			{"letters of other scripts", tagged(`"StringEquals":{` + tag + `:"größe 1"}`), ""},
			{"wildcards", tagged(`"StringLike":{` + tag + `:"w*b-?"}`), ""},
		},
		"no-attribute": {
			{"none", conditioned(`{"ArnEquals":{"aws:SourceArn":"ANCHOR"}}`), "statement 1 has no condition that tells the hosts of a CA apart"},
			{"is there", tagged(`"Null":{` + tag + `:"false"}`), "statement 1 has no condition that tells"},
			{"issuer", tagged(`"StringEquals":{"aws:PrincipalTag/x509Issuer/CN":"CA"}`), "statement 1 has no condition that tells"},
			{"issuer, in another case", tagged(`"StringEquals":{"aws:principaltag/x509issuer/cn":"CA"}`), "statement 1 has no condition that tells"},
			{"any source identity", identified(`"StringLike":{"sts:SourceIdentity":"CN=*"}`), "statement 1 has no condition that tells"},
			{"any source identity without a name", identified(`"StringLike":{"sts:SourceIdentity":["CN=web-01","ID=?*"]}`), "statement 1 has no condition that tells"},
			{"issuer and name", tagged(`"StringEquals":{"aws:PrincipalTag/x509Issuer/CN":"CA",` + tag + `:"web-01"}`), ""},
			{"a pattern of a name", identified(`"StringLike":{"sts:SourceIdentity":"CN=w*"}`), ""},
			{"source identity", identified(`"StringEquals":{"sts:SourceIdentity":"CN=web-01"}`), ""},
		},
		"leading-wildcard": {{"*", tagged(`"StringLike":{` + tag + `:["web-*","*.example.com"]}`), `"*.example.com" begins with a wildcard`}},
		"request-tag":      {{"RequestTag", tagged(`"StringEquals":{"aws:RequestTag/x509Subject/CN":"web-01"}`), "aws:PrincipalTag only"}, {"keys", tagged(`"StringEquals":{` + tag + `:"a"},"ForAnyValue:StringEquals":{"aws:TagKeys":"a"}`), "aws:PrincipalTag only"}},
		"source-ip":        {{"SourceIp", tagged(`"StringEquals":{` + tag + `:"a"},"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}`), "the caller is the service"}, {"VPC", tagged(`"StringEquals":{` + tag + `:"a","aws:SourceVpc":"vpc-1"}`), "the caller is the service"}},
		"source-identity-prefix": {
			{"the name", identified(`"StringEquals":{"sts:SourceIdentity":"web-01"}`), `"web-01" matches none`},
			{"a pattern", identified(`"StringLike":{"sts:SourceIdentity":"web-*"}`), `"web-*" matches none`},
			{"a long name", identified(`"StringEquals":{"sts:SourceIdentity":"` + strings.Repeat("n", 62) + `"}`), ""},
			{"a serial number", identified(`"StringEquals":{"sts:SourceIdentity":"ID=1f"}`), ""},
		},
		"policy-length": {{"long", tagged(`"StringEquals":{` + tag + `:["` + strings.Repeat("n", 250) + strings.Repeat(`","`+strings.Repeat("n", 250), 7) + `"]}`), "characters: IAM takes 2048, and up to 4096"}},
	}
}

// TestLint: each rule has policies that break it and no other, and each has a source.
func TestLint(t *testing.T) {
	t.Parallel()
	cases := lintCases()
	linter := Linter{Anchors: []string{anchorARN}}
	for rule, all := range cases {
		for _, tt := range all {
			trust, err := ReadTrust([]byte(tt.policy))
			if err != nil {
				t.Errorf("%s, %s: %v", rule, tt.name, err)
				continue
			}
			found := linter.Lint(trust)
			switch {
			case tt.want == "" && len(found) > 0, tt.want != "" && len(found) != 1:
				t.Errorf("%s, %s: %+v", rule, tt.name, found)
			case tt.want != "" && (found[0].Rule != rule || !strings.Contains(found[0].Text, tt.want)):
				t.Errorf("%s, %s: %+v, want %s", rule, tt.name, found[0], tt.want)
			}
		}
	}
	for _, r := range trustRules() {
		if r.name != "session-duration" && len(cases[r.name]) == 0 || r.source == "" {
			t.Errorf("%s has no case, or no source", r.name)
		}
	}
}

// TestLint_together: a policy can break several rules, and errors are told from warnings.
func TestLint_together(t *testing.T) {
	t.Parallel()
	trust, err := ReadTrust([]byte(statementWith(map[string]string{"Principal": `"*"`, "Action": `"sts:AssumeRole"`, "Condition": ""})))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range (Linter{}).Lint(trust) {
		got = append(got, fmt.Sprint(f.Rule, " ", f.Severity))
	}
	want := []string{"source-missing error", "action-missing error", "action-missing error", "principal-any error", "no-attribute warning"}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

// TestLint_partitions: strangers are in each partition of AWS.
func TestLint_partitions(t *testing.T) {
	t.Parallel()
	partitions := []string{"aws", "aws-cn", "aws-us-gov"}
	for i, partition := range partitions {
		var others []string
		for _, other := range slices.Delete(slices.Clone(partitions), i, i+1) {
			others = append(others, `"arn:`+other+`:*:*:*:*"`)
		}
		trust, err := ReadTrust([]byte(sourced(`"ArnNotLike":{"aws:SourceArn":[` + strings.Join(others, ",") + `]}`)))
		if err != nil {
			t.Fatal(err)
		}
		if found := (Linter{}).Lint(trust); len(found) != 1 || found[0].Rule != "source-open" {
			t.Errorf("%s: %+v", partition, found)
		}
	}
}

// TestLint_unknownAnchor: what the CA's trust anchors are not known for is not reported.
func TestLint_unknownAnchor(t *testing.T) {
	t.Parallel()
	trust, err := ReadTrust([]byte(sourced(`"ArnEquals":{"aws:SourceArn":"` + otherARN + `"}`)))
	if err != nil {
		t.Fatal(err)
	}
	if found := (Linter{}).Lint(trust); len(found) > 0 {
		t.Errorf("%+v", found)
	}
	for _, account := range []string{"111122223333", "000000000000", "999999999999"} {
		trust, err := ReadTrust([]byte(sourced(`"StringEquals":{"aws:SourceAccount":"` + account + `"}`)))
		if err != nil {
			t.Fatal(err)
		}
		found := (Linter{}).Lint(trust)
		if len(found) != 1 || found[0].Rule != "source-account" || !strings.HasSuffix(found[0].Text, "add ArnEquals aws:SourceArn with the ARN of the CA's trust anchor") {
			t.Errorf("%s: %+v", account, found)
		}
	}
}

// TestLint_profile: the mappings and the duration are those of the profile.
func TestLint_profile(t *testing.T) {
	t.Parallel()
	mapping, err := ReadMapping([]byte(`{"profile":{"durationSeconds":7200,"attributeMappings":[{"certificateField":"x509Subject","mappingRules":[{"specifier":"OU"}]},{"certificateField":"x509SAN","mappingRules":[{"specifier":"Name"}]}]}}`))
	if err != nil || mapping.Duration != 2*time.Hour {
		t.Fatalf("%+v, %v", mapping, err)
	}
	for tag, want := range map[string]bool{"x509Subject/OU": true, "x509Subject/CN": false, "x509SAN/URI": false, "x509SAN/Name/CN": true, "x509SAN/Name": false, "x509Issuer/CN": false} {
		if mapping.Maps(tag) != want {
			t.Errorf("%s: %v", tag, !want)
		}
	}
	role := `{"Role":{"MaxSessionDuration":3600,"AssumeRolePolicyDocument":` + statementWith(nil) + `}}`
	trust, err := ReadTrust([]byte(role))
	if err != nil {
		t.Fatal(err)
	}
	found := (Linter{Profile: mapping}).Lint(trust)
	if len(found) != 2 || found[0].Rule != "tag-unmapped" || found[1].Rule != "session-duration" || found[1].Severity != ca.Warning || !strings.HasPrefix(found[1].Text, "sessions of the role last 1h at most, and the profile asks for 2h") {
		t.Errorf("%+v", found)
	}
	mapping.Duration = time.Hour
	if found := (Linter{Profile: mapping}).Lint(trust); len(found) != 1 {
		t.Errorf("%+v", found)
	}
}

// TestReadMapping: a profile without mappings has the default ones, and other files are refused.
func TestReadMapping(t *testing.T) {
	t.Parallel()
	m, err := ReadMapping([]byte(`{"profile":{"durationSeconds":3600}}`))
	if err != nil || m.String() != DefaultMapping().String() {
		t.Errorf("%v, %v", m, err)
	}
	m, err = ReadMapping([]byte(`{"profile":{"attributeMappings":[]}}`))
	if err != nil || m.String() != "nothing" {
		t.Errorf("%v, %v", m, err)
	}
	for _, text := range []string{"", "{}", "[]", `{"profile":3}`} {
		if m, err := ReadMapping([]byte(text)); err != ErrNoProfile {
			t.Errorf("%q: %v, %v", text, m, err)
		}
	}
}

// TestReadTrust: the policy is found as files and the API have it.
func TestReadTrust(t *testing.T) {
	t.Parallel()
	policy := statementWith(nil)
	encoded := strings.NewReplacer("{", "%7B", "}", "%7D", `"`, "%22", "[", "%5B", "]", "%5D", ":", "%3A", ",", "%2C", "/", "%2F").Replace(policy)
	for _, text := range []string{policy, `{"Role":{"AssumeRolePolicyDocument":` + policy + `}}`, `{"Role":{"AssumeRolePolicyDocument":"` + encoded + `"}}`} {
		if got, err := ReadTrust([]byte(text)); err != nil || got.Text != policy || len(got.Document.Statements) != 1 {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"":                        "IAM would refuse this trust policy: ",
		`{"Role":{}}`:             "the role has no AssumeRolePolicyDocument",
		`{"Role":null}`:           `IAM would refuse this trust policy: `,
		with("Effect", `"allow"`): "IAM would refuse this trust policy: /Statement/0/Effect: ",
	} {
		if got, err := ReadTrust([]byte(text)); err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%s: %+v, %v", text, got, err)
		}
	}
}
