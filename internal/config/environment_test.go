package config

import (
	"slices"
	"strings"
	"testing"
)

func TestCommandEnvironment(t *testing.T) {
	for _, name := range []string{
		"AWS_ACCESS_KEY_ID", "AWS_SECURITY_TOKEN", "AWS_ACCOUNT_ID", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ROLE_ARN",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_BEARER_TOKEN_BEDROCK", "AWS_VAULT", "KEDGE_TEST_PIN", "KEDGE_EXEC",
	} {
		t.Setenv(name, "old")
	}
	for _, name := range []string{"AWS_REGION", "AWS_CA_BUNDLE", "AWS_CONFIG_FILE", "KEDGE_TEST_PINS"} {
		t.Setenv(name, "kept")
	}
	if Nested() != "old" {
		t.Errorf("nested in %q", Nested())
	}
	env := CommandEnvironment("arn:aws:iam::111122223333:role/app", []string{"KEDGE_TEST_PIN"})
	for _, variable := range env {
		if strings.HasSuffix(variable, "=old") {
			t.Errorf("%s is still there", variable)
		}
	}
	for _, want := range []string{"AWS_REGION=kept", "AWS_CA_BUNDLE=kept", "AWS_CONFIG_FILE=kept", "KEDGE_TEST_PINS=kept", "KEDGE_EXEC=arn:aws:iam::111122223333:role/app"} {
		if !slices.Contains(env, want) {
			t.Errorf("%s is missing in %q", want, env)
		}
	}
}

func TestInput_where(t *testing.T) {
	for text, want := range map[string]struct {
		variable string
		fd       int
	}{
		"env:PIN": {"PIN", 0}, "fd:7": {"", 7}, "-": {"", 0}, "fd:0": {"", 0}, "key.pem": {"", 0}, "": {"", 0},
		"/dev/fd/7": {"", 7}, "file:/proc/self/fd/7": {"", 7}, "/dev/fd/0": {"", 0}, "/dev/stdin": {"", 0}, "/dev/fd/": {"", 0}, "/dev/fd/7/x": {"", 0}, "/dev/fd/x": {"", 0},
	} {
		in, err := ParseInput(text)
		if err != nil {
			t.Fatal(err)
		}
		variable, isVariable := in.Variable()
		fd, isDescriptor := in.Descriptor()
		if isVariable != (want.variable != "") || isVariable && variable != want.variable || isDescriptor != (want.fd != 0) || isDescriptor && fd != want.fd {
			t.Errorf("%q: variable %q %t, descriptor %d %t", text, variable, isVariable, fd, isDescriptor)
		}
	}
}
