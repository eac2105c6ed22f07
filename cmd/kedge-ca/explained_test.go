package main

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere"
	"github.com/aws/aws-sdk-go-v2/service/rolesanywhere/types"

	"kedge/internal/awsaccount"
	"kedge/internal/awsexplain"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/testenv"
	"kedge/signer"
	"kedge/signer/session"
)

// explained is a CA with the host web-01, and an account in which it gets the role backup.
type explained struct {
	*rehearsal
	a       *emulatedAccount
	account *awsaccount.Account
	known   *cadir.AWS
	host    string // its name
	folder  string // with its files
}

// newExplained makes a CA some time before now.
func newExplained(t *testing.T, begunBefore time.Duration, issue ...string) *explained {
	t.Helper()
	return newExplainedAt(t, newAccount(t, nil), begunBefore, issue...)
}

func newExplainedAt(t *testing.T, a *emulatedAccount, begunBefore time.Duration, issue ...string) *explained {
	t.Helper()
	x := newRehearsal(t)
	x.now, x.account = a.now().Add(-begunBefore), a.as(a.Administrator())
	x.run("init", "--no-password")
	x.describe(backupRoles)
	x.run(append([]string{"issue", "web-01", "--out", x.mkdir("hosts")}, issue...)...)
	x.now = a.now()
	x.run("aws", "up", "--yes")
	e := &explained{rehearsal: x, a: a, account: a.open(t), host: "web-01", folder: "hosts"}
	e.readARNs()
	return e
}

// readARNs reads the ARNs that aws up keeps.
func (e *explained) readARNs() {
	e.t.Helper()
	places, err := cadir.Folder{Dir: e.path("ca")}.Places()
	if err != nil || len(places.All) != 1 {
		e.t.Fatal(places, err)
	}
	e.known = places.All[0]
}

// call makes a request as the administrator.
func call[In, Out, Options any](e *explained, do func(context.Context, *In, ...func(*Options)) (*Out, error), in *In) *Out {
	e.t.Helper()
	out, err := awsaccount.Call(e.t.Context(), e.account, do, in)
	if err != nil {
		e.t.Fatal(err)
	}
	return out
}

// hostSession asks for a session with the files of the host.
func (e *explained) hostSession(change func(*session.Config)) error {
	e.t.Helper()
	base := filepath.Join(e.dir, e.folder, e.host)
	source, err := signer.NewFileSource(signer.Files{
		Certificate: signer.File(base + ".pem"), PrivateKey: signer.File(base + ".key"), Intermediates: signer.File(base + ".chain.pem"), Now: e.a.now,
	})
	if err != nil {
		return err
	}
	c := session.Config{TrustAnchorARN: e.known.TrustAnchor, ProfileARN: e.known.Profile, RoleARN: e.known.Roles["backup"], Endpoint: e.a.url, MaxAttempts: 1, Now: e.a.now}
	if change != nil {
		change(&c)
	}
	client, err := session.New(c)
	if err != nil {
		e.t.Fatal(err)
	}
	_, err = client.CreateSession(e.t.Context(), source)
	return err
}

// explain returns the checks, by their IDs.
func (e *explained) explain(args ...string) (code int, checks map[string]awsexplain.Result) {
	e.t.Helper()
	code, stdout, stderr := e.try(append([]string{"aws", "explain", "--json"}, args...)...)
	var out awsexplain.Explanation
	if err := json.Unmarshal([]byte(stdout), &out); err != nil {
		e.t.Fatalf("exit %d: %v: %s\n%s", code, err, stdout, stderr)
	}
	checks = map[string]awsexplain.Result{}
	for _, c := range out.Checks {
		checks[c.ID] = c
	}
	return code, checks
}

// paste runs the commands of a check in a shell, as a person does, who agrees to what is asked.
func (e *explained) paste(commands string) {
	e.t.Helper()
	bin := e.mkdir("bin")
	program, whole := newestAWS(e.t)
	if _, err := os.Stat(filepath.Join(bin, "aws")); err != nil {
		self, err := os.Executable()
		if err != nil {
			e.t.Fatal(err)
		}
		shim := "#!/bin/sh\nexec " + program + ` --endpoint-url "$AWS_ENDPOINT_URL" "$@"` + "\n"
		if err := errors.Join(os.Symlink(self, filepath.Join(bin, "kedge-ca")), os.WriteFile(filepath.Join(bin, "aws"), []byte(shim), 0o700)); err != nil {
			e.t.Fatal(err)
		}
	}
	script := "set -e\n"
	for line := range strings.Lines(commands) {
		if line = strings.TrimSpace(line); strings.HasPrefix(line, "kedge-ca ") && !strings.ContainsAny(line, "|>") {
			line = withoutTerminal(newRoot(host{}, nil), line)
		}
		if !whole && e.bySDK(strings.Fields(line)) {
			continue
		}
		script += line + "\n"
	}
	sh := exec.CommandContext(e.t.Context(), testenv.Tool(e.t, "sh"), "-c", script)
	sh.Dir = e.dir
	sh.Env = slices.DeleteFunc(append(os.Environ(), e.a.environment()...), func(v string) bool { return strings.HasPrefix(v, "AWS_PROFILE=") || v == "AWS_SESSION_TOKEN=" })
	sh.Env = append(sh.Env, "AWS_DEFAULT_REGION=eu-west-1", "AWS_MAX_ATTEMPTS=1", "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	if out, err := sh.CombinedOutput(); err != nil {
		e.t.Fatalf("%v\n%s\n%s", err, script, out)
	}
}

// bySDK does what a command says, if it is one that the AWS CLI of Debian 12 does not have.
func (e *explained) bySDK(words []string) bool {
	e.t.Helper()
	switch {
	case slices.Contains(words, "put-attribute-mapping"):
		specifier, _ := strings.CutPrefix(words[8], "specifier=")
		call(e, e.account.RolesAnywhere.PutAttributeMapping, &rolesanywhere.PutAttributeMappingInput{ProfileId: &words[4], CertificateField: types.CertificateField(words[6]), MappingRules: []types.MappingRule{{Specifier: &specifier}}})
	case slices.Contains(words, "--accept-role-session-name"):
		call(e, e.account.RolesAnywhere.UpdateProfile, &rolesanywhere.UpdateProfileInput{ProfileId: &words[4], AcceptRoleSessionName: aws.Bool(true)})
	default:
		return false
	}
	return true
}

// newestAWS returns the AWS CLI, and whether it has the operations about attribute mappings.
func newestAWS(t *testing.T) (path string, whole bool) {
	t.Helper()
	paths := []string{testenv.Tool(t, "aws")}
	if other, err := exec.LookPath("aws"); err == nil {
		paths = append(paths, other)
	}
	for _, path := range paths {
		if exec.CommandContext(t.Context(), path, "rolesanywhere", "put-attribute-mapping", "--generate-cli-skeleton", "input").Run() == nil {
			return path, true
		}
	}
	return paths[0], false
}

// mends wants the host to get no session, explain to name the cause, and its commands to be the cure.
func (e *explained) mends(f fault) {
	e.t.Helper()
	args := f.args
	if args == nil {
		args = []string{e.host}
	}
	if err := e.hostSession(nil); err == nil {
		e.t.Fatalf("%s: the host gets a session all the same", f.name)
	}
	before := len(e.a.Calls())
	code, checks := e.explain(args...)
	if got := checks[f.check]; code != cli.ExitFailed || got.State != awsexplain.Failed || !strings.Contains(got.Seen, f.seen) || got.Advice == "" {
		e.t.Fatalf("%s: exit %d: %+v\nwant %s, %s", f.name, code, checks, f.check, f.seen)
	}
	for _, c := range e.a.Calls()[before:] {
		if !strings.HasPrefix(c.Operation, "Get") && !strings.HasPrefix(c.Operation, "List") {
			e.t.Errorf("it called %s", c.Operation)
		}
	}
	if f.fix != nil {
		f.fix(e)
	} else {
		e.pasteAll(checks)
	}
	if f.after != nil {
		f.after(e)
	}
	if err := e.hostSession(nil); err != nil {
		e.t.Errorf("after the cure of %s: %v", f.name, err)
	}
	if code, checks := e.explain(args...); code != cli.ExitDone {
		e.t.Errorf("after the cure of %s: exit %d: %+v", f.name, code, checks)
	}
}

// pasteAll runs the commands of all checks that failed, in their order, each line once.
func (e *explained) pasteAll(checks map[string]awsexplain.Result) {
	e.t.Helper()
	all := slices.SortedFunc(maps.Values(checks), func(a, b awsexplain.Result) int { return a.Number - b.Number })
	var lines []string
	for _, c := range all {
		if c.State != awsexplain.Failed || c.Command == "" {
			continue
		}
		for line := range strings.Lines(c.Command + "\n") {
			if !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	e.paste(strings.Join(lines, ""))
}
