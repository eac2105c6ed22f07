package whowins

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"kedge/internal/testenv"
)

// resolved is what an SDK found in one environment.
type resolved struct {
	ID    string `json:"id"`
	Error string `json:"error"`
}

// TestMain runs resolveAll below instead, in a process of its own: it changes the environment.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "resolve" {
		resolveAll(os.Args[2])
		return
	}
	os.Exit(m.Run())
}

// resolveAll is the least program with aws-sdk-go-v2, in each environment of a file.
func resolveAll(path string) {
	data, err := os.ReadFile(path)
	var environments []environment
	if err == nil {
		err = json.Unmarshal(data, &environments)
	}
	if err != nil {
		panic(err)
	}
	results := map[string]resolved{}
	for _, e := range environments {
		os.Clearenv()
		for name, value := range e.Env {
			os.Setenv(name, value)
		}
		config.DefaultSharedConfigFiles = []string{config.DefaultSharedConfigFilename()} // they are set at the start
		config.DefaultSharedCredentialsFiles = []string{config.DefaultSharedCredentialsFilename()}
		id, err := resolve(e.Profile)
		results[e.Name] = resolved{ID: id}
		if err != nil {
			results[e.Name] = resolved{Error: err.Error()}
		}
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		panic(err)
	}
}

func resolve(profile string) (id string, err error) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	cfg, err := config.LoadDefaultConfig(ctx, config.WithSharedConfigProfile(profile))
	if err != nil {
		return "", err
	}
	credentials, err := cfg.Credentials.Retrieve(ctx)
	return credentials.AccessKeyID, err
}

// peer is a tool as it is.
type peer struct {
	tool    string
	command func(*testing.T) []string // which is given the file of environments
}

func peers() []peer {
	script := func(name string) string { return filepath.Join("testdata", name) }
	return []peer{
		{"AWS SDK for Go v2", func(t *testing.T) []string {
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			return []string{self, "resolve"}
		}},
		{"AWS SDK for JavaScript v3", func(t *testing.T) []string { return []string{testenv.Tool(t, "node"), javaScriptProgram(t)} }},
		{"boto3", func(t *testing.T) []string {
			if _, err := os.Stat("/usr/lib/python3/dist-packages/boto3"); err != nil {
				testenv.Missing(t, "boto3", "not installed; scripts/setup installs it")
			}
			return []string{testenv.Tool(t, "python3"), script("with_boto3.py")}
		}},
		{"AWS CLI 2", func(t *testing.T) []string {
			if _, err := os.Stat("/usr/lib/python3/dist-packages/awscli"); err != nil {
				testenv.Missing(t, "aws", "not installed; scripts/setup installs it")
			}
			return []string{testenv.Tool(t, "python3"), script("with_awscli.py")}
		}},
		{"AWS CLI 1", func(t *testing.T) []string { return []string{pythonOfCLI1(t), script("with_awscli.py")} }},
	}
}

// pythonOfCLI1 returns a Python in PATH with version 1 of the AWS CLI, and with it the newest botocore. Nothing
// that scripts/setup installs from has it, so it is never required.
func pythonOfCLI1(t *testing.T) string {
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not in PATH")
	}
	out, err := exec.Command(python, "-c", "import awscli, sys; print(sys.executable, awscli.__version__)").Output()
	program, version, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
	if err != nil || !strings.HasPrefix(version, "1.") {
		t.Skipf("%s has no AWS CLI 1, but %q, %v", python, version, err)
	}
	return program
}

// javaScriptProgram returns the program in a folder with the modules of scripts/peers.
func javaScriptProgram(t *testing.T) string {
	modules := filepath.Join(testenv.Root(t), "scripts", "peers", "node_modules")
	if _, err := os.Stat(modules); err != nil {
		testenv.Missing(t, "npm-peers", "not installed; scripts/setup installs it")
	}
	data, err := os.ReadFile(filepath.Join("testdata", "with_javascript.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	write(t, filepath.Join(dir, "with_javascript.mjs"), string(data))
	if err := os.Symlink(modules, filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	return filepath.Join(dir, "with_javascript.mjs")
}

// TestAnswers_sdks: the AWS CLI, boto3, the Go and the JavaScript SDK, as they are, find the credentials
// that Answers names, in every combination; and after the fix of an answer, those of kedge.
func TestAnswers_sdks(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	var environments []environment
	for i, c := range combinations() {
		environments = append(environments, w.lay(t, i, c))
	}
	fixed := w.fixAll(t, environments)
	for _, p := range peers() {
		t.Run(p.tool, func(t *testing.T) {
			t.Parallel()
			var mine []environment
			plain := 0
			for _, e := range append(environments[:len(environments):len(environments)], fixed...) {
				if !strings.Contains(e.without, p.tool) && (e.only == nil || slices.Contains(e.only, p.tool)) {
					mine = append(mine, e)
					if e.only == nil {
						plain++
					}
				}
			}
			got := w.run(t, p.command(t), mine)
			for _, e := range mine {
				w.check(t, p.tool, e, got[e.Name])
			}
			t.Logf("%d environments, %d of them after a fix", len(mine), len(mine)-plain)
			if plain < 140 || len(mine)-plain < 30 {
				t.Error("there are not as many as there were")
			}
		})
	}
}

// check compares what a tool found with the answer about it.
func (w *workplace) check(t *testing.T, tool string, e environment, got resolved) {
	t.Helper()
	a := answerOf(t, w.look(e), tool)
	want := w.id(a.Source)
	if got.Error != "" {
		got.ID = "error"
	}
	if got.ID != want {
		t.Errorf("%s: %s %s; the answer is %s (%s %s)", e.Name, got.ID, got.Error, want, a.Winner, a.Where)
	}
	for kind, word := range map[Kind]string{SSO: "sso", Login: "login"} {
		if a.Source.Kind == kind && !strings.Contains(strings.ToLower(got.Error), word) {
			t.Errorf("%s: the answer is %s, and the error %s", e.Name, a.Winner, got.Error)
		}
	}
	if e.only != nil && !a.Ours {
		t.Errorf("%s: after the fix the answer is %s %s", e.Name, a.Winner, a.Where)
	}
}

func (w *workplace) run(t *testing.T, command []string, environments []environment) map[string]resolved {
	t.Helper()
	data, err := json.Marshal(environments)
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(t.TempDir(), "environments")
	write(t, list, string(data))
	ctx, cancel := context.WithTimeout(t.Context(), 15*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], append(command[1:], list)...)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + t.TempDir(), "LC_ALL=C.UTF-8"}
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		t.Fatalf("%s: %v\n%.2000s", command, err, &stderr)
	}
	got := map[string]resolved{}
	if err := json.Unmarshal(stdout.Bytes(), &got); err != nil {
		t.Fatalf("%s: %v in %.200q", command, err, &stdout)
	}
	return got
}

// fixAll runs the fix of each answer that has one in a copy of its environment, and returns what is
// there after it.
func (w *workplace) fixAll(t *testing.T, environments []environment) (fixed []environment) {
	t.Helper()
	for i, e := range environments {
		done := map[string]int{} // by fix
		for k, a := range w.look(e).Answers() {
			if a.Fix == "" && !a.Ours {
				t.Errorf("%s, %s: no fix of %s %s", e.Name, a.Tool, a.Winner, a.Why)
			}
			if a.Fix == "" || a.Fix == "kedge configure --help" || strings.Contains(a.Fix, "EDITOR") || strings.Contains(a.Fix, "# ") {
				continue
			}
			if at, ok := done[a.Fix]; ok {
				fixed[at].only = append(fixed[at].only, a.Tool)
				continue
			}
			home := filepath.Join(w.dir, "fixed", fmt.Sprint(i, "-", k))
			if err := os.CopyFS(home, os.DirFS(e.Env["HOME"])); err != nil {
				t.Fatal(err)
			}
			after := w.apply(t, e, home, strings.ReplaceAll(a.Fix, e.Env["HOME"], home))
			after.only, after.Name = []string{a.Tool}, e.Name+", after "+a.Fix
			if now := answerOf(t, w.look(after), a.Tool); !now.Ours {
				t.Errorf("%s, %s: after\n%s\nit is %s %s", e.Name, a.Tool, a.Fix, now.Winner, now.Where)
			}
			done[a.Fix] = len(fixed)
			fixed = append(fixed, after)
		}
	}
	return fixed
}

// apply runs a fix in a shell, as a user does who pastes it.
func (w *workplace) apply(t *testing.T, e environment, home, fix string) environment {
	t.Helper()
	cmd := exec.Command("/bin/sh", "-c", "set -e\n"+fix+"\nexec env -0")
	for name, value := range e.Env {
		if name == "HOME" {
			value = home
		}
		cmd.Env = append(cmd.Env, name+"="+strings.ReplaceAll(value, e.Env["HOME"], home))
	}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", e.Name, err, fix)
	}
	after := environment{Env: map[string]string{}, Profile: e.Profile, without: e.without}
	for _, word := range strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00") {
		name, value, _ := strings.Cut(word, "=")
		after.Env[name] = value
	}
	return after
}
