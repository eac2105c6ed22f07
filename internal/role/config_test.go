package role

import (
	"crypto/x509"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"kedge/internal/config"
	"kedge/signer/session"
)

const (
	anchorARN  = "arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/11111111-2222-3333-4444-555555555555"
	profileARN = "arn:aws:rolesanywhere:eu-west-1:111122223333:profile/11111111-2222-3333-4444-555555555555"
	roleARN    = "arn:aws:iam::111122223333:role/r"
	otherARN   = "arn:aws:iam::444455556666:role/o"
)

// settings are complete ones, of files that are not there, changed a little.
func settings(change func(s *Settings)) Settings {
	s := Settings{
		KeyFlags: config.KeyFlags{Certificate: "/none/cert.pem", PrivateKey: "/none/key.pem"},
		Role:     roleARN, Profile: profileARN, TrustAnchor: anchorARN, Seconds: 3600, Timeout: time.Minute, Attempts: 3,
	}
	change(&s)
	return s
}

// TestNewConfig: each setting goes where it belongs, and nothing is opened: none of the files is there.
func TestNewConfig(t *testing.T) {
	t.Parallel()
	first := func(c *Config) session.AssumeConfig { return c.chain.Roles[0] }
	last := func(c *Config) session.AssumeConfig { return c.chain.Roles[len(c.chain.Roles)-1] }
	assuming := func(change func(s *Settings)) func(s *Settings) {
		return func(s *Settings) {
			s.Assumed = []string{roleARN, otherARN}
			change(s)
		}
	}
	for _, tt := range []struct {
		name   string
		change func(s *Settings)
		get    func(c *Config) any
		want   any
	}{
		{"--role-arn", func(s *Settings) { s.Role = otherARN }, func(c *Config) any { return c.session.RoleARN }, otherARN},
		{"--profile-arn", func(s *Settings) { s.Profile = "p" }, func(c *Config) any { return c.session.ProfileARN }, "p"},
		{"--trust-anchor-arn", func(s *Settings) { s.TrustAnchor = "t" }, func(c *Config) any { return c.session.TrustAnchorARN }, "t"},
		{"--session-duration", func(s *Settings) { s.Seconds = 900 }, func(c *Config) any { return c.session.Duration }, 15 * time.Minute},
		{"--role-session-name", func(s *Settings) { s.SessionName = "n" }, func(c *Config) any { return c.session.RoleSessionName }, "n"},
		{"--region", func(s *Settings) { s.Region = "eu-west-2" }, func(c *Config) any { return c.session.Region }, "eu-west-2"},
		{"--endpoint", func(s *Settings) { s.Endpoint = "http://[::1]:1" }, func(c *Config) any { return c.session.Endpoint }, "http://[::1]:1"},
		{"--no-verify-ssl", func(s *Settings) { s.NoVerify = true }, func(c *Config) any { return c.session.InsecureSkipVerify }, true},
		{"--fips", func(s *Settings) { s.FIPS = true }, func(c *Config) any { return c.session.FIPS }, true},
		{"--dual-stack", func(s *Settings) { s.DualStack = true }, func(c *Config) any { return c.session.DualStack }, true},
		{"--timeout", func(s *Settings) { s.Timeout = time.Second }, func(c *Config) any { return c.session.Timeout }, time.Second},
		{"--max-attempts", func(s *Settings) { s.Attempts = 7 }, func(c *Config) any { return c.session.MaxAttempts }, 7},
		{"no chain", func(*Settings) {}, func(c *Config) any { return c.chain.Roles == nil }, true},
		{"the final role", func(*Settings) {}, func(c *Config) any { return c.Settings().FinalRole() }, roleARN},
		{"the final role of a chain", assuming(func(*Settings) {}), func(c *Config) any { return c.Settings().FinalRole() }, otherARN},
		{"--assume-role-arn", assuming(func(*Settings) {}), func(c *Config) any { return last(c).RoleARN }, otherARN},
		{"--external-id for the last", assuming(func(s *Settings) { s.ExternalIDs = []string{"x"} }), func(c *Config) any { return first(c).ExternalID + "," + last(c).ExternalID }, ",x"},
		{"--external-id for each", assuming(func(s *Settings) { s.ExternalIDs = []string{"x", "y"} }), func(c *Config) any { return first(c).ExternalID + "," + last(c).ExternalID }, "x,y"},
		{"--assume-role-session-name", assuming(func(s *Settings) { s.AssumeName = "n" }), func(c *Config) any { return first(c).SessionName + last(c).SessionName }, "nn"},
		{"--assume-role-duration", assuming(func(s *Settings) { s.AssumeSeconds = 1200 }), func(c *Config) any { return last(c).Duration }, 20 * time.Minute},
		{"a chain is as long as the session", assuming(func(s *Settings) { s.Seconds = 1000 }), func(c *Config) any { return last(c).Duration }, 1000 * time.Second},
		{"but an hour at most", assuming(func(s *Settings) { s.Seconds = 7200 }), func(c *Config) any { return last(c).Duration }, time.Hour},
		{"and short in between", assuming(func(*Settings) {}), func(c *Config) any { return first(c).Duration }, 15 * time.Minute},
		{"--policy", assuming(func(s *Settings) { s.Policy = "{}" }), func(c *Config) any { return first(c).Policy + "," + last(c).Policy }, ",{}"},
		{"--policy-arn", assuming(func(s *Settings) { s.PolicyARNs = []string{"a"} }), func(c *Config) any { return last(c).PolicyARNs }, []string{"a"}},
		{"--tag", assuming(func(s *Settings) { s.Tags = []string{"a=b=c"} }), func(c *Config) any { return last(c).Tags }, []session.Tag{{Key: "a", Value: "b=c"}}},
		{"--transitive-tag", assuming(func(s *Settings) { s.Lasting = []string{"a="} }), func(c *Config) any { return first(c).Tags }, []session.Tag{{Key: "a", Transitive: true}}},
		{"--sts-endpoint", assuming(func(s *Settings) { s.STSEndpoint = "http://[::1]:2" }), func(c *Config) any { return c.chain.Endpoint }, "http://[::1]:2"},
	} {
		c, err := NewConfig(settings(tt.change), config.Environment{})
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := tt.get(c); !reflect.DeepEqual(got, tt.want) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

// TestNewConfig_environment: variables count where no flag is given.
func TestNewConfig_environment(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	proxyOf := func(c *Config) string {
		if c.session.Proxy == nil {
			return ""
		}
		r, _ := http.NewRequest(http.MethodPost, "https://rolesanywhere.eu-west-1.amazonaws.com", nil)
		u, err := c.session.Proxy(r)
		if err != nil || u == nil {
			return ""
		}
		return u.Host
	}
	bundleOf := func(c *Config) string {
		_, _, err := c.bundle.Roots()
		if bundle, ok := errors.AsType[*config.BundleError](err); ok {
			return bundle.Setting
		}
		return ""
	}
	deviceOf := func(c *Config) string { return c.keys.Options(config.Host{}).Device }
	helperOf := func(c *Config) string { return c.keys.Options(config.Host{}).Helper }
	none := func(*Settings) {}
	for _, tt := range []struct {
		env    string
		change func(s *Settings)
		get    func(c *Config) string
		want   string
	}{
		{"", none, proxyOf, ""},
		{"HTTPS_PROXY=http://v:1", none, proxyOf, "v:1"},
		{"HTTPS_PROXY=http://v:1", func(s *Settings) { s.Proxy = "http://f:1" }, proxyOf, "f:1"},
		{"HTTPS_PROXY=http://v:1", func(s *Settings) { s.Proxy = "none" }, proxyOf, ""},
		{"HTTPS_PROXY=http://v:1 NO_PROXY=.amazonaws.com", none, proxyOf, ""},
		{"HTTPS_PROXY=http://v:1 NO_PROXY=.amazonaws.com", func(s *Settings) { s.Proxy = "http://f:1" }, proxyOf, "f:1"},
		{"", none, bundleOf, ""},
		{"AWS_CA_BUNDLE=" + folder, none, bundleOf, "AWS_CA_BUNDLE"},
		{"AWS_CA_BUNDLE=" + folder, func(s *Settings) { s.CABundle = filepath.Join(folder, "none") }, bundleOf, "--ca-bundle"},
		{"TPM_DEVICE=/dev/tpm7", none, deviceOf, "/dev/tpm7"},
		{"", none, deviceOf, ""},
		{"KEDGE_PKCS11_HELPER=/opt/helper", none, helperOf, "/opt/helper"},
		{"", none, helperOf, ""},
	} {
		c, err := NewConfig(settings(tt.change), config.Environment(strings.Fields(tt.env)))
		if err != nil {
			t.Errorf("%s: %v", tt.env, err)
			continue
		}
		if got := tt.get(c); got != tt.want {
			t.Errorf("%s: %q, want %q", tt.env, got, tt.want)
		}
	}
}

// TestNewConfig_refused: each mistake names its flag, before anything is tried.
func TestNewConfig_refused(t *testing.T) {
	t.Parallel()
	given := func(flags ...string) func(string) bool {
		return func(flag string) bool { return strings.Contains(strings.Join(flags, " "), flag) }
	}
	chained := func(change func(s *Settings)) func(s *Settings) {
		return func(s *Settings) {
			s.Assumed = []string{otherARN}
			change(s)
		}
	}
	for _, tt := range []struct {
		flag   string
		change func(s *Settings)
		says   string
	}{
		{"certificate", func(s *Settings) { s.Certificate = "fd:x" }, "fd:3"},
		{"private-key", func(s *Settings) { s.PrivateKey = "file:" }, "needs a path"},
		{"private-key", func(s *Settings) { s.Certificate, s.PrivateKey = "-", "-" }, "read by --certificate already"},
		{"timeout", func(s *Settings) { s.Timeout = 0 }, "more than zero"},
		{"max-attempts", func(s *Settings) { s.Attempts = 0 }, "1 to 10"},
		{"max-attempts", func(s *Settings) { s.Attempts = 11 }, "1 to 10"},
		{"session-duration", func(s *Settings) { s.Seconds = 899 }, "900 to 43200"},
		{"session-duration", func(s *Settings) { s.Seconds = 43201 }, "900 to 43200"},
		{"proxy", func(s *Settings) { s.Proxy = "ftp://x" }, "the scheme"},
		{"ca-bundle", func(s *Settings) { s.CABundle = "-" }, "needs a file"},
		{"endpoint", func(s *Settings) { s.Endpoint = "x" }, "http"},
		{"region", func(s *Settings) { s.Region = "no region" }, "region"},
		{"role-session-name", func(s *Settings) { s.SessionName = "?" }, "name"},
		{"trust-anchor-arn", func(s *Settings) { s.TrustAnchor = "x" }, "trust anchor ARN"},
		{"role-arn", func(s *Settings) { s.Role = anchorARN }, "role ARN"},
		{"external-id", func(s *Settings) { s.Given = given("external-id") }, "--assume-role-arn, which is missing"},
		{"policy", func(s *Settings) { s.Given = given("policy") }, "--assume-role-arn, which is missing"},
		{"external-id", chained(func(s *Settings) { s.ExternalIDs = []string{"a", "b"} }), "2 external ids for 1 roles"},
		{"assume-role-duration", chained(func(s *Settings) { s.Given = given("assume-role-duration") }), "900 to 3600 seconds, not 0"},
		{"assume-role-arn", func(s *Settings) { s.Assumed = []string{"x"} }, "role ARN"},
		{"tag", chained(func(s *Settings) { s.Tags = []string{"=b"} }), "KEY=VALUE"},
		{"transitive-tag", chained(func(s *Settings) { s.Lasting = []string{"a"} }), "KEY=VALUE"},
		{"policy-arn", chained(func(s *Settings) { s.PolicyARNs = []string{"x"} }), "x"},
		{"sts-endpoint", chained(func(s *Settings) { s.STSEndpoint = "x" }), "http"},
	} {
		c, err := NewConfig(settings(tt.change), config.Environment{})
		if err == nil {
			err = c.Check()
		}
		flag := ""
		if wrong, ok := errors.AsType[*config.FlagError](err); ok {
			flag = wrong.Flag
		} else if wrong, ok := errors.AsType[*ARNError](err); ok {
			flag = wrong.Flag
		}
		if flag != tt.flag || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("--%s: --%s, %v, want one with %q", tt.flag, flag, err, tt.says)
		}
	}
	_, err := NewConfig(settings(func(s *Settings) { s.Role, s.Certificate, s.PrivateKey = "", "", "" }), nil)
	if missing, ok := errors.AsType[*MissingError](err); !ok || missing.Error() != "missing --role-arn, --certificate" {
		t.Errorf("%v", err)
	}
}

// TestConfig_roots: a bundle is not read where nothing is asked with TLS, unless a flag names it.
func TestConfig_roots(t *testing.T) {
	t.Parallel()
	empty := filepath.Join(t.TempDir(), "empty.pem")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	plain := func(s *Settings) { s.Endpoint = "http://127.0.0.1:1" }
	for _, tt := range []struct {
		name   string
		change func(s *Settings)
		read   bool
	}{
		{"with TLS", func(*Settings) {}, true},
		{"without", plain, false},
		{"without, but a flag names it", func(s *Settings) { plain(s); s.CABundle = empty }, true},
		{"without, through a proxy", func(s *Settings) { plain(s); s.Proxy = "http://p:1" }, true},
		{"without, but STS with TLS", func(s *Settings) { plain(s); s.Assumed = []string{otherARN} }, true},
		{"neither", func(s *Settings) { plain(s); s.Assumed, s.STSEndpoint = []string{otherARN}, "http://[::1]:2" }, false},
	} {
		c, err := NewConfig(settings(tt.change), config.Environment{"AWS_CA_BUNDLE=" + empty})
		if err != nil {
			t.Fatal(err)
		}
		var roots *x509.CertPool
		if roots, _, err = c.roots(); (err != nil) != tt.read || roots != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
