package emulator

import (
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"math/big"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"
)

// TestCreateSession_answer checks what the certificate makes of the session.
func TestCreateSession_answer(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root)
	tests := []struct {
		name              string
		cn                string
		serial            int64
		identity, session string
	}{
		{"common name", "web-1", 0x5ec2e7, "CN=web-1", "5ec2e7"},
		{"serial of odd length", "web-1", 0xabc, "CN=web-1", "0abc"},
		{"61 characters", strings.Repeat("a", 61), 16, "CN=" + strings.Repeat("a", 61), "10"},
		{"62 characters", strings.Repeat("a", 62), 16, strings.Repeat("a", 62), "10"},
		{"64 characters", strings.Repeat("é", 64), 16, strings.Repeat("é", 64), "10"},
		{"65 characters", strings.Repeat("a", 65), 16, "ID=10", "10"},
		{"no common name", "", 0xabc, "ID=0abc", "0abc"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			template := leafTemplate()
			template.Subject.CommonName, template.SerialNumber = tt.cn, big.NewInt(tt.serial)
			got := send(t, e, newCraft(e, root.issue(t, template)).sign(t).wire()).created(t)
			set := got.CredentialSet[0]
			if set.SourceIdentity != tt.identity {
				t.Errorf("source identity %q, want %q", set.SourceIdentity, tt.identity)
			}
			if want := "arn:aws:sts::111122223333:assumed-role/kedge/" + tt.session; set.AssumedRoleUser.Arn != want {
				t.Errorf("arn %s, want %s", set.AssumedRoleUser.Arn, want)
			}
			c := set.Credentials
			for value, pattern := range map[string]string{
				c.AccessKeyID: `^ASIA[A-Z2-7]{16}$`, c.SecretAccessKey: `^[A-Za-z0-9+/]{40}$`, c.SessionToken: `^[A-Za-z0-9+/=]{100,}$`,
				set.AssumedRoleUser.AssumedRoleID: `^AROA[A-Z2-7]{17}:` + tt.session + `$`,
				got.SubjectArn:                    `^arn:aws:rolesanywhere:us-east-1:111122223333:subject/[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`,
			} {
				if !regexp.MustCompile(pattern).MatchString(value) {
					t.Errorf("%q does not look like %s", value, pattern)
				}
			}
		})
	}
}

func TestCreateSession_granted(t *testing.T) {
	t.Parallel()
	long := func(c *Config) {
		c.Roles = []Role{{MaxSessionDuration: 12 * time.Hour}}
		c.Profiles = []Profile{{Duration: 2 * time.Hour, AcceptRoleSessionName: true}}
	}
	tests := []struct {
		name     string
		change   func(*craft, *Emulator)
		duration time.Duration
		session  string
	}{
		{"the request is shorter", func(*craft, *Emulator) {}, 15 * time.Minute, "5ec2e7"},
		{"the profile is shorter", func(c *craft, _ *Emulator) { c.body = strings.Replace(c.body, "900", "43200", 1) }, 2 * time.Hour, "5ec2e7"},
		{"no duration", func(c *craft, _ *Emulator) { c.body = strings.Replace(c.body, `"durationSeconds":900,`, "", 1) }, 2 * time.Hour, "5ec2e7"},
		{"session name", func(c *craft, _ *Emulator) {
			c.body = strings.Replace(c.body, "{", `{"roleSessionName":"a=b,c.d@e-f_g+h",`, 1)
		}, 15 * time.Minute, "a=b,c.d@e-f_g+h"},
		{"members nobody knows", func(c *craft, _ *Emulator) {
			c.body = strings.Replace(c.body, "{", `{"instanceProperties":{"a":1},`, 1)
		}, 15 * time.Minute, "5ec2e7"},
		{"ARNs in the query, no body", func(c *craft, e *Emulator) {
			c.body = ""
			c.del("Content-Type")
			c.query = "profileArn=" + url.QueryEscape(e.ProfileARN()) + "&roleArn=" + url.QueryEscape(e.RoleARN()) + "&trustAnchorArn=" + url.QueryEscape(e.TrustAnchorARN())
		}, 2 * time.Hour, "5ec2e7"},
		{"Authorization without blanks", func(*craft, *Emulator) {}, 15 * time.Minute, "5ec2e7"},
		{"five minutes old", func(c *craft, _ *Emulator) { c.set("X-Amz-Date", "20261121T115500Z") }, 15 * time.Minute, "5ec2e7"},
		{"five minutes early", func(c *craft, _ *Emulator) { c.set("X-Amz-Date", "20261121T120500Z") }, 15 * time.Minute, "5ec2e7"},
		{"runs of blanks in a header", func(c *craft, _ *Emulator) { c.set("X-Other", "a b") }, 15 * time.Minute, "5ec2e7"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			root := newRoot(t, caTemplate("Root"))
			e := newEmulator(t, root, long)
			c := newCraft(e, root.issue(t, leafTemplate()))
			tt.change(c, e)
			c.sign(t)
			switch tt.name {
			case "Authorization without blanks":
				c.set("Authorization", strings.ReplaceAll(c.get("Authorization"), ", ", ","))
			case "runs of blanks in a header":
				c.set("X-Other", "a    b  ")
			}
			set := send(t, e, c.wire()).created(t).CredentialSet[0]
			if got := set.Credentials.Expiration.Sub(testNow); got != tt.duration {
				t.Errorf("duration %s, want %s", got, tt.duration)
			}
			if !strings.HasSuffix(set.AssumedRoleUser.Arn, "/"+tt.session) {
				t.Errorf("session %s, want %s", set.AssumedRoleUser.Arn, tt.session)
			}
		})
	}
}

func TestCreateSession_chains(t *testing.T) {
	t.Parallel()
	w := newChainWorld(t)
	send(t, w.e, newCraft(w.e, w.leaf, w.lower.cert, w.upper.cert, w.root.cert).sign(t).wire()).created(t) // the root is allowed
	// The longest path: five intermediates.
	issuer, chain := w.root, []*x509.Certificate{}
	for range maxChain {
		issuer = issuer.issue(t, caTemplate("CA "+string(rune('A'+len(chain)))))
		chain = append([]*x509.Certificate{issuer.cert}, chain...)
	}
	send(t, w.e, newCraft(w.e, issuer.issue(t, leafTemplate()), chain...).sign(t).wire()).created(t)
	// An anchor that is an intermediate itself, next to another CA.
	arn, err := w.e.AddTrustAnchor(TrustAnchor{Certificates: append(newRoot(t, caTemplate("Old")).pem(), w.lower.pem()...)})
	if err != nil {
		t.Fatal(err)
	}
	c := newCraft(w.e, w.leaf)
	c.body = strings.Replace(c.body, w.e.TrustAnchorARN(), arn, 1)
	send(t, w.e, c.sign(t).wire()).created(t)
}

func TestPrincipalTags(t *testing.T) {
	t.Parallel()
	directory, err := asn1.Marshal(pkix.Name{CommonName: "inner", Organization: []string{"Inside"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	second, err := asn1.Marshal(pkix.Name{CommonName: "second", Locality: []string{"There"}}.ToRDNSequence())
	if err != nil {
		t.Fatal(err)
	}
	names, err := asn1.Marshal([]asn1.RawValue{
		{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("first.example.com")},
		{Class: asn1.ClassContextSpecific, Tag: 2, Bytes: []byte("second.example.com")},
		{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte("spiffe://example.com/web")},
		{Class: asn1.ClassContextSpecific, Tag: 6, Bytes: []byte("spiffe://example.com/other")},
		{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: directory},
		{Class: asn1.ClassContextSpecific, Tag: 4, IsCompound: true, Bytes: second},
	})
	if err != nil {
		t.Fatal(err)
	}
	template := leafTemplate()
	template.Subject.OrganizationalUnit = []string{"A", "B"}
	template.DNSNames = nil
	template.ExtraExtensions = []pkix.Extension{{Id: asn1.ObjectIdentifier{2, 5, 29, 17}, Value: names}}
	tags := principalTags(newRoot(t, caTemplate("Root")).issue(t, template).cert)
	want := map[string]string{
		"x509Subject/CN": "web-1", "x509Subject/O": "Example", "x509Subject/OU": "A/B", "x509Issuer/CN": "Root",
		"x509SAN/DNS": "first.example.com", "x509SAN/URI": "spiffe://example.com/web", "x509SAN/Name/CN": "inner", "x509SAN/Name/O": "Inside",
	}
	for key, value := range want {
		if tags[key] != value {
			t.Errorf("%s is %q, want %q", key, tags[key], value)
		}
	}
	if len(tags) != len(want) {
		t.Errorf("tags: %v", tags)
	}
}
