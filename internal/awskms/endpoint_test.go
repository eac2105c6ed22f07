package awskms

import (
	"strings"
	"testing"
)

// TestConfiguration: what is wrong with the configuration of the SDKs is named without a request.
func TestConfiguration(t *testing.T) {
	k := use(t)
	uri := parse(t, k.MakeSigning(t, "ECC_NIST_P256"))
	plain := uri
	plain.Region = ""
	other := uri
	other.Profile = "none"
	for _, tt := range []struct {
		name, variable, value string
		uri                   URI
		kind                  Kind
		want                  string
	}{
		{"another machine in the clear", "AWS_ENDPOINT_URL_KMS", "http://192.0.2.1:8080", uri, Configuration, "must be https"},
		{"no endpoint", "AWS_ENDPOINT_URL_KMS", "localhost:8080", uri, Configuration, "not a URL"},
		{"no region", "AWS_REGION", "", plain, Configuration, "no region"},
		{"no profile", "AWS_PROFILE", "", other, Configuration, "no profile none"},
		{"no file", "AWS_CA_BUNDLE", "/nonexistent.pem", uri, Configuration, "/nonexistent.pem cannot be read"},
		{"no such mode", "AWS_RETRY_MODE", "bogus", uri, Configuration, "variables AWS_…"},
		{"no credentials", "AWS_ACCESS_KEY_ID", "", uri, NoCredentials, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			_, err := NewClient(quick()).Open(t.Context(), tt.uri)
			isKind(t, err, tt.kind)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Error(err)
			}
		})
	}
	if n := k.Requests("GetPublicKey"); n != 0 {
		t.Errorf("%d requests", n)
	}
}
