package emulator

import (
	"strings"
	"testing"

	"kedge/internal/emulator/rolesanywhere"
)

// TestCreateSession_alias: a trust anchor and a profile may be named by their aliases; the session
// and aws:SourceArn have their own ARNs all the same.
func TestCreateSession_alias(t *testing.T) {
	t.Parallel()
	const place = "arn:aws:rolesanywhere:us-east-1:111122223333:"
	w := newChainWorld(t, func(c *Config) {
		c.TrustAnchors[0].Alias = "team/CA"
		c.Profiles = []Profile{{Alias: "web"}}
		c.Roles = []Role{{TrustAnchorARNs: []string{c.withDefaults().TrustAnchors[0].ARN}}}
	})
	own := map[string]string{"trustAnchorArn": w.e.TrustAnchorARN(), "profileArn": w.e.ProfileARN()}
	for _, tt := range []struct{ name, anchor, profile, want string }{
		{"both", place + "alias/trust-anchor/team/CA", place + "alias/profile/web", ""},
		{"the anchor's", place + "alias/trust-anchor/team/CA", own["profileArn"], ""},
		{"the profile's", own["trustAnchorArn"], place + "alias/profile/web", ""},
		{"other case", place + "alias/trust-anchor/team/ca", own["profileArn"], noAnchor},
		{"no such anchor", place + "alias/trust-anchor/team", own["profileArn"], noAnchor},
		{"no such profile", own["trustAnchorArn"], place + "alias/profile/batch", noProfile},
		{"another account", strings.Replace(place, "1111", "2222", 1) + "alias/trust-anchor/team/CA", own["profileArn"], noAnchor},
		{"another region", own["trustAnchorArn"], strings.Replace(place, "us-east-1", "us-west-2", 1) + "alias/profile/web", noProfile},
		{"another kind", place + "alias/profile/web", own["profileArn"], "trustAnchorArn"},
		{"no name", place + "alias/trust-anchor/", own["profileArn"], "trustAnchorArn"},
		{"a slash at the end", own["trustAnchorArn"], place + "alias/profile/web/", "profileArn"},
	} {
		c := w.craft()
		c.body = strings.NewReplacer(own["trustAnchorArn"], tt.anchor, own["profileArn"], tt.profile).Replace(c.body)
		got := send(t, w.e, c.sign(t).wire())
		if tt.want == "" {
			got.created(t)
		} else if text := got.String(); !strings.Contains(text, tt.want) {
			t.Errorf("%s: %s, want %s", tt.name, text, tt.want)
		}
	}
	for _, s := range w.e.Sessions() {
		if s.TrustAnchorARN != own["trustAnchorArn"] || s.ProfileARN != own["profileArn"] {
			t.Errorf("a session names %s and %s", s.TrustAnchorARN, s.ProfileARN)
		}
	}
}

func TestNew_alias(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	for name, ok := range map[string]bool{
		"": true, "a": true, "A-b_1/x": true, strings.Repeat("a", 256): true, "aws": true, "awsx/y": true,
		strings.Repeat("a", 257): false, "1a": false, "-a": false, "a/": false, "/a": false, "a//b": false, "a.b": false, "ä": false, "aws/x": false, "a\n": false,
	} {
		_, anchorErr := New(Config{TrustAnchors: []TrustAnchor{{Alias: name, Certificates: root.pem()}}})
		_, profileErr := New(Config{TrustAnchors: []TrustAnchor{{Certificates: root.pem()}}, Profiles: []Profile{{Alias: name}}})
		if (anchorErr == nil) != ok || (profileErr == nil) != ok {
			t.Errorf("%q: %v, %v", name, anchorErr, profileErr)
		}
	}
	twice := []TrustAnchor{{Alias: "a", Certificates: root.pem()}, {Alias: "a", Certificates: root.pem()}}
	if _, err := New(Config{TrustAnchors: twice}); !rolesanywhere.IsAliasTaken(err) {
		t.Errorf("one alias for two trust anchors: %v", err)
	}
	e, err := New(Config{TrustAnchors: twice[:1], Profiles: []Profile{{Alias: "a"}}}) // of another kind
	if err != nil {
		t.Fatal(err)
	}
	if _, err := e.AddTrustAnchor(twice[1]); !rolesanywhere.IsAliasTaken(err) {
		t.Errorf("an alias added twice: %v", err)
	}
	other := Profile{ARN: strings.TrimSuffix(e.ProfileARN(), "1") + "2", Alias: "a"}
	if err := e.PutProfile(other); !rolesanywhere.IsAliasTaken(err) {
		t.Errorf("one alias for two profiles: %v", err)
	}
	if err := e.PutProfile(Profile{ARN: e.ProfileARN(), Alias: "a"}); err != nil {
		t.Errorf("the same profile again: %v", err)
	}
}
