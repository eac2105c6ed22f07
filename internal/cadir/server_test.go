package cadir

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

func TestParseSettings_server(t *testing.T) {
	t.Parallel()
	full := AWSSettings{TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: "arn:aws:iam::111122223333:role/path/web", Region: "eu-west-1"}
	busy := AWSSettings{SessionDuration: ca.Duration(12 * time.Hour), CreateSessionQuota: RequestRate{N: 10, Per: time.Second}}
	written := "trust_anchor_arn: " + anchorARN + ", profile_arn: " + profileARN + ", role_arn: 'arn:aws:iam::111122223333:role/path/web'"
	none := HookSettings{}.complete()
	tests := []struct {
		text string
		want ServerSettings
	}{
		{"", ServerSettings{TLS: "own", Hook: none}},
		{"{}", ServerSettings{TLS: "own", Hook: none}},
		{"{url: 'https://ca.example.com'}", ServerSettings{URL: "https://ca.example.com", TLS: "own", Hook: none}},
		{"{url: 'https://[2001:db8::1]:8443/pki', tls: system}", ServerSettings{URL: "https://[2001:db8::1]:8443/pki", TLS: "system", Hook: none}},
		{"{url: '', aws: {" + written + "}}", ServerSettings{TLS: "own", AWS: full, Hook: none}},
		{"{tls: own, aws: {" + written + ", region: eu-west-1}}", ServerSettings{TLS: "own", AWS: full, Hook: none}},
		{"{aws: {session_duration: 12h, create_session_quota: 10/s}}", ServerSettings{TLS: "own", AWS: busy, Hook: none}},
		{"{hook: {command: [/usr/bin/policy, -v]}}", ServerSettings{TLS: "own", Hook: HookSettings{[]string{"/usr/bin/policy", "-v"}, ca.Duration(5 * time.Second)}}},
	}
	for _, tt := range tests {
		s, err := ParseSettings([]byte("server: " + tt.text + "\n"))
		tt.want.Limits = LimitSettings{}.complete()
		tt.want.AWS, _ = tt.want.AWS.complete()
		if err != nil || !reflect.DeepEqual(s.Server, tt.want) {
			t.Errorf("%q: %+v, %v, want %+v", tt.text, s, err, tt.want)
		}
	}
}

func TestParseSettings_serverRefuses(t *testing.T) {
	t.Parallel()
	aws := func(anchor, profile, role, region string) string {
		return "aws: {trust_anchor_arn: '" + anchor + "', profile_arn: '" + profile + "', role_arn: '" + role + "', region: '" + region + "'}"
	}
	const role = "arn:aws:iam::111122223333:role/web"
	tests := []struct{ text, want string }{
		{"url: 'http://ca.example.com'", ": server.url: the URL must start with https://"},
		{"url: ca.example.com", ": server.url: the URL must start with https://"},
		{"url: 'https://'", ": server.url: the URL has no host"},
		{"url: 'https://:8443'", ": server.url: the URL has no host"},
		{"url: 'https://me:secret@ca.example.com'", ": server.url: the URL must have no user and no password"},
		{"url: 'http://me:secret@ca.example.com'", ": server.url: the URL must start with https://"},
		{"url: 'https://ca.example.com/#'", ": server.url: the URL must have no query and no fragment"},
		{"url: 'https://ca.example.com/?a=b'", ": server.url: "},
		{"url: 'https://ca.example.com?'", ": server.url: "},
		{"url: 'https://ca.example.com/#x'", ": server.url: "},
		{"url: \"https://ca.example.com/\\u001b[2J\"", ": server.url: "},
		{"url: 'https://ca.example.com/" + strings.Repeat("x", 500) + "'", ": server.url: the URL has more than "},
		{"url: 'https://ca.example.com/kedge/'", ": server.url: the path of the URL must have no slash at the end"},
		{"tls: public", `: server.tls: "public" is neither own nor system`},
		{"tsl: own", `:1: unknown key "tsl"`},
		{"http_url: ca.example.com", ": server.http_url: the URL must start with https://"},
		{"http_url: 'ftp://ca.example.com'", ": server.http_url: the URL must start with https://"},
		{"http_url: 'http://ca.example.com/?x'", ": server.http_url: the URL must have no query"},
		{"trusted_proxies: [proxy.example.com]", `: server.trusted_proxies: "proxy.example.com" is neither an address, a range such as 10.0.0.0/8, nor unix`},
		{"trusted_proxies: [10.0.0.0/8, 0.0.0.0/0]", ": server.trusted_proxies: a range of all addresses would let every host say"},
		{"trusted_proxies: ['::/0']", ": server.trusted_proxies: a range of all addresses"},
		{"trusted_proxies: ['::ffff:10.0.0.1']", `: server.trusted_proxies: "::ffff:10.0.0.1" is an IPv4 address within IPv6`},
		{"trusted_proxies: ['fe80::1%eth0']", ": server.trusted_proxies: "},
		{"limits: {address: 30}", `:1: server.limits.address: "30" needs a number and a unit: write such as 10/s`},
		{"limits: {address: 0/s}", `:1: server.limits.address: "0/s" needs a number and a unit`},
		{"limits: {host: 5/d}", `:1: server.limits.host: "5/d" needs a number`},
		{"limits: {host: -5/s}", `:1: server.limits.host: "-5/s" needs a number`},
		{"limits: {at_once: -1}", ": server.limits.at_once: -1 must be positive"},
		{"limits: {connections: -1}", ": server.limits.connections: -1 must be positive"},
		{"limits: {connections: 4097}", ": server.limits.connections: 4097 is more than 4096"},
		{"limits: {address_burst: -1}", ": server.limits.address_burst: -1 must be positive"},
		{"est: {on: true}", `:1: unknown key "on"`},
		{"est: true", `:1: server.est takes keys: est: {enabled: true}`},
		{"est: {enabled: maybe}", ":1: server.est.enabled: `maybe` is not what this key takes"},
		{"limits: {host: 5, address: 5}", `:1: "5" needs a number`},
		{"est: {labels: {cacerts: {}}}", `: server.est.labels: "cacerts" cannot be a label`},
		{"est: {labels: {'a/b': {}}}", `: server.est.labels: "a/b" cannot be a label`},
		{"est: {labels: {a: {}, \"\\e[2K\": {}}}", `: server.est.labels: "\x1b[2K" cannot be a label`},
		{"est: {labels: {a: {profil: web}}}", `:1: unknown key "profil"`},
		{"est: {labels: {a: {profile: nosuch}}}", `: server.est.labels: "a": there is no profile "nosuch"`},
		{aws(anchorARN, "", role, ""), ": server.aws: profile_arn: \"\" is not the ARN of a profile"},
		{aws("", profileARN, role, ""), ": server.aws: trust_anchor_arn: \"\" is not the ARN of a trust anchor"},
		{aws(anchorARN, profileARN, "", ""), ": server.aws: role_arn: \"\" is not the ARN of a role"},
		{aws(profileARN, anchorARN, role, ""), ": server.aws: trust_anchor_arn: "},
		{aws(anchorARN, strings.ReplaceAll(profileARN, "eu-west-1", "us-east-1"), role, ""), ": server.aws: profile_arn: must be in the partition"},
		{aws(anchorARN, profileARN, strings.ReplaceAll(role, "1111", "9999"), ""), ": server.aws: role_arn: must be in"},
		{aws(anchorARN, profileARN, strings.ReplaceAll(role, "arn:aws:", "arn:aws-cn:"), ""), ": server.aws: role_arn: must be in"},
		{aws(anchorARN, profileARN, role, "us-east-1"), ": server.aws: region: "},
		{aws(anchorARN, profileARN, role+"/", ""), ": server.aws: role_arn: "},
		{aws(anchorARN, profileARN, role+"\\u001b", ""), ": server.aws: role_arn: "},
		{aws(strings.ReplaceAll(anchorARN, "aws:r", "aws-cn:r"), profileARN, role, ""), ": server.aws: profile_arn: must be"},
		{"aws: {region: eu-west-1}", ": server.aws: trust_anchor_arn: \"\" is not the ARN of a trust anchor"},
		{"aws: {session_duration: 14m}", ": server.aws: session_duration: 14m is not between 15m and 12h"},
		{"aws: {session_duration: 13h}", ": server.aws: session_duration: 13h is not"},
		{"aws: {session_duration: hour}", `:1: server.aws.session_duration: "hour" is not`},
		{"aws: {create_session_quota: 10}", `:1: server.aws.create_session_quota: "10" needs a number and a unit: write such as 10/s, 100/m or 1000/h, or none`},
		{"aws: {trust_anchor: x}", `:1: unknown key "trust_anchor"`},
	}
	for _, tt := range tests {
		s, err := ParseSettings([]byte("server: {" + tt.text + "}\n"))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) {
			t.Errorf("%q: %+v, %v, want %s", tt.text, s, err, tt.want)
		}
		if err != nil && (strings.Contains(err.Error(), "\x1b") || strings.Contains(err.Error(), "secret")) {
			t.Errorf("%q: a control character or a password in %q", tt.text, err)
		}
	}
}

// TestServerSettings_limits: what rates mean, and that they are written as they are read.
func TestServerSettings_limits(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]float64{"30/s": 30, "90/m": 1.5, "36/h": 0.01, "none": 0, "1/s": 1, "2147483647/s": 2147483647} {
		var r RequestRate
		if err := r.UnmarshalText([]byte(text)); err != nil || r.PerSecond() != want {
			t.Errorf("%s: %v, %v", text, r.PerSecond(), err)
		}
		if written, err := r.MarshalText(); err != nil || string(written) != text {
			t.Errorf("%s is written as %s, %v", text, written, err)
		}
	}
}

func TestServerSettings_proxies(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[]": "{[] false}", "[unix]": "{[] true}", "[10.1.2.3]": "{[10.1.2.3/32] false}", "[10.1.2.3/8, unix]": "{[10.0.0.0/8] true}",
		"['2001:db8::1']": "{[2001:db8::1/128] false}", "['2001:db8::/32', 192.0.2.0/24]": "{[2001:db8::/32 192.0.2.0/24] false}",
	} {
		s, err := ParseSettings([]byte("server: {trusted_proxies: " + text + "}\n"))
		if err != nil {
			t.Errorf("%s: %v", text, err)
			continue
		}
		if p, err := s.Server.Proxies(); err != nil || fmt.Sprint(p) != want {
			t.Errorf("%s: %v, %v", text, p, err)
		}
	}
}
