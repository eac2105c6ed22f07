package creds

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/testenv"
)

func example() aws.Credentials {
	return aws.Credentials{
		AccessKeyID: "ASIAEXAMPLE", SecretAccessKey: "se/cr+et", SessionToken: "tok/en+==", AccountID: "111122223333",
		CanExpire: true, Expires: time.Date(2026, 5, 4, 3, 2, 1, 999, time.FixedZone("", 3600)),
	}
}

// TestShell_golden: each form, as it is in testdata/shell. KEDGE_UPDATE_GOLDEN=1 writes them.
func TestShell_golden(t *testing.T) {
	vars, err := Environment(example())
	if err != nil {
		t.Fatal(err)
	}
	vars = append(vars, Region("eu-west-1")...)
	odd := Variable{"ODD", "a b'c\"d$e`f\\g\u201ch\nä&|<>^%!;"}
	for _, form := range []string{"env", "env-no-export", "fish", "powershell", "windows-cmd"} {
		all := append(vars[:len(vars):len(vars)], odd)
		if form == "windows-cmd" {
			all[len(all)-1].Value = "a b'c$e`f\\g\u201chä&|<>^;"
		}
		got, err := Shell(form, all)
		if err != nil {
			t.Errorf("%s: %v", form, err)
		}
		path := filepath.Join("testdata", "shell", form+".golden")
		if os.Getenv("KEDGE_UPDATE_GOLDEN") != "" {
			if err := os.WriteFile(path, got, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, want) {
			t.Errorf("%s: got\n%swant\n%s", form, got, want)
		}
	}
}

// oddValues are values that need quoting in one shell or another.
func oddValues() []string {
	values := []string{"plain/+=", "", " ", "'", "''", `"`, `\`, `\\`, `\'`, "$HOME", "$(id)", "`id`", "a\nb", "\n", "\t", "~", "*", "#", "!!", "-n", "a;b", "a&b", "(x)", "{a,b}", "ä\u201c\u2019", "\x7f\x01", "=", "%PATH%"}
	return append(values, strings.Join(values, "."))
}

// TestShell_real: the installed shells return the original values.
func TestShell_real(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ shell, form, show string }{
		{"sh", "env", `; exec printenv VALUE`},
		{"dash", "env", `; exec printenv VALUE`},
		{"bash", "env", `; exec printenv VALUE`},
		{"sh", "env-no-export", `; printf '%s\n' "$VALUE"`},
		{"bash", "env-no-export", `; printf '%s\n' "$VALUE"`},
		{"fish", "fish", `; exec printenv VALUE`},
	} {
		t.Run(tt.shell+" "+tt.form, func(t *testing.T) {
			t.Parallel()
			shell := testenv.Tool(t, tt.shell)
			home := t.TempDir() // fish needs one
			for _, value := range oddValues() {
				lines, err := Shell(tt.form, []Variable{{"VALUE", value}})
				if err != nil {
					t.Fatal(err)
				}
				cmd := exec.Command(shell, "-c", strings.TrimSuffix(string(lines), "\n")+tt.show)
				cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home, "LC_ALL=C.UTF-8"}
				got, err := cmd.CombinedOutput()
				if err != nil || string(got) != value+"\n" {
					t.Errorf("%q gives %q, %v", value, got, err)
				}
			}
		})
	}
}

// TestShell_likeTheCLI: the AWS CLI prints the same bytes for the same credentials, as far as it
// has the form.
func TestShell_likeTheCLI(t *testing.T) {
	t.Parallel()
	aws := testenv.Tool(t, "aws")
	c := example()
	c.AccountID = "" // which the CLI omits
	vars, err := Environment(c)
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	for _, form := range []string{"env", "env-no-export", "powershell", "windows-cmd"} {
		cmd := exec.Command(aws, "configure", "export-credentials", "--format", form)
		cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + home}
		for _, v := range vars[:3] { // with an expiration in the past it would refuse them
			cmd.Env = append(cmd.Env, v.Name+"="+v.Value)
		}
		want, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %s", err, want)
		}
		got, err := Shell(form, vars[:3])
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: %v, got\n%sthe CLI prints\n%s", form, err, got, want)
		}
	}
}

func TestShell_refuses(t *testing.T) {
	for _, tt := range []struct{ form, value, want string }{
		{"zsh", "secret", `"zsh" is not a form that a shell reads`},
		{"env", "secret\x00", "the value of NAME has a NUL byte: no environment can hold it"},
		{"windows-cmd", "secret%", "the value of NAME: cmd.exe cannot be given percent signs, exclamation marks, quotes and line breaks"},
		{"windows-cmd", "secret\n", "the value of NAME: cmd.exe cannot be given percent signs, exclamation marks, quotes and line breaks"},
	} {
		got, err := Shell(tt.form, []Variable{{"NAME", tt.value}})
		if got != nil || err == nil || err.Error() != tt.want {
			t.Errorf("%s: %q, %v; want %s", tt.form, got, err, tt.want)
		}
	}
	c := example()
	c.SessionToken = ""
	if vars, err := Environment(c); vars != nil || err == nil || err.Error() != "incomplete credentials: a key or the session token is empty" {
		t.Errorf("%v, %v", vars, err)
	}
}

func TestJSON(t *testing.T) {
	got, err := JSON(example())
	const want = `{
  "Version": 1,
  "AccessKeyId": "ASIAEXAMPLE",
  "SecretAccessKey": "se/cr+et",
  "SessionToken": "tok/en+==",
  "Expiration": "2026-05-04T02:02:01Z",
  "AccountId": "111122223333"
}
`
	if err != nil || string(got) != want {
		t.Errorf("%v, %s", err, got)
	}
	if got, err := JSON(aws.Credentials{}); got != nil || err == nil {
		t.Errorf("%s, %v", got, err)
	}
}
