package main

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"reflect"
	"testing"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/role"
)

// TestResolve: a flag goes before a variable, that before the profile, that before the defaults of the
// file, and those before kedge's. What is left is what a role is made of; where it came from is kept.
func TestResolve(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "config.yaml")
	writeFile(t, file, `
defaults:
  certificate: default.pem
  private-key: default.key
  trust-anchor-arn: arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/default
  profile-arn: arn:aws:rolesanywhere:eu-west-1:111122223333:profile/default
  role-arn: arn:aws:iam::111122223333:role/default
  region: eu-west-1
  timeout: 20s
  max-attempts: 2
profiles:
  one:
    role-arn: arn:aws:iam::111122223333:role/one
    region: eu-west-2
    timeout: 30s
    fips: true
    assume-role-arn: [arn:aws:iam::111122223333:role/a, arn:aws:iam::111122223333:role/b]
    key-password-from: password
  two:
    role-arn: arn:aws:iam::111122223333:role/two
    pkcs11-lib: softhsm2
credential-process:
  cache: off
`)
	const arn = "arn:aws:iam::111122223333:role/"
	get := func(f func(s *role.Settings) any) func(*credentialProcessOptions) any {
		return func(o *credentialProcessOptions) any { return f(o.role.Settings()) }
	}
	regionOf := get(func(s *role.Settings) any { return s.Region })
	roleOf := get(func(s *role.Settings) any { return s.Role })
	timeoutOf := get(func(s *role.Settings) any { return s.Timeout })
	at := func(line int) string { return fmt.Sprintf("%s:%d", file, line) }
	for _, tt := range []struct {
		name     string
		args     []string
		env      config.Environment
		get      func(o *credentialProcessOptions) any
		want     any
		flag     string // of which the origin is asked
		wantFrom string
	}{
		{"kedge's", nil, nil, get(func(s *role.Settings) any { return s.Seconds }), 3600, "session-duration", ""},
		{"the file's defaults", nil, nil, regionOf, "eu-west-1", "region", at(8)},
		{"a path in the file", nil, nil, get(func(s *role.Settings) any { return s.Certificate }), filepath.Join(dir, "default.pem"), "certificate", at(3)},
		{"a number", nil, nil, get(func(s *role.Settings) any { return s.Attempts }), 2, "max-attempts", at(10)},
		{"the profile", []string{"--profile", "one"}, nil, regionOf, "eu-west-2", "region", at(14)},
		{"the profile of a variable", nil, config.Environment{"KEDGE_PROFILE=two"}, roleOf, arn + "two", "role-arn", at(20)},
		{"a flag's profile before it", []string{"--profile", "one"}, config.Environment{"KEDGE_PROFILE=two"}, roleOf, arn + "one", "role-arn", at(13)},
		{"the profile leaves the defaults", []string{"--profile", "two"}, nil, regionOf, "eu-west-1", "region", at(8)},
		{"another profile's is none", []string{"--profile", "two"}, nil, get(func(s *role.Settings) any { return s.FIPS }), false, "fips", ""},
		{"a bool", []string{"--profile", "one"}, nil, get(func(s *role.Settings) any { return s.FIPS }), true, "fips", at(16)},
		{"a variable before the profile", []string{"--profile", "one"}, config.Environment{"KEDGE_REGION=eu-west-3"}, regionOf, "eu-west-3", "region", "KEDGE_REGION"},
		{"an empty variable is none", []string{"--profile", "one"}, config.Environment{"KEDGE_REGION="}, regionOf, "eu-west-2", "region", at(14)},
		{"a duration of a variable", []string{"--profile", "one"}, config.Environment{"KEDGE_TIMEOUT=40s"}, timeoutOf, 40 * time.Second, "timeout", "KEDGE_TIMEOUT"},
		{"a path of a variable", nil, config.Environment{"KEDGE_CERTIFICATE=env.pem"}, get(func(s *role.Settings) any { return s.Certificate }), "env.pem", "certificate", "KEDGE_CERTIFICATE"},
		{"a flag before all", []string{"--profile", "one", "--region", "us-east-1"}, config.Environment{"KEDGE_REGION=eu-west-3"}, regionOf, "us-east-1", "region", ""},
		{"a flag that is given empty", []string{"--profile", "one", "--region", ""}, config.Environment{"KEDGE_REGION=eu-west-3"}, regionOf, "", "region", ""},
		{"a duration of a flag", []string{"--profile", "one", "--timeout", "50s"}, config.Environment{"KEDGE_TIMEOUT=40s"}, timeoutOf, 50 * time.Second, "timeout", ""},
		{"a list of the profile", []string{"--profile", "one"}, nil, get(func(s *role.Settings) any { return s.Assumed }), []string{arn + "a", arn + "b"}, "assume-role-arn", at(17)},
		{"a list of a variable", []string{"--profile", "one"}, config.Environment{"KEDGE_ASSUME_ROLE_ARN=" + arn + "c," + arn + "d"}, get(func(s *role.Settings) any { return s.Assumed }), []string{arn + "c", arn + "d"}, "assume-role-arn", "KEDGE_ASSUME_ROLE_ARN"},
		{"a list of a flag", []string{"--profile", "one", "--assume-role-arn", arn + "e"}, config.Environment{"KEDGE_ASSUME_ROLE_ARN=" + arn + "c"}, get(func(s *role.Settings) any { return s.Assumed }), []string{arn + "e"}, "assume-role-arn", ""},
		{"what excludes a setting leaves it out", []string{"--profile", "one", "--no-tpm-key-password"}, nil, get(func(s *role.Settings) any { return s.PasswordFrom }), "", "key-password-from", ""},
		{"a key's setting", []string{"--profile", "two"}, nil, get(func(s *role.Settings) any { return s.Library }), "softhsm2", "pkcs11-lib", at(21)},
		{"the command's section", nil, nil, func(o *credentialProcessOptions) any { return o.cache.value }, "off", "cache", at(23)},
		{"a variable before the section", nil, config.Environment{"KEDGE_CACHE=/c"}, func(o *credentialProcessOptions) any { return o.cache.value }, "/c", "cache", "KEDGE_CACHE"},
		{"a file that a flag names", []string{"--config", "/dev/null", "--certificate", "c", "--trust-anchor-arn", "t", "--profile-arn", "p", "--role-arn", "r"}, nil, regionOf, "", "region", ""},
	} {
		h := newHost(cli.Streams{Err: io.Discard})
		h.environment = append(config.Environment{"KEDGE_CONFIG=" + file}, tt.env...)
		ran := false
		cmd := newCredentialProcess(h, func(_ context.Context, o *credentialProcessOptions) error {
			ran = true
			if got := tt.get(o); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
			}
			if from := originOf(o.cmd, tt.flag); from != tt.wantFrom {
				t.Errorf("%s: --%s is from %q, want %q", tt.name, tt.flag, from, tt.wantFrom)
			}
			return nil
		})
		cmd.SilenceUsage, cmd.SilenceErrors = true, true
		cmd.SetArgs(append([]string{}, tt.args...)) // nil would be those of the test
		if err := cmd.Execute(); err != nil || !ran {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
}
