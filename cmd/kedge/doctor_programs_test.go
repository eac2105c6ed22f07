package main

import (
	"os"
	"strings"
	"testing"

	"kedge/internal/doctor"
)

// TestDoctor_command: of a command, the tool that its name shows is examined, in its environment, and must use kedge.
// What to paste makes it do so.
func TestDoctor_command(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, config string
		command      []string
		checks       string // that are examined, besides those of the host
		state        doctor.State
		run          string
	}{
		{"kedge", "[default]\ncredential_process = kedge credential-process --profile web\n", []string{"aws", "s3", "ls"}, "uses-aws-cli-1 uses-aws-cli-2", doctor.OK, ""},
		{"another profile", "[profile web]\ncredential_process = kedge credential-process --profile web\n", []string{"terraform", "apply"}, "uses-aws-sdk-for-go-v2", doctor.Failed, "export AWS_PROFILE=web"},
		{"named by the command", "[profile web]\ncredential_process = kedge credential-process --profile web\n", []string{"aws", "--profile", "web", "s3", "ls"}, "uses-aws-cli-1 uses-aws-cli-2", doctor.OK, ""},
		{"in its environment", "[profile web]\ncredential_process = kedge credential-process --profile web\n", []string{"env", "AWS_PROFILE=web", "/usr/bin/python3.12", "run.py"}, "uses-boto3", doctor.OK, ""},
		{"keys in its environment", "[default]\ncredential_process = kedge credential-process --profile web\n", []string{"env", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=hidden-from-all", "node", "run.js"}, "uses-aws-sdk-for-javascript-v3", doctor.Failed, "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY"},
		{"two lines", "[profile backup]\ncredential_process = kedge credential-process --profile web\n", []string{"env", "AWS_DEFAULT_PROFILE=old", "python3", "run.py"}, "uses-boto3", doctor.Failed, "unset AWS_DEFAULT_PROFILE\nexport AWS_PROFILE=backup"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			s := newSite(t)
			home, _ := s.env.Lookup("HOME")
			must(t, os.Mkdir(home+"/.aws", 0o700))
			writeFile(t, home+"/.aws/config", c.config)
			s.args = append([]string{"--"}, c.command...)
			report, stderr, code := s.run()
			var checks []string
			for _, r := range report.Checks {
				if strings.HasPrefix(r.ID, "uses-") {
					checks = append(checks, r.ID)
					if r.State != c.state || r.Command != c.run || strings.Contains(r.Seen+r.Advice+r.Command, "hidden-from-all") {
						t.Errorf("%+v", r)
					}
				}
			}
			if strings.Join(checks, " ") != c.checks || code != map[doctor.State]int{doctor.OK: 0, doctor.Failed: 1}[c.state] {
				t.Errorf("%v, exit code %d: %s", checks, code, stderr)
			}
			if c.state == doctor.Failed {
				s.pasteBefore(report, c.command)
				if report, _, code := s.run(); code != 0 || s.result(report, c.checks).State != doctor.OK {
					t.Errorf("after it was pasted: %s", problems(report))
				}
			}
		})
	}
}

// pasteBefore runs what the text of a report has to paste, line by line, in the environment of a command, and leaves
// that environment to the site.
func (s *site) pasteBefore(report *doctor.Report, command []string) {
	s.t.Helper()
	lines := "set -e\n"
	for line := range strings.Lines(string(report.Text())) {
		if paste, ok := strings.CutPrefix(strings.TrimSpace(line), "run: "); ok {
			lines += paste + "\n"
		}
	}
	program := s.command()
	for command[0] == "env" || strings.Contains(command[0], "=") {
		program.Env, command = append(program.Env, command[0]), command[1:]
	}
	program.Path, program.Args = "/bin/sh", []string{"sh", "-c", lines + "exec env -0"}
	out, err := program.CombinedOutput()
	must(s.t, err)
	s.env = strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")
	s.args = append([]string{"--"}, command...)
}

// TestDoctor_unknownCommand: where the name of a command does not show its SDK, all are listed, and none is a failure.
func TestDoctor_unknownCommand(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.env = append(s.env, "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=hidden-from-all")
	s.args = []string{"--", "backup.sh", "--profile", "none"}
	report, _, code := s.run()
	n := 0
	for _, r := range report.Checks {
		if strings.HasPrefix(r.ID, "uses-") {
			n++
			if r.State != doctor.Warning || r.Command == "" {
				t.Errorf("%+v", r)
			}
		}
	}
	if n < 11 || code != 0 {
		t.Errorf("%d tools, exit code %d", n, code)
	}
}

// TestDoctor_deadEndpoint: an endpoint on this machine that does not answer gives no program credentials.
func TestDoctor_deadEndpoint(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.env = append(s.env, "AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:1")
	s.args = []string{"--", "aws", "s3", "ls"}
	report, _, code := s.run()
	if r := s.result(report, "uses-aws-cli-1"); r.State != doctor.Failed || code == 0 {
		t.Errorf("%+v, exit code %d", r, code)
	}
}

func faultsOfPrograms() []fault {
	python := func(line string) func(*site) {
		return func(s *site) {
			home, _ := s.env.Lookup("HOME")
			must(s.t, os.MkdirAll(home+"/.aws", 0o700))
			writeFile(s.t, home+"/.aws/config", "[default]\ncredential_process = "+line+" credential-process --profile web\n")
			s.args = []string{"--", "python3", "run.py"}
		}
	}
	return []fault{
		{name: "no program", check: "uses-boto3", state: doctor.Failed, code: 1, says: "there is no program /nonexistent/kedge, which its credential_process is", run: "sed -E", paste: true,
			set: python("/nonexistent/kedge")},
		{name: "a program in quotes that is not there", check: "uses-boto3", state: doctor.Failed, code: 1, says: "there is no program /non existent/kedge", run: "sed -E", paste: true,
			set: python(`"/non existent/kedge"`)},
		{name: "no program of that name", check: "uses-boto3", state: doctor.Failed, code: 1, says: "there is no program kedge, which", run: "sed -E", paste: true,
			set: func(s *site) { python("kedge")(s); s.env = append(s.env, "PATH=/bin:/usr/bin") }},
		{name: "a program that nobody can run", check: "uses-boto3", state: doctor.Failed, code: 1, says: "there is no program ", run: "sed -E", paste: true,
			set: func(s *site) { s.write("kedge", "#!/bin/sh\n"); python(s.path("kedge"))(s) }},
		{name: "a path with a space", check: "uses-boto3", state: doctor.Failed, code: 1, says: "a path with spaces needs double quotes around it",
			set: func(s *site) {
				s.command()
				must(s.t, os.Rename(s.path("bin"), s.path("my tools")))
				python(s.path("my tools/kedge"))(s)
			}, fix: func(s *site) { python(`"` + s.path("my tools/kedge") + `"`)(s) }},
		{name: "a program whose role is assumed", check: "uses-boto3", state: doctor.Failed, code: 1, says: "there is no program /nonexistent/kedge", run: "sed -E", paste: true,
			set: func(s *site) {
				python("/nonexistent/other\n[profile web]\nrole_arn = arn:aws:iam::111122223333:role/x\nsource_profile = base\n[profile base]\ncredential_process = /nonexistent/kedge")(s)
				s.env = append(s.env, "AWS_PROFILE=web")
			}},
	}
}
