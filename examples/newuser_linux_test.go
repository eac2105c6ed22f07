package examples

import (
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"testing"

	"kedge/internal/emulator"
)

// maxCommands is how many commands a new user needs at most, besides one a host.
const maxCommands = 8

// account is an account at AWS, with a role for hosts whose names begin with a prefix.
type account struct {
	*emulator.Emulator
	profile, url string
	role, prefix string
}

func newAccount(t *testing.T, id, role, prefix string) *account {
	t.Helper()
	e, err := emulator.New(emulator.Config{Account: id, Region: "eu-west-1"})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(e.Handler())
	t.Cleanup(server.Close)
	return &account{Emulator: e, profile: role, url: server.URL, role: role, prefix: prefix}
}

// hosts returns the names of the hosts for the role.
func (a *account) hosts() (names []string) {
	for n := range 15 {
		names = append(names, fmt.Sprintf("%s%02d", a.prefix, n+1))
	}
	return names
}

// newUser is somebody who runs commands, which are counted, with profiles of the AWS CLI for some accounts.
type newUser struct {
	*site
	commands []string
}

func (u *newUser) run(args ...string) (out, words string) {
	u.t.Helper()
	u.commands = append(u.commands, "kedge-ca "+strings.Join(args, " "))
	out, words = u.caWords(args...)
	u.t.Logf("$ %s\n%s", u.commands[len(u.commands)-1], words)
	return out, words
}

// configure writes the files that the user has: ~/.aws/config, policies and the list of hosts.
func (u *newUser) configure(accounts ...*account) {
	u.t.Helper()
	var config, list strings.Builder
	list.WriteString("name\n")
	for _, a := range accounts {
		admin := a.Administrator()
		fmt.Fprintf(&config, "[profile %s]\nregion = eu-west-1\nendpoint_url = %s\naws_access_key_id = %s\naws_secret_access_key = %s\n", a.profile, a.url, admin.AccessKeyID, admin.SecretAccessKey)
		list.WriteString(strings.Join(a.hosts(), "\n") + "\n")
		u.write(a.role+".json", `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:ListAllMyBuckets","Resource":"*"}]}`)
	}
	u.write("aws-config", config.String())
	u.write("hosts.csv", list.String())
	u.write("password", "a password for tests\n")
	u.more = []string{"AWS_CONFIG_FILE=" + u.path("aws-config"), "AWS_SHARED_CREDENTIALS_FILE=" + os.DevNull, "AWS_EC2_METADATA_DISABLED=true"}
}

func (u *newUser) write(name, text string) {
	u.t.Helper()
	if err := os.WriteFile(u.path(name), []byte(text), 0o600); err != nil {
		u.t.Fatal(err)
	}
}

// enroll runs the one command of a host, which gets credentials at the end. Its only setting is where AWS is.
func (u *newUser) enroll(a *account, name, token string) {
	u.t.Helper()
	u.write(name+".token", token+"\n")
	cmd := exec.CommandContext(u.t.Context(), program("kedge"), "enroll", "--token-file", u.path(name+".token"), "--dir", u.path(name))
	cmd.Env = []string{"PATH=/usr/bin:/bin", "HOME=" + u.dir, "KEDGE_ENDPOINT=" + a.url}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "done: it gives credentials\n") {
		u.t.Fatalf("kedge enroll of %s: %v\n%s", name, err, out)
	}
}

// TestNewUser: from nothing to 30 enrolled hosts with two roles in two accounts, by few commands besides one a host. Each host
// gets credentials of its own role, without being told its account.
func TestNewUser(t *testing.T) {
	t.Parallel()
	u := &newUser{site: &site{t: t, dir: t.TempDir()}}
	accounts := []*account{newAccount(t, "111122223333", "backup", "db-"), newAccount(t, "444455556666", "reports", "web-")}
	u.configure(accounts...)
	u.run("init")
	for i, a := range accounts {
		up := []string{"aws", "up", "--aws-profile", a.profile, "--role", a.role, "--names", strings.Join(a.hosts(), ","), "--policy", a.role + ".json", "--yes"}
		if i > 0 {
			up = append(up, "--new-place")
		}
		_, words := u.run(up...)
		if want := "gets a session of the role " + a.role; !strings.Contains(words, want) {
			t.Errorf("%s\nwant %s", words, want)
		}
		if other := "note: this is about account 444455556666, eu-west-1 alone; this CA is also in account 111122223333, eu-west-1, which "; strings.Contains(words, other) != (i > 0) {
			t.Errorf("%s\nof the other account: %s", words, other)
		}
	}
	u.commands = append(u.commands, "kedge-ca serve")
	u.startServer()
	tokens := map[string]string{}
	out, _ := u.run("token", "--from", "hosts.csv")
	for line := range strings.Lines(out) {
		name, token, _ := strings.Cut(strings.TrimSpace(line), "\t")
		tokens[name] = token
	}
	if len(tokens) != 30 || len(u.commands) > maxCommands {
		t.Fatalf("%d tokens, by %d commands:\n%s", len(tokens), len(u.commands), strings.Join(u.commands, "\n"))
	}
	for _, a := range accounts {
		before := len(a.Sessions()) // those of the probe
		for _, name := range a.hosts() {
			u.enroll(a, name, tokens[name])
		}
		served := map[string]bool{}
		for _, s := range a.Sessions()[before:] {
			if !strings.HasSuffix(s.RoleARN, ":role/"+a.role) {
				t.Errorf("%s got %s", s.SourceIdentity, s.RoleARN)
			}
			served[s.SourceIdentity] = true
		}
		for _, name := range a.hosts() {
			if !served["CN="+name] {
				t.Errorf("%s got no session of the role %s", name, a.role)
			}
		}
	}
	if n := len(u.hosts()); n != 30 {
		t.Errorf("the CA has %d hosts", n)
	}
}
