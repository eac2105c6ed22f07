package emulator

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestNew_refused are configurations that the services would not take.
func TestNew_refused(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	anchor := func(change func(*x509.Certificate)) Config {
		template := caTemplate("Root")
		change(template)
		return Config{TrustAnchors: []TrustAnchor{{Certificates: newRoot(t, template).pem()}}}
	}
	good := []TrustAnchor{{Certificates: root.pem()}}
	tests := []struct {
		name, want string
		config     Config
	}{
		{"leaf as anchor", ErrBasicConstraints.Error(), anchor(func(c *x509.Certificate) { c.IsCA = false })},
		{"anchor without basic constraints", ErrBasicConstraints.Error(), anchor(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false })},
		{"leaf in a file", `trust anchor leaf.pem: certificate "`, Config{TrustAnchors: []TrustAnchor{{File: "leaf.pem", Certificates: newRoot(t, leafTemplate()).pem()}}}},
		{"anchor without keyCertSign", "keyCertSign", anchor(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageCRLSign })},
		{"three certificates", "holds 3 certificates", Config{TrustAnchors: []TrustAnchor{{Certificates: bytes.Repeat(root.pem(), 3)}}}},
		{"no certificate", "holds 0 certificates", Config{TrustAnchors: []TrustAnchor{{Certificates: []byte("hello")}}}},
		{"too long", "8000 is the most", Config{TrustAnchors: []TrustAnchor{{Certificates: append(root.pem(), bytes.Repeat([]byte("\n"), 8000)...)}}}},
		{"a key in the PEM", `a block "PRIVATE KEY"`, Config{TrustAnchors: []TrustAnchor{{Certificates: pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})}}}},
		{"a broken block in the PEM", "broken block", Config{TrustAnchors: []TrustAnchor{{Certificates: append(root.pem(), "-----BEGIN CERTIFICATE-----\nAAA!\n-----END CERTIFICATE-----\n"...)}}}},
		{"a cut block in the PEM", "broken block", Config{TrustAnchors: []TrustAnchor{{Certificates: append(root.pem()[30:], root.pem()...)}}}},
		{"anchor ARN", "is not an ARN", Config{TrustAnchors: []TrustAnchor{{ARN: "x", Certificates: root.pem()}}}},
		{"anchor twice", "configured twice", Config{TrustAnchors: []TrustAnchor{
			{ARN: "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a", Certificates: root.pem()},
			{ARN: "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/a", Certificates: root.pem()},
		}}},
		{"CRL", "the CRL cannot be read", Config{TrustAnchors: []TrustAnchor{{Certificates: root.pem(), CRLs: [][]byte{{1}}}}}},
		{"CRL too big", "300000 is the most", Config{TrustAnchors: []TrustAnchor{{Certificates: root.pem(), CRLs: [][]byte{make([]byte, 300_001)}}}}},
		{"profile's duration", "is not between 15m0s and 12h0m0s", Config{TrustAnchors: good, Profiles: []Profile{{Duration: time.Minute}}}},
		{"profile's roles", "of another account", Config{TrustAnchors: good, Profiles: []Profile{{RoleARNs: []string{"arn:aws:iam::999999999999:role/a"}}}}},
		{"role's duration", "is not between 1h0m0s and 12h0m0s", Config{TrustAnchors: good, Roles: []Role{{MaxSessionDuration: time.Minute}}}},
		{"role's source", "does not name a trust-anchor", Config{TrustAnchors: good, Roles: []Role{{TrustAnchorARNs: []string{"arn:aws:rolesanywhere:us-east-1:111122223333:profile/a"}}}}},
		{"user's key", "16 to 128 letters", Config{TrustAnchors: good, Users: []User{{ARN: "arn:aws:iam::111122223333:user/a", AccessKeyID: "short"}}}},
		{"user's key with a slash", "letters, digits and underscores", Config{TrustAnchors: good, Users: []User{{ARN: "arn:aws:iam::111122223333:user/a", AccessKeyID: "AKIA/IOSFODNN7EXAMPLE", SecretAccessKey: "x"}}}},
		{"partition of another region", "cn-north-1 is in the partition aws-cn", Config{TrustAnchors: []TrustAnchor{{ARN: "arn:aws:rolesanywhere:cn-north-1:111122223333:trust-anchor/x", Certificates: root.pem()}}}},
		{"region of a second anchor", "a region looks like", Config{TrustAnchors: append(good[:1:1], TrustAnchor{ARN: "arn:aws:rolesanywhere:mars:111122223333:trust-anchor/x", Certificates: root.pem()})}},
		{"role that is not UTF-8", "does not name a role", Config{TrustAnchors: good, Roles: []Role{{ARN: "arn:aws:iam::111122223333:role/\xff"}}}},
		{"region", "a region looks like", Config{TrustAnchors: good, Region: "mars"}},
		{"account", "an account is 12 digits", Config{TrustAnchors: good, Account: "1"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := New(tt.config); err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "\n") {
				t.Errorf("error %v, want one line with %s", err, tt.want)
			}
		})
	}
}

func TestConfig_partitions(t *testing.T) {
	t.Parallel()
	for region, partition := range map[string]string{
		"us-east-1": "aws", "cn-north-1": "aws-cn", "us-gov-west-1": "aws-us-gov", "eusc-de-east-1": "aws-eusc",
		"us-iso-east-1": "aws-iso", "us-isob-east-1": "aws-iso-b", "eu-isoe-west-1": "aws-iso-e", "us-isof-south-1": "aws-iso-f",
	} {
		e, err := New(Config{Region: region})
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:" + partition + ":rolesanywhere:" + region + ":111122223333:profile/"; !strings.HasPrefix(e.ProfileARN(), want) {
			t.Errorf("%s, want %s…", e.ProfileARN(), want)
		}
		if want := "arn:" + partition + ":iam::111122223333:role/kedge"; e.RoleARN() != want {
			t.Errorf("%s, want %s", e.RoleARN(), want)
		}
	}
}

func TestReadConfig(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	root := newRoot(t, caTemplate("Root"))
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("ca.pem", string(root.pem()))
	c, err := ReadConfig(write("good.json", `{"state": "state", "cloudTrail": "events.json", "trustAnchors": [{"certificates": "ca.pem"}],
		"profiles": [{"durationSeconds": 900, "acceptRoleSessionName": true}], "roles": [{"maxSessionDuration": 7200}],
		"users": [{"arn": "arn:aws:iam::111122223333:user/a", "accessKeyId": "AKIAIOSFODNN7EXAMPLE", "secretAccessKey": "x"}],
		"conditions": {"requestRate": 1, "propagationDelaySeconds": 10, "staleReads": true, "lostAnswers": 0.1, "seed": 7}, "faults": ["iam:lost@3"]}`))
	if err != nil {
		t.Fatal(err)
	}
	if c.StateDir != filepath.Join(dir, "state") || c.CloudTrail != filepath.Join(dir, "events.json") || c.Profiles[0].Duration != 15*time.Minute || !c.Profiles[0].AcceptRoleSessionName || c.Roles[0].MaxSessionDuration != 2*time.Hour {
		t.Errorf("configuration: %+v", c)
	}
	if want := (Conditions{1, 10 * time.Second, true, 0.1, 7}); c.Conditions != want || len(c.Faults) != 1 || c.Faults[0].String() != "iam:lost@3" {
		t.Errorf("conditions: %+v, faults %v", c.Conditions, c.Faults)
	}
	if _, err := New(c); err != nil {
		t.Error(err)
	}
	for text, want := range map[string]string{
		`{"trustanchors": []}`:             `the member "trustanchors" at /trustanchors is unknown`,
		"{\n\"roles\":,}":                  "line 2: it is not JSON from here on",
		`{"roles": [{"trustPolicy": ""}]}`: "trustPolicy: it is empty: give the policy, or the name of its file",
		`[]`:                               "it is not a JSON object",
		`{"trustAnchors": [{"certificates": "ca.pem", "enabled": true}]}`: `the member "enabled" at /trustAnchors/0/enabled is unknown`,
		`{"region": "a", "region": "b"}`:                                  `line 1: the member "region" is there twice`,
		`{"profiles": [{"durationSeconds": "900"}]}`:                      "/profiles/0/durationSeconds is not what this member takes",
		`{"profiles": [{"durationSeconds": 0}]}`:                          "durationSeconds: 0 seconds is not between 1 and 43200",
		`{"profiles": [{"durationSeconds": 36028797018967568}]}`:          "is not between 1 and 43200", // times 1e9 it wraps to an hour
		`{"roles": [{"maxSessionDuration": -1}]}`:                         "maxSessionDuration: -1 seconds is not between",
		`{"trustAnchors": [{"certificates": "no.pem"}]}`:                  "no.pem: no such file",
		`{"trustAnchors": [{}]}`:                                          "directory",
		`{"conditions": {"lostAnswers": 2}}`:                              "conditions: the share of lost answers 2 is not between 0 and 1",
		`{"faults": ["lost@0"]}`:                                          "fault \"lost@0\": the first request: it must be at least 1",
		``:                                                                "it is empty",
		strings.Repeat(" ", maxFile+1):                                    "larger than",
	} {
		path := write("bad.json", text)
		if _, err := ReadConfig(path); err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), dir) {
			t.Errorf("%.80q: %v, want %s and the file", text, err, want)
		}
	}
}

func TestReadFile_notAFile(t *testing.T) {
	t.Parallel()
	for _, path := range []string{t.TempDir(), os.DevNull} {
		if _, err := ReadFile(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestProfile_explicitlyWithoutRoles(t *testing.T) {
	t.Parallel()
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root, func(c *Config) { c.Profiles = []Profile{{RoleARNs: []string{}}} })
	if got := send(t, e, newCraft(e, root.issue(t, leafTemplate())).sign(t).wire()).String(); got != notListed {
		t.Errorf("answer %s, want %s", got, notListed)
	}
}

// TestLog: the log says why, with the canonical request, and holds no secret and no line that
// a client wrote.
func TestLog(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	root := newRoot(t, caTemplate("Root"))
	e := newEmulator(t, root, func(c *Config) { c.Log = &log })
	leaf := root.issue(t, leafTemplate())
	set := send(t, e, newCraft(e, leaf).sign(t).wire()).created(t).CredentialSet[0].Credentials

	c := newCraft(e, leaf).sign(t)
	c.query = "a=b"
	send(t, e, c.wire())
	c = newCraft(e, leaf)
	c.serial = leaf.cert.SerialNumber.Text(16)
	send(t, e, c.sign(t).wire())
	send(t, e, "GET /?X-Amz-Security-Token="+strings.ReplaceAll(uriEncoded(set.SessionToken), "+", "%2B")+"&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+
		set.AccessKeyID+"/20261121/us-east-1/sts/aws4_request&X-Amz-Date=20261121T120000Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00&Action=%0A12:00:00+GetCallerIdentity+200 HTTP/1.1\r\nHost: h\r\n\r\n")

	text := log.String()
	for _, want := range []string{
		"CreateSession 201 arn:aws:sts::111122223333:assumed-role/kedge/5ec2e7, source identity \"CN=web-1\"",
		"because the signature does not verify with the leaf's key", "    POST\n    /sessions\n    a=b\n    content-type:application/json\n",
		"the Credential names the serial number \"5ec2e7\"; the leaf's is 6210279, in decimal",
		"403 SignatureDoesNotMatch", "X-Amz-Security-Token=(hidden)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the log lacks %q", want)
		}
	}
	for _, secret := range []string{set.SecretAccessKey, set.SessionToken, uriEncoded(set.SessionToken), "\n12:00:00 GetCallerIdentity 200"} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %q", secret)
		}
	}
	if t.Failed() {
		t.Log(text)
	}
}
