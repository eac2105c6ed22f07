package emulator

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"kedge/internal/testenv"
)

// opensslCases are the requests of testdata/openssl/make.sh.
var opensslCases = []struct{ name, refused, identity string }{
	{"rsa", "", "CN=rsa.example.com"},
	{"ecdsa", "", "CN=ecdsa.example.com"},
	{"sha1", insufficient, ""},
}

func TestCreateSession_knownAnswers(t *testing.T) {
	t.Parallel()
	checkOpenSSL(t, "testdata/openssl", time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC))
}

func TestCreateSession_openssl(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "openssl")
	shell := testenv.Tool(t, "sh")
	dir := t.TempDir()
	script, err := filepath.Abs("testdata/openssl/make.sh")
	if err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(shell, script, dir).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	checkOpenSSL(t, dir, time.Now())
}

func checkOpenSSL(t *testing.T, dir string, now time.Time) {
	t.Helper()
	root, err := os.ReadFile(filepath.Join(dir, "root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	e, err := New(Config{TrustAnchors: []TrustAnchor{{Certificates: root}}, Now: func() time.Time { return now }, Log: testLog{t}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range opensslCases {
		t.Run(tt.name, func(t *testing.T) {
			data, err := os.ReadFile(filepath.Join(dir, tt.name+".request"))
			if err != nil {
				t.Fatal(err)
			}
			got := send(t, e, strings.ReplaceAll(string(data), "\n", "\r\n"))
			if tt.refused != "" {
				if got.String() != tt.refused {
					t.Errorf("answer %s, want %s", got, tt.refused)
				}
				return
			}
			set := got.created(t).CredentialSet[0]
			if set.SourceIdentity != tt.identity || !strings.HasSuffix(set.AssumedRoleUser.Arn, ":assumed-role/kedge/badc0ffee0ddf00d1234567890abcdef") {
				t.Errorf("credential set %+v", set)
			}
		})
	}
}
