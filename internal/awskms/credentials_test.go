package awskms

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"kedge/internal/testenv"
)

// TestWarnings: credentials that may come by a certificate of this CA are warned of, and others are not.
func TestWarnings(t *testing.T) {
	k := use(t)
	uri := k.MakeSigning(t, "ECC_NIST_P256")
	folder := t.TempDir()
	helper := filepath.Join(folder, "kedge")
	const answer = `#!/bin/sh
echo '{"Version": 1, "AccessKeyId": "AKIDTEST", "SecretAccessKey": "s"}'
`
	for _, name := range []string{helper, filepath.Join(folder, "vault")} {
		if err := os.WriteFile(name, []byte(answer), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	config := filepath.Join(folder, "config")
	text := `[profile helped]
credential_process = "` + helper + `" credential-process --certificate host.pem
[profile helped-role]
role_arn = arn:aws:iam::111122223333:role/ca
source_profile = helped
[profile other]
credential_process = ` + filepath.Join(folder, "vault") + ` kedge-ca
[profile served]
ec2_metadata_service_endpoint = http://127.0.0.1:9911
`
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("AWS_CONFIG_FILE", config)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	for profile, want := range map[string]string{"helped": `credential_process of the profile "helped"`, "other": ""} {
		warned := strings.Join(open(t, NewClient(DefaultLimits()), uri+";profile="+profile).Warnings(), "\n")
		if want == "" && warned != "" || !strings.Contains(warned, want) {
			t.Errorf("%s: %q", profile, warned)
		}
	}
	for _, tt := range []struct{ name, variable, value, profile, want string }{
		{"a role of such a profile", "AWS_PROFILE", "helped-role", "", `the profile "helped"`},
		{"kedge serve", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:9911/role", "", "AWS_CONTAINER_CREDENTIALS_FULL_URI"},
		{"EKS", "AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials", "", ""},
		{"kedge serve as IMDS", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://127.0.0.1:9911", "", "AWS_EC2_METADATA_SERVICE_ENDPOINT"},
		{"kedge serve as IMDS, by a profile", "AWS_PROFILE", "served", "", "ec2_metadata_service_endpoint"},
		{"EC2", "AWS_EC2_METADATA_SERVICE_ENDPOINT", "http://169.254.169.254", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv(tt.variable, tt.value)
			s, err := NewClient(DefaultLimits()).service(t.Context(), URI{KeyID: "a", Region: testenv.KMSRegion})
			if err != nil {
				t.Fatal(err)
			}
			if warned := strings.Join(URI{}.warnings(s), "\n"); tt.want == "" && warned != "" || !strings.Contains(warned, tt.want) {
				t.Errorf("%q", warned)
			}
		})
	}
}

// TestOpen_credentials: errors of an endpoint for credentials are named, and it is asked again where it may
// answer a moment later, also after a request that it never answers.
func TestOpen_credentials(t *testing.T) {
	hang := func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "a fault of the test", code) }
	}
	for _, tt := range []struct {
		name   string
		fault  http.HandlerFunc
		kind   Kind
		repeat bool
	}{{"hangs", hang, Slow, true}, {"outage", status(503), Unavailable, true}, {"throttles", status(429), Throttled, true}, {"refuses", status(403), NoCredentials, false}} {
		t.Run(tt.name, func(t *testing.T) {
			k := use(t)
			failing := fromEndpoint(t, tt.fault)
			c := NewClient(quick())
			uri := parse(t, k.MakeSigning(t, "ECC_NIST_P256"))
			failing.Store(1000)
			_, err := c.Open(t.Context(), uri)
			isKind(t, err, tt.kind)
			if once := failing.Load() == 999; once == tt.repeat {
				t.Errorf("%d requests", 1000-failing.Load())
			}
			failing.Store(1)
			if _, err = c.Open(t.Context(), uri); tt.repeat && err != nil {
				t.Error(err)
			}
		})
	}
}

// fromEndpoint has the SDK get credentials from an endpoint, which fails so many times as the number has.
func fromEndpoint(t *testing.T, fault http.HandlerFunc) (failing *atomic.Int64) {
	t.Helper()
	failing = new(atomic.Int64)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if failing.Add(-1) >= 0 {
			fault(w, r)
			return
		}
		fmt.Fprint(w, `{"AccessKeyId": "AKIDTEST", "SecretAccessKey": "s", "Token": "t", "Expiration": "2100-01-01T00:00:00Z"}`)
	}))
	t.Cleanup(server.Close)
	t.Cleanup(server.CloseClientConnections)
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	t.Setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", server.URL)
	return failing
}

func TestRunsHelper(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]bool{
		"": false, "kedge credential-process": true, `"/opt/my tools/kedge" credential-process`: true, `C:\kedge\kedge.exe credential-process`: true,
		"sudo -u ca /usr/bin/kedge credential-process": true, "aws_signing_helper credential-process": true, "/usr/bin/vault kedge-ca": false, "aws-vault export": false,
	} {
		if got := runsHelper(line); got != want {
			t.Errorf("%s: %v", line, got)
		}
	}
}
