package emulator

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// trustPolicy is a trust policy for the service, with a statement of its own for each list of actions.
func trustPolicy(condition string, actions ...string) string {
	var all []string
	for _, a := range actions {
		all = append(all, fmt.Sprintf(`{"Sid":"hosts","Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Action":[%s],"Condition":%s}`, a, condition))
	}
	return fmt.Sprintf(`{"Version":"2012-10-17","Statement":[%s]}`, strings.Join(all, ","))
}

const (
	threeActions = `"sts:AssumeRole","sts:TagSession","sts:SetSourceIdentity"`
	byName       = `{"ArnEquals":{"aws:SourceArn":"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001"},"StringEquals":{"aws:PrincipalTag/x509Subject/CN":"web-1"}}`
)

// TestCreateSession_trustPolicy: each action by itself, and the refusal's reasons in the log, which the
// client is not told.
func TestCreateSession_trustPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, policy, why string }{
		{"by the common name", trustPolicy(byName, threeActions), ""},
		{"in any anchor of the account", trustPolicy(`{"StringEquals":{"aws:SourceAccount":"111122223333"}}`, threeActions), ""},
		{"by the source identity", trustPolicy(`{"StringEqualsIfExists":{"sts:SourceIdentity":"CN=web-1"}}`, threeActions), ""},
		{"another name", trustPolicy(strings.Replace(byName, "web-1", "web-2", 1), threeActions),
			"sts:AssumeRole: implicit deny\n" +
				"  statement 1 \"hosts\", Allow: does not apply\n" +
				"    matches: Principal \"Service:rolesanywhere.amazonaws.com\"; the request has \"rolesanywhere.amazonaws.com\"\n" +
				"    matches: Action [\"sts:AssumeRole\", \"sts:TagSession\", \"sts:SetSourceIdentity\"]; the request has \"sts:AssumeRole\"\n" +
				"    met: ArnEquals aws:SourceArn \"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001\"; the request has \"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001\"\n" +
				"    not met: StringEquals aws:PrincipalTag/x509Subject/CN \"web-2\"; the request has \"web-1\"\n" +
				"sts:TagSession: implicit deny\n"},
		{"another anchor", trustPolicy(strings.Replace(byName, "000001", "000002", 1), threeActions), "not met: ArnEquals aws:SourceArn"},
		{"no TagSession", trustPolicy(byName, `"sts:AssumeRole","sts:SetSourceIdentity"`), "the session:\nsts:TagSession: implicit deny\n  statement 1 \"hosts\", Allow: does not apply"},
		{"no SetSourceIdentity", trustPolicy(byName, `"sts:AssumeRole","sts:TagSession"`), "the session:\nsts:SetSourceIdentity: implicit deny"},
		{"no AssumeRole", trustPolicy(byName, `"sts:SetSourceIdentity","sts:TagSession"`), "the session:\nsts:AssumeRole: implicit deny"},
		{"a tag that is not mapped", trustPolicy(`{"StringLike":{"aws:PrincipalTag/x509Subject/OU":"*"}}`, threeActions), "the request has no such key"},
		{"a variable without a value", trustPolicy(`{"StringNotEquals":{"aws:PrincipalTag/x509Subject/CN":"${aws:username}"}}`, threeActions), "and a variable has no value"},
		{"keys of the tags without a qualifier", trustPolicy(`{"StringEquals":{"aws:TagKeys":"x509Subject/CN"}}`, threeActions), "several values want ForAllValues or ForAnyValue"},
		{"a deny", strings.Replace(trustPolicy(byName, threeActions, threeActions), `"Sid":"hosts","Effect":"Allow"`, `"Effect":"Deny"`, 1), "sts:AssumeRole: explicit deny\n  statement 1, Deny: applies"},
	} {
		var log bytes.Buffer
		w := newChainWorld(t, func(c *Config) { c.Roles, c.Log = []Role{{TrustPolicy: tt.policy}}, &log })
		got := send(t, w.e, w.craft().sign(t).wire())
		if tt.why == "" {
			got.created(t)
			continue
		}
		if text := got.String(); !strings.Contains(text, textAssume) || strings.Contains(text, "hosts") {
			t.Errorf("%s: the client is told %s", tt.name, text)
		}
		if why := strings.ReplaceAll(log.String(), "\n    ", "\n"); !strings.Contains(why, tt.why) {
			t.Errorf("%s: %s", tt.name, why)
		}
	}
}

// TestCreateSession_trustPolicySessionName: what the request asks for counts.
func TestCreateSession_trustPolicySessionName(t *testing.T) {
	t.Parallel()
	policy := trustPolicy(`{"StringLikeIfExists":{"sts:RoleSessionName":"dev-*"}}`, threeActions)
	w := newChainWorld(t, func(c *Config) {
		c.Roles, c.Profiles = []Role{{TrustPolicy: policy}}, []Profile{{AcceptRoleSessionName: true}}
	})
	for name, ok := range map[string]bool{"dev-1": true, "prod-1": false} {
		c := w.craft()
		c.body = strings.Replace(c.body, "{", `{"roleSessionName":"`+name+`",`, 1)
		if got := send(t, w.e, c.sign(t).wire()); (got.status == http.StatusCreated) != ok {
			t.Errorf("%s: %s", name, got)
		}
	}
}

func TestNew_trustPolicy(t *testing.T) {
	t.Parallel()
	anchors := []TrustAnchor{{Certificates: newRoot(t, caTemplate("Root")).pem()}}
	good := trustPolicy("{}", threeActions)
	for name, tt := range map[string]struct {
		role Role
		want string
	}{
		"malformed":      {Role{TrustPolicy: "{"}, "role arn:aws:iam::111122223333:role/kedge: the trust policy: This policy contains invalid Json"},
		"a resource":     {Role{TrustPolicy: strings.Replace(good, `"Action"`, `"Resource":"*","Action"`, 1)}, "the trust policy: /Statement/0/Resource: Has prohibited field Resource"},
		"too long":       {Role{TrustPolicy: strings.Replace(good, "hosts", strings.Repeat("x", 2048), 1)}, "2048 are the most"},
		"with an anchor": {Role{TrustPolicy: good, TrustAnchorARNs: []string{"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a"}}, errTwoTrusts.Error()},
		"with an id":     {Role{TrustPolicy: good, ExternalID: "x"}, errTwoTrusts.Error()},
		"with actions":   {Role{TrustPolicy: good, Actions: []string{"sts:AssumeRole"}}, errTwoTrusts.Error()},
	} {
		_, err := New(Config{TrustAnchors: anchors, Roles: []Role{tt.role}})
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v, want %s", name, err, tt.want)
		}
	}
	e, err := New(Config{TrustAnchors: anchors, Roles: []Role{{TrustPolicy: good + strings.Repeat(" ", 3000)}}})
	if err != nil {
		t.Fatal(err)
	}
	if err := e.PutRole(Role{TrustPolicy: "{"}); err == nil {
		t.Error("PutRole takes a malformed policy")
	}
}

// TestReadConfig_trustPolicy: the document itself, or its file.
func TestReadConfig_trustPolicy(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	document := trustPolicy("{}", threeActions)
	write("trust.json", document)
	c, err := ReadConfig(write("a.json", `{"roles":[{"trustPolicy":`+document+`},{"trustPolicy":"trust.json"},{}]}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.Roles[0].TrustPolicy != document || c.Roles[1].TrustPolicy != document || c.Roles[2].TrustPolicy != "" {
		t.Errorf("%+v", c.Roles)
	}
	if _, err := ReadConfig(write("b.json", `{"roles":[{"trustPolicy":"missing.json"}]}`)); err == nil || !strings.Contains(err.Error(), "missing.json") {
		t.Errorf("%v", err)
	}
}
