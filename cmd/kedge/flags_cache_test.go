package main

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"

	"github.com/spf13/pflag"

	"kedge/internal/cache"
	"kedge/internal/cli"
)

// TestCacheKey: credentials that differ have different keys. Each flag of the command must be weighed
// here, one way or the other.
func TestCacheKey(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, name := range []string{"one", "two"} {
		writeFile(t, filepath.Join(dir, name), name)
	}
	const other = "arn:aws:iam::111122223333:role/other"
	differ := map[string]string{
		"certificate": filepath.Join(dir, "two"), "endpoint": "https://example.com", "region": "eu-west-2",
		"trust-anchor-arn": other, "profile-arn": other, "role-arn": other, "session-duration": "900",
		"role-session-name": "name", "fips": "true", "dual-stack": "true", "no-verify-ssl": "true",
		"assume-role-arn": other, "external-id": "2f1c", "assume-role-session-name": "name", "assume-role-duration": "1000", "sts-endpoint": "https://example.com",
		"policy": filepath.Join(dir, "two"), "policy-arn": other, "tag": "a=b", "transitive-tag": "a=b",
	}
	same := []string{
		"cache", "config", "profile", "debug", // how kedge works
		"private-key", "intermediates", "key-password-from", "pkcs8-password", "pkcs11-lib", "reuse-pin", // the way to the key of the certificate
		"tpm-key-password", "no-tpm-key-password", "cert-selector", "system-store-name", "system-store-location", "use-latest-expiring-certificate",
		"proxy", "with-proxy", "ca-bundle", "timeout", "max-attempts", // the way to the service
	}
	args := []string{
		"--certificate", filepath.Join(dir, "one"), "--trust-anchor-arn", "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/1",
		"--profile-arn", "arn:aws:rolesanywhere:us-east-1:111122223333:profile/1", "--role-arn", "arn:aws:iam::111122223333:role/r", "--assume-role-arn", "arn:aws:iam::444455556666:role/a", "--config", os.DevNull,
	}
	cmd := newCredentialProcess(newHost(cli.Streams{}), runCredentialProcess)
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		value, weighed := differ[flag.Name]
		switch {
		case weighed && slices.Contains(same, flag.Name), !weighed && !slices.Contains(same, flag.Name):
			t.Errorf("--%s: decide whether it makes a difference to the credentials, and put it into the key if it does", flag.Name)
		case weighed && reflect.DeepEqual(keyOf(t, args), keyOf(t, append(slices.Clip(args), "--"+flag.Name+"="+value))):
			t.Errorf("--%s makes no difference to the key", flag.Name)
		}
	})
}

// keyOf is the key for a command line.
func keyOf(t *testing.T, args []string) (key cache.Key) {
	t.Helper()
	ok := false
	cmd := newCredentialProcess(newHost(cli.Streams{Err: io.Discard}), func(_ context.Context, o *credentialProcessOptions) error {
		key, ok = o.role.CacheKey()
		return nil
	})
	cmd.SetArgs(args)
	if err := cmd.Execute(); err != nil || !ok {
		t.Errorf("%q: %v", args, err)
	}
	return key
}
