package session

import (
	"errors"
	"net/url"
	"strings"
	"testing"
	"time"
)

// Hosts as the AWS SDKs make them from partitions.json.
func TestClient_Endpoint(t *testing.T) {
	t.Parallel()
	tests := []struct {
		partition, region, plain, dual string
	}{
		{"aws", "eu-west-1", "eu-west-1.amazonaws.com", "eu-west-1.api.aws"},
		{"aws-cn", "cn-north-1", "cn-north-1.amazonaws.com.cn", "cn-north-1.api.amazonwebservices.com.cn"},
		{"aws-us-gov", "us-gov-west-1", "us-gov-west-1.amazonaws.com", "us-gov-west-1.api.aws"},
		{"aws-eusc", "eusc-de-east-1", "eusc-de-east-1.amazonaws.eu", "eusc-de-east-1.api.amazonwebservices.eu"},
		{"aws-iso", "us-iso-east-1", "us-iso-east-1.c2s.ic.gov", "us-iso-east-1.api.aws.ic.gov"},
		{"aws-iso-b", "us-isob-east-1", "us-isob-east-1.sc2s.sgov.gov", "us-isob-east-1.api.aws.scloud"},
		{"aws-iso-e", "eu-isoe-west-1", "eu-isoe-west-1.cloud.adc-e.uk", "eu-isoe-west-1.api.cloud-aws.adc-e.uk"},
		{"aws-iso-f", "us-isof-south-1", "us-isof-south-1.csp.hci.ic.gov", "us-isof-south-1.api.aws.hci.ic.gov"},
	}
	for _, tt := range tests {
		in := strings.NewReplacer("arn:aws:", "arn:"+tt.partition+":", "eu-west-1", tt.region)
		cfg := Config{TrustAnchorARN: in.Replace(anchorARN), ProfileARN: in.Replace(profileARN), RoleARN: in.Replace(roleARN), Now: start}
		for _, variant := range []struct {
			fips, dual bool
			want       string
		}{
			{false, false, "https://rolesanywhere." + tt.plain},
			{true, false, "https://rolesanywhere-fips." + tt.plain},
			{false, true, "https://rolesanywhere." + tt.dual},
			{true, true, "https://rolesanywhere-fips." + tt.dual},
		} {
			cfg.FIPS, cfg.DualStack = variant.fips, variant.dual
			c, err := New(cfg)
			if err != nil {
				t.Errorf("%s: %v", variant.want, err)
				continue
			}
			if c.Endpoint() != variant.want || c.Region() != tt.region {
				t.Errorf("got %s for %s, want %s for %s", c.Endpoint(), c.Region(), variant.want, tt.region)
			}
		}
	}
}

func TestNew_endpointGiven(t *testing.T) {
	t.Parallel()
	tests := []struct{ given, posted string }{
		{"https://vpce-1.example.com", "https://vpce-1.example.com/sessions"},
		{"HTTPS://vpce-1.example.com:8443/", "https://vpce-1.example.com:8443/sessions"},
		{"https://gateway.example.com/aws/ra", "https://gateway.example.com/aws/ra/sessions"},
		{"http://127.0.0.1:8080", "http://127.0.0.1:8080/sessions"},
		{"http://[::1]:8080/x/", "http://[::1]:8080/x/sessions"},
		{"http://localhost:8080", "http://localhost:8080/sessions"},
	}
	for _, tt := range tests {
		c, err := New(Config{TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: roleARN, Endpoint: tt.given, Now: start})
		if err != nil {
			t.Errorf("%s: %v", tt.given, err)
			continue
		}
		if got, _, _ := strings.Cut(c.url.String(), "?"); got != tt.posted {
			t.Errorf("%s: posts to %s", tt.given, got)
		}
	}
}

func TestNew_config(t *testing.T) {
	t.Parallel()
	unknown := strings.NewReplacer("arn:aws:", "arn:aws-moon:")
	tests := []struct {
		name   string
		change func(*Config)
		field  string // empty: it is fine
		want   string
	}{
		{"nothing more", func(*Config) {}, "", ""},
		{"least duration", func(c *Config) { c.Duration = 900 * time.Second }, "", ""},
		{"longest duration", func(c *Config) { c.Duration = 43200 * time.Second }, "", ""},
		{"too short", func(c *Config) { c.Duration = 899 * time.Second }, "Duration", "a session lasts 900 to 43200 seconds, not 899"},
		{"too long", func(c *Config) { c.Duration = 43201 * time.Second }, "Duration", "a session lasts 900 to 43200 seconds, not 43201"},
		{"negative", func(c *Config) { c.Duration = -time.Second }, "Duration", "a session lasts 900 to 43200 seconds, not -1"},
		{"half a second", func(c *Config) { c.Duration = 900*time.Second + time.Second/2 }, "Duration", "a session lasts whole seconds, not 900.5"},
		{"name", func(c *Config) { c.RoleSessionName = "web_1+=,.@-" }, "", ""},
		{"name of 64", func(c *Config) { c.RoleSessionName = strings.Repeat("x", 64) }, "", ""},
		{"name of 1", func(c *Config) { c.RoleSessionName = "x" }, "RoleSessionName", `role session name "x" has 1 characters: it must have 2 to 64`},
		{"name of 65", func(c *Config) { c.RoleSessionName = strings.Repeat("x", 65) }, "RoleSessionName", "has 65 characters"},
		{"name with a space", func(c *Config) { c.RoleSessionName = "web 1" }, "RoleSessionName", `role session name "web 1" has a character other than letters, digits and _+=,.@-`},
		{"name beyond ASCII", func(c *Config) { c.RoleSessionName = "wéb" }, "RoleSessionName", "has a character other than"},
		{"its own region", func(c *Config) { c.Region = "eu-west-1" }, "", ""},
		{"another region", func(c *Config) { c.Region = "us-east-1" }, "Region", "region us-east-1 is given, but the trust anchor is in eu-west-1: sessions are made there"},
		{"another region there", func(c *Config) { c.Region, c.Endpoint = "us-east-1", "https://x.example" }, "", ""},
		{"region that escapes", func(c *Config) { c.Region = "x.evil.example/" }, "Region", `region "x.evil.example/" is no name like eu-west-1`},
		{"unknown partition", func(c *Config) {
			c.TrustAnchorARN, c.ProfileARN, c.RoleARN = unknown.Replace(anchorARN), unknown.Replace(profileARN), unknown.Replace(roleARN)
		}, "Endpoint", `partition "aws-moon" is not known: give the endpoint of its IAM Roles Anywhere`},
		{"no scheme", func(c *Config) { c.Endpoint = "localhost:8080" }, "Endpoint", `endpoint "localhost:8080" has no scheme: put https:// before it`},
		{"other scheme", func(c *Config) { c.Endpoint = "ftp://x.example" }, "Endpoint", `endpoint "ftp://x.example" has the scheme "ftp", not https`},
		{"no host", func(c *Config) { c.Endpoint = "https://" }, "Endpoint", "has no host"},
		{"no port", func(c *Config) { c.Endpoint = "https://x.example:" }, "Endpoint", "has no host, or a colon without a port"},
		{"no address", func(c *Config) { c.Endpoint = "https://x.example:port" }, "Endpoint", `endpoint "https://x.example:port" is not an address like https://host`},
		{"query", func(c *Config) { c.Endpoint = "https://x.example/?a=b" }, "Endpoint", "has a query or a fragment"},
		{"fragment", func(c *Config) { c.Endpoint = "https://x.example/#" }, "Endpoint", "has a query or a fragment"},
		{"host beyond ASCII", func(c *Config) { c.Endpoint = "https://münchen.example" }, "Endpoint", "has a host that is not sent as it is signed: write it in ASCII (xn--…)"},
		{"host beyond ASCII, escaped", func(c *Config) { c.Endpoint = "https://m%C3%BCnchen.example" }, "Endpoint", "has a host that is not sent as it is signed"},
		{"host with a zone", func(c *Config) { c.Endpoint = "https://[fe80::1%25eth0]" }, "Endpoint", "has a host that is not sent as it is signed"},
		{"host in Punycode", func(c *Config) { c.Endpoint = "https://xn--mnchen-3ya.example" }, "", ""},
		{"user", func(c *Config) { c.Endpoint = "https://u:hunter2@x.example" }, "Endpoint", "the endpoint has a user name in it, which the service has no use for"},
		{"user in a bad address", func(c *Config) { c.Endpoint = "https://u:hunter2@x.example:port" }, "Endpoint", "the endpoint has a user name in it"},
		{"user without a scheme", func(c *Config) { c.Endpoint = "u:hunter2@x.example" }, "Endpoint", "the endpoint has a user name in it"},
		{"clear text", func(c *Config) { c.Endpoint = "http://x.example" }, "Endpoint", `endpoint "http://x.example" would send the credentials in clear text: use https, or a loopback address`},
		{"clear text that was asked for", func(c *Config) { c.Endpoint, c.InsecureSkipVerify = "http://x.example", true }, "", ""},
		{"FIPS of an endpoint", func(c *Config) { c.Endpoint, c.FIPS = "https://x.example", true }, "Endpoint", `endpoint "https://x.example" is given: FIPS and dual stack choose between the endpoints of AWS`},
		{"negative timeout", func(c *Config) { c.Timeout = -1 }, "Timeout", "the timeout -1ns is negative"},
		{"eleven attempts", func(c *Config) { c.MaxAttempts = 11 }, "MaxAttempts", "11 attempts: there can be 1 to 10"},
		{"user agent of two lines", func(c *Config) { c.UserAgent = "a\r\nb: c" }, "UserAgent", "control characters"},
		{"no clock", func(c *Config) { c.Now = nil }, "Now", "the configuration has no clock: set Now to time.Now"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: roleARN, Now: start}
			tt.change(&cfg)
			_, err := New(cfg)
			if tt.field == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if e, ok := errors.AsType[*ConfigError](err); !ok || e.Field != tt.field || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "hunter2") {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// FuzzEndpoint: an address that is taken leads to its own host over http or https, carries
// no user name, and is not read differently when it is sent to.
func FuzzEndpoint(f *testing.F) {
	for _, s := range []string{"https://x.example", "http://127.0.0.1:80/a/", "https://x.example:", "x.example", "https://u@x.example", "https://x.example/%2f//?", "https://[::1%25a]:1", "\x1b", strings.Repeat("h", 5*maxText) + "://"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		c, err := New(Config{TrustAnchorARN: anchorARN, ProfileARN: profileARN, RoleARN: roleARN, Endpoint: s, Now: start})
		if err != nil {
			if text := err.Error(); len(text) > 5*maxText || strings.ContainsAny(text, "\n\r\x1b") {
				t.Fatalf("refused with %q", text)
			}
			return
		}
		again, err := url.Parse(c.url.String())
		if err != nil || again.Host != c.url.Host || again.User != nil || again.RawQuery != c.arns.query() || !strings.HasSuffix(again.Path, "/sessions") {
			t.Fatalf("%q posts to %q: %v", s, c.url, err)
		}
		if c.url.Scheme != "https" && !isLoopback(c.url.Hostname()) {
			t.Fatalf("%q posts to %q", s, c.url)
		}
	})
}
