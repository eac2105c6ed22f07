package examples

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"kedge/internal/testenv"
)

// TestDocuments runs the blocks of commands of each guide in their order, as one script of sh.
func TestDocuments(t *testing.T) {
	run, _ := guides(t)
	total := 0
	for _, name := range run {
		var script strings.Builder
		count := 0
		all := blocks(name, testenv.Document(t, name))
		for _, b := range all {
			switch b.kind {
			case "run":
				count++
				fmt.Fprintf(&script, "echo '== %s:%d' >&2\n%s\n%s", b.file, b.line, b.mark, b.text)
			case "file":
				fmt.Fprintf(&script, "cat >'%s' <<'END-OF-FILE'\n%sEND-OF-FILE\nchmod 600 '%s'\n", b.mark, b.text, b.mark)
			}
		}
		t.Logf("%s: %d of %d blocks are run", name, count, len(all))
		total += count
		if count > 0 {
			t.Run(strings.TrimSuffix(filepath.Base(name), ".md"), func(t *testing.T) {
				t.Parallel()
				runDocument(t, script.String())
			})
		}
	}
	t.Logf("%d blocks are run", total)
}

// runDocument runs a script in a folder of its own, at a site. Beside the folder is emulator.env.
func runDocument(t *testing.T, script string) {
	t.Helper()
	s := newSite(t)
	work, bin := s.path("work"), s.path("bin")
	for _, dir := range []string{work, bin} {
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		// Steps that cannot be undone ask, and so does a new key for its password; here is no terminal.
		"kedge-ca": "case \"$1 $2\" in 'aws up'|'aws down'|'revoke '*|'decommission '*|'rotate switch'|'rotate finish') set -- \"$@\" --yes ;; esac\n" +
			"case \"$*\" in *' --csr'*|'rotate start'*) export KEDGE_CA_NEW_PASSWORD_FROM=\"$KEDGE_CA_KEY_PASSWORD_FROM\" ;; esac\nexec " + program("kedge-ca") + ` "$@"`,
		// The AWS CLI of Debian 12 does not read the variables that name an endpoint.
		"aws": "case $1 in\nsts) url=$AWS_ENDPOINT_URL_STS ;;\niam) url=$AWS_ENDPOINT_URL_IAM ;;\n*) url=$AWS_ENDPOINT_URL_ROLESANYWHERE ;;\nesac\nexec " +
			testenv.Tool(t, "aws") + ` --endpoint-url "$url" "$@"`,
	} {
		if err := os.WriteFile(filepath.Join(bin, name), []byte("#!/bin/sh\n"+text+"\n"), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(s.path("script"), []byte("umask 077\n"+s.filled(script)), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), testenv.Tool(t, "sh"), "-eu", s.path("script"))
	cmd.Dir = work
	cmd.Env = append(s.environment, "PATH="+bin+":"+programs+":/usr/bin:/bin", "HOME="+work, "LC_ALL=C.UTF-8", "AWS_PAGER=", "AWS_MAX_ATTEMPTS=1", "AWS_EC2_METADATA_DISABLED=true",
		"KEDGE_CA_DIR="+s.path("ca"), "KEDGE_CA_KEY_PASSWORD_FROM="+s.path("password"), "KEDGE_CA_URL="+s.url, "TPM_DEVICE="+testenv.Swtpm(t).Device, "KEDGE_STATE_DIR="+filepath.Join(work, "state"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// filled puts what is there into the place of what a reader is to replace, and of the endpoint of STS, which boto3 and curl do not
// take from a variable.
func (s *site) filled(script string) string {
	script = strings.NewReplacer("https://ca.example.com:8443", s.url, "https://sts.us-east-1.amazonaws.com", s.sts, `client("sts")`, `client("sts", region_name="us-east-1", endpoint_url="`+s.sts+`")`,
		"/usr/local/bin/", programs+"/", "/etc/kedge/", s.path("work")+"/").Replace(script)
	data, err := os.ReadFile(s.path("emulator.env"))
	if err != nil {
		s.t.Fatal(err)
	}
	for name, of := range map[string]string{"TRUST-ANCHOR-ARN": "KEDGE_TRUST_ANCHOR_ARN", "PROFILE-ARN": "KEDGE_PROFILE_ARN", "ROLE-ARN": "KEDGE_ROLE_ARN"} {
		value := regexp.MustCompile(`export ` + of + `='([^']*)'`).FindSubmatch(data)
		if value == nil {
			s.t.Fatalf("no %s in %s", of, data)
		}
		script = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllLiteralString(script, string(value[1]))
	}
	return script
}
