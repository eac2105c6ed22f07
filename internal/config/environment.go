package config

import (
	"os"
	"runtime"
	"slices"
	"strings"

	"kedge/internal/safefile"
)

// nestedVariable marks the environment of a command that has its credentials from kedge.
const nestedVariable = "KEDGE_EXEC"

// Nested returns whose credentials this process was given by another kedge, or an empty string.
func Nested() string { return os.Getenv(nestedVariable) }

// CommandEnvironment returns the environment for a command that gets credentials of owner, NAME=VALUE
// each: that of this process, without what could give it others, and without the named variables,
// from which kedge takes secrets of its own. It marks what Nested tells.
func CommandEnvironment(owner string, without []string) []string {
	var env []string
	for _, variable := range os.Environ() {
		name, _, _ := strings.Cut(variable, "=")
		if !givesCredentials(name) && !slices.ContainsFunc(without, func(w string) bool { return sameVariable(w, name) }) && !sameVariable(name, nestedVariable) {
			env = append(env, variable)
		}
	}
	return append(env, nestedVariable+"="+owner)
}

// givesCredentials reports whether an SDK, old or new, finds credentials by the variable.
// https://docs.aws.amazon.com/sdkref/latest/guide/environment-variables.html
func givesCredentials(name string) bool {
	for _, known := range [...]string{
		// keys: now, and in the first versions of SDKs
		"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_CREDENTIAL_EXPIRATION", "AWS_ACCOUNT_ID",
		"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_FILE",
		// profiles of files
		"AWS_PROFILE", "AWS_DEFAULT_PROFILE",
		// web identity
		"AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME", "AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_IAM_ROLE_ARN", "AWS_IAM_ROLE_SESSION_NAME",
		// containers
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE",
		// the metadata service
		"AWS_EC2_METADATA_SERVICE_ENDPOINT", "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE",
		// what aws-vault sets about the credentials that it gave
		"AWS_VAULT", "AWS_SESSION_EXPIRATION",
	} {
		if sameVariable(name, known) {
			return true
		}
	}
	return strings.HasPrefix(name, "AWS_BEARER_TOKEN_")
}

// sameVariable compares names as the system does.
func sameVariable(a, b string) bool {
	return a == b || runtime.GOOS == "windows" && strings.EqualFold(a, b)
}

// Variable is the name of the environment variable that the input is in; ok is false for any
// other kind of input.
func (in Input) Variable() (name string, ok bool) { return in.value, in.kind == envInput }

// Descriptor is the number of the open descriptor, other than standard input, that the input is in,
// also as /dev/fd/N; ok is false for any other kind of input.
func (in Input) Descriptor() (fd int, ok bool) {
	fd, ok = in.fd, in.kind == streamInput
	if in.kind == fileInput {
		fd, ok = safefile.Descriptor(in.value)
	}
	return fd, ok && fd != 0
}
