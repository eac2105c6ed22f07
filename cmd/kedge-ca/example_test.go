package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"kedge/internal/testenv"
)

// exampleSetup returns what is there before the examples of a command run, as lines for sh.
func exampleSetup(command string) string {
	const ca = "kedge-ca init --no-password\n"
	const hosts = ca + `for name in web-01 web-02 db-01 db-02; do kedge-ca issue $name; done
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout web-03.key -out web-03.csr -subj /CN=web-03
`
	switch command {
	case "kedge-ca", "kedge-ca init", "kedge-ca version":
		return ""
	case "kedge-ca issue":
		return ca + "printf 'name,dns\\nweb-03,web-03.example.com\\nweb-04,\\n' > hosts.csv\n"
	case "kedge-ca renew", "kedge-ca rekey":
		return hosts + "mkdir hosts\nkedge-ca issue web-05 --out hosts\nprintf 'name\\nweb-05\\n' > hosts.csv\n"
	case "kedge-ca unrevoke":
		return hosts + "kedge-ca revoke web-01 --reason certificate-hold --yes\n"
	case "kedge-ca rotate switch", "kedge-ca rotate abort":
		return hosts + "kedge-ca rotate start --no-password\n"
	case "kedge-ca rotate finish":
		return hosts + "kedge-ca rotate start --no-password\nkedge-ca rotate switch --yes\n"
	case "kedge-ca rotate reopen":
		return hosts + "kedge-ca rotate start --no-password\nkedge-ca rotate switch --yes\nkedge-ca rotate finish --yes\n"
	case "kedge-ca ledger import":
		return hosts + "mkdir pki\ncp web-01.pem pki\nkedge-ca crl\ncp ca/crl/ca.crl old.crl\n"
	case "kedge-ca aws", "kedge-ca aws policy", "kedge-ca aws policy lint":
		return hosts + "kedge-ca bundle --aws-cli --trust-anchor arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001\n"
	case "kedge-ca aws rotate":
		return hosts + `echo '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}' > backup.json` + "\nkedge-ca aws up --role backup --names web-01 --policy backup.json --yes\nkedge-ca rotate start --no-password\n"
	case "kedge-ca aws explain":
		return hosts + `echo '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}' > backup.json
kedge-ca aws up --role backup --names web-01 --policy backup.json --yes
value() { sed -n "s/^ *$1: //p" ca/aws.yaml; }
sha256=$(openssl x509 -in web-01.pem -outform der | openssl dgst -sha256 -r | cut -d' ' -f1)
printf '{"schema": 1, "subject": {"trust_anchor_arn": "%s", "profile_arn": "%s", "role_arn": "%s", "certificate": {"sha256": "%s"}}}' "$(value trust_anchor)" "$(value profile)" "$(value backup)" "$sha256" > web-01.json
`
	case "kedge-ca aws down", "kedge-ca aws status", "kedge-ca aws hosts":
		return hosts
	case "kedge-ca aws plan", "kedge-ca aws up", "kedge-ca aws export":
		return hosts + `echo '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*"}]}' > backup.json` + "\n"
	case "kedge-ca aws crl", "kedge-ca aws crl push":
		return "kedge-ca crl\n" // of the CA of newPushCA
	case "kedge-ca who":
		return hosts + `day=AWSLogs/111122223333/CloudTrail/eu-central-1/2026/11/30
mkdir -p $day
echo '{"Records":[]}' | gzip > $day/111122223333_CloudTrail_eu-central-1.json.gz
`
	case "kedge-ca token", "kedge-ca token revoke":
		return hosts + "echo 'server: {url: https://ca.example.com}' > ca/kedge-ca.yaml\n"
	case "kedge-ca resolve":
		return hosts + "mkdir copy\ncp web-01.key web-01.pem copy\nkedge-ca rekey web-01\nif kedge-ca rekey copy/web-01.pem; then exit 1; fi\n"
	case "kedge-ca backup", "kedge-ca backup check", "kedge-ca backup restore":
		keys := "age-keygen -o backup-key.txt\nage-keygen -y backup-key.txt > backup-keys.txt\n"
		if command == "kedge-ca backup" {
			return ca + keys
		}
		return ca + keys + "kedge-ca backup --recipients-file backup-keys.txt --output ca.age\n"
	case "kedge-ca ledger restore":
		return hosts + "kedge-ca ledger backup kedge-ca.db\nrm ca/ledger.db*\n"
	}
	return hosts
}

// served returns a line that starts a server, if it is one, such that the server ends once it serves;
// on free ports, since the tests of others may have those of the example.
func served(line string) string {
	if !strings.HasPrefix(line, "kedge-ca serve ") {
		return line
	}
	line = strings.NewReplacer("127.0.0.1:8443", "127.0.0.1:0", "127.0.0.1:8080", "127.0.0.1:0").Replace(line)
	return "rm -f log\nKEDGE_CA_LISTEN=127.0.0.1:0 " + line + ` 2> log &
until grep -sq msg=serving log; do kill -0 $! || { cat log; exit 1; }; done
kill $!
wait $!`
}

// TestExamples runs the examples in the help of every command, each command in a folder of
// its own, and each line of sh as it stands there.
func TestExamples(t *testing.T) {
	t.Parallel()
	testenv.Tool(t, "openssl")
	testenv.Tool(t, "age-keygen")
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := t.TempDir()
	if err := os.Symlink(self, filepath.Join(bin, "kedge-ca")); err != nil {
		t.Fatal(err)
	}
	for _, cmd := range commandTree(newRoot(host{}, nil)) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			t.Parallel()
			if cmd.Example == "" || cmd.Short == "" || cmd.Long == "" && cmd.Runnable() && cmd.Name() != "version" {
				t.Fatal("the help lacks words or an example")
			}
			script := "set -e\n" + exampleSetup(cmd.CommandPath())
			for line := range strings.Lines(cmd.Example) {
				if strings.Contains(line, " > /") || strings.Contains(line, "backup /") {
					t.Fatalf("the example writes outside its folder: %s", line)
				}
				script += unasked(served(withoutTerminal(newRoot(host{}, nil), strings.TrimSpace(line)))) + "\n"
			}
			sh := exec.Command("sh", "-c", script)
			sh.Dir = t.TempDir()
			environment := os.Environ()
			switch {
			case strings.HasPrefix(cmd.CommandPath(), "kedge-ca aws crl"):
				account := newPushCA(t, "")
				sh.Dir, environment = account.dir, append(environment, account.environment()...)
			case strings.HasPrefix(cmd.CommandPath(), "kedge-ca aws"):
				environment = append(environment, newAccount(t, nil).environment()...)
			case strings.HasPrefix(cmd.CommandPath(), "kedge-ca key"):
				environment = inFolder(t, sh.Dir, testenv.NewKMS(t))
			}
			sh.Env = append(environment, "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
			if out, err := sh.CombinedOutput(); err != nil {
				t.Errorf("%v\n%s\n%s", err, script, out)
			}
		})
	}
}

// inFolder returns the environment of examples about AWS KMS: a double, whose profile ca is in the folder.
func inFolder(t *testing.T, dir string, k *testenv.KMS) []string {
	t.Helper()
	config := filepath.Join(dir, "aws-config")
	if err := os.WriteFile(config, []byte("[profile ca]\naws_access_key_id = AKIDTEST\naws_secret_access_key = secret-of-a-test\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return append(k.Environment(), "AWS_CONFIG_FILE="+config)
}

// unasked returns a line that decides on a request such that it must say that there is none: hosts
// choose the IDs, and no host has asked.
func unasked(line string) string {
	if !strings.HasPrefix(line, "kedge-ca approve ") && !strings.HasPrefix(line, "kedge-ca deny ") {
		return line
	}
	return "if " + line + " 2> said; then exit 1; fi\ngrep 'is not in the ledger' said"
}

// commandTree returns a command and all below it that are ours.
func commandTree(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		if name := sub.Name(); name != "help" && name != "completion" {
			all = append(all, commandTree(sub)...)
		}
	}
	return all
}

// withoutTerminal adds the flags that answer what a person would be asked. Find writes to the root, so no
// two tests share one.
func withoutTerminal(root *cobra.Command, line string) string {
	cmd, _, err := root.Find(strings.Fields(line)[1:])
	if err != nil {
		return line
	}
	if cmd.Flags().Lookup("yes") != nil && !strings.Contains(line, "--yes") {
		line += " --yes"
	}
	if cmd.Flags().Lookup("no-password") != nil && !strings.Contains(line, "password") {
		line += " --no-password"
	}
	return line
}
