package credfile

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/config"

	"kedge/internal/testenv"
)

// found is what an SDK reads; nil: it refuses the file, or finds no credentials.
type found struct{ ID, Secret, Token string }

// random returns a file of lines that SDKs read in different ways.
func random(r *rand.Rand) string {
	pieces := []string{
		"[p]", "[ p ]", "[default]", "[ default ]", "[q]", "[profile p]", "  [q]", "[p] # c", "# comment", "; comment", "", "  ", "\t",
		"aws_access_key_id = OLD", "aws_secret_access_key=OLD", "aws_session_token = OLD", "aws_security_token : OLD", "AWS_ACCESS_KEY_ID = OLD",
		"  aws_access_key_id = OLD", "aws_session_token =", "aws_session_token = OLD # c", "  more", "region = x", "  region = x", "\toutput = json",
		"s3 =", "  addressing_style = path", "region: y", "nothing", "credential_process = /bin/false ; x", "long = " + strings.Repeat("x", 70000),
	}
	eol := []string{"\n", "\r\n"}[r.IntN(2)]
	var b strings.Builder
	for range r.IntN(12) {
		i := r.IntN(len(pieces))
		if i == len(pieces)-1 && r.IntN(8) > 0 {
			i = r.IntN(i) // long lines are slow
		}
		b.WriteString(pieces[i] + eol)
	}
	if r.IntN(3) == 0 {
		return strings.TrimSuffix(b.String(), eol)
	}
	return b.String()
}

// TestEdit_sdks: what botocore, the Go SDK and the JavaScript SDK read is what was written, and what
// they read of other profiles is what it was; unless they could not read the file before.
func TestEdit_sdks(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	r := rand.New(rand.NewPCG(1, 2))
	const n = 400
	refused := 0
	var after []string
	for i := range n {
		before := random(r)
		content, err := edit(before, mustSection(t, Credentials, "p"), keys())
		if err != nil {
			refused++
			content = before
		}
		after = append(after, content)
		for name, data := range map[string]string{"before": before, "after": content} {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprint(name, i)), []byte(data), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if err != nil {
			os.Remove(filepath.Join(dir, fmt.Sprint("after", i)))
		}
	}
	if refused > n/4 {
		t.Errorf("%d of %d files were refused", refused, n)
	}
	for sdk, read := range map[string]func(*testing.T, string, int) map[string]*found{"botocore": botocore, "go": goSDK, "javascript": javaScript} {
		t.Run(sdk, func(t *testing.T) {
			t.Parallel()
			got, checked := read(t, dir, n), 0
			for i := range n {
				old, oldDefault := got[fmt.Sprintf("before%d/readable", i)], got[fmt.Sprintf("before%d/default", i)]
				if _, err := os.Stat(filepath.Join(dir, fmt.Sprint("after", i))); err != nil || old == nil {
					continue
				}
				checked++
				p := got[fmt.Sprintf("after%d/p", i)]
				if p == nil || *p != (found{"AKIDNEW", "new/secret+=", "newToken=="}) {
					t.Errorf("it reads %+v from\n%.1000q", p, after[i])
				}
				now := got[fmt.Sprintf("after%d/default", i)]
				if (now == nil) != (oldDefault == nil) || now != nil && *now != *oldDefault {
					t.Errorf("the other profile was %+v and is %+v in\n%.1000q", oldDefault, now, after[i])
				}
			}
			if checked < n/8 {
				t.Errorf("only %d files were read", checked)
			}
		})
	}
}

func botocore(t *testing.T, dir string, n int) map[string]*found {
	return script(t, dir, "python3", "-c", `
import importlib, json, sys
def botocore(name):
    try:
        return importlib.import_module("awscli.botocore." + name) # version 2 of the AWS CLI brings its own
    except ImportError:
        return importlib.import_module("botocore." + name)
raw_config_parse = botocore("configloader").raw_config_parse
SharedCredentialProvider = botocore("credentials").SharedCredentialProvider
got = {}
for name in ("before", "after"):
    for i in range(int(sys.argv[1])):
        file = name + str(i)
        try:
            raw_config_parse(file)
            got[file + "/readable"] = {}
        except Exception:
            continue
        for profile in ("p", "default"):
            try:
                c = SharedCredentialProvider(file, profile).load()
                got[file + "/" + profile] = c and {"ID": c.access_key, "Secret": c.secret_key, "Token": c.token or ""}
            except Exception:
                pass
print(json.dumps(got))
`, fmt.Sprint(n))
}

func javaScript(t *testing.T, dir string, n int) map[string]*found {
	peers := filepath.Join(testenv.Root(t), "scripts", "peers")
	if _, err := os.Stat(filepath.Join(peers, "node_modules")); err != nil {
		testenv.Missing(t, "npm-peers", "not installed; scripts/setup installs it")
	}
	program := filepath.Join(t.TempDir(), "read.mjs")
	if err := os.Symlink(filepath.Join(peers, "node_modules"), filepath.Join(filepath.Dir(program), "node_modules")); err != nil {
		t.Fatal(err)
	}
	err := os.WriteFile(program, []byte(`
import { fromIni } from "@aws-sdk/credential-providers";
import { existsSync } from "node:fs";
const got = {};
for (const name of ["before", "after"])
  for (let i = 0; i < Number(process.argv[2]); i++)
    for (const profile of existsSync(name + i) ? ["p", "default"] : []) {
      const file = name + i;
      got[file + "/readable"] = {};
      try {
        const c = await fromIni({ filepath: file, configFilepath: "/dev/null", profile, ignoreCache: true })();
        got[file + "/" + profile] = { ID: c.accessKeyId, Secret: c.secretAccessKey, Token: c.sessionToken ?? "" };
      } catch { }
    }
console.log(JSON.stringify(got));
`), 0o600)
	if err != nil {
		t.Fatal(err)
	}
	return script(t, dir, "node", program, fmt.Sprint(n))
}

// script runs a program that prints what an SDK found.
func script(t *testing.T, dir, name string, args ...string) map[string]*found {
	t.Helper()
	cmd := exec.Command(testenv.Tool(t, name), args...)
	cmd.Dir = dir
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	got := map[string]*found{}
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatalf("%s: %v in %.200q", name, err, out)
	}
	return got
}

func goSDK(_ *testing.T, dir string, n int) map[string]*found {
	got := map[string]*found{}
	for _, name := range []string{"before", "after"} {
		for i := range n {
			file := fmt.Sprint(name, i)
			got[file+"/readable"] = &found{}
			for _, profile := range []string{"p", "default"} {
				if f := readGoSDK(filepath.Join(dir, file), profile); f != nil {
					got[file+"/"+profile] = f
				}
			}
		}
	}
	return got
}

// readGoSDK returns nil as well where the SDK panics: it does on a value that is one quote.
func readGoSDK(path, profile string) (f *found) {
	defer func() {
		if recover() != nil {
			f = nil
		}
	}()
	shared, err := config.LoadSharedConfigProfile(context.Background(), profile, func(o *config.LoadSharedConfigOptions) {
		o.CredentialsFiles, o.ConfigFiles = []string{path}, []string{}
	})
	if err != nil || shared.Credentials.AccessKeyID == "" {
		return nil
	}
	c := shared.Credentials
	return &found{c.AccessKeyID, c.SecretAccessKey, c.SessionToken}
}
