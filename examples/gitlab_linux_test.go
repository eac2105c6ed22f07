package examples

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kedge/internal/testenv"
)

// gitlabJob is the job of the example.
type gitlabJob struct {
	Variables    map[string]string
	BeforeScript []string `yaml:"before_script"`
	Script       []string
	AfterScript  []string `yaml:"after_script"`
}

// runGitlab runs lines of a job as the shell of a runner does: one script, which ends at the first failure.
func runGitlab(t *testing.T, environment, lines []string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "/bin/sh", "-eu", "-c", strings.Join(lines, "\n"))
	cmd.Env = environment
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return string(out)
}

// TestGitLab: the job gets credentials by a file with the token, which is not in its log; at the end it gives its
// certificate back, and no key is left.
func TestGitLab(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	var jobs map[string]gitlabJob
	text := fill(t, "gitlab/.gitlab-ci.yml", map[string]string{"https://downloads.example.com/kedge": s.download, ": SHA256": ": " + s.sum})
	if err := yaml.Unmarshal([]byte(text), &jobs); err != nil {
		t.Fatal(err)
	}
	job, base := jobs["backup"], t.TempDir()
	project, tools := filepath.Join(base, "project"), filepath.Join(base, "project.tmp")
	for _, dir := range []string{project, tools, filepath.Join(base, "bin")} {
		if err := os.Mkdir(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	token := s.token("ci-{random}", "--uses", "5", "--ttl", "2h")
	// The AWS CLI of Debian does not read AWS_ENDPOINT_URL_STS.
	shim := "#!/bin/sh\nexec " + testenv.Tool(t, "aws") + ` --endpoint-url "$AWS_ENDPOINT_URL_STS" --region us-east-1 "$@"` + "\n"
	for name, content := range map[string]string{"project.tmp/ENROLL_TOKEN": token, "bin/aws": shim} {
		if err := os.WriteFile(filepath.Join(base, name), []byte(content), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	environment := append([]string{
		"PATH=" + base + "/bin:/usr/bin:/bin", "HOME=" + base, "CI_PROJECT_DIR=" + project, "ENROLL_TOKEN=" + tools + "/ENROLL_TOKEN",
	}, s.environment...)
	for name, value := range job.Variables {
		environment = append(environment, name+"="+strings.ReplaceAll(value, "$CI_PROJECT_DIR", project))
	}
	log := runGitlab(t, environment, append(job.BeforeScript, job.Script...))
	arn := regexp.MustCompile(`"Arn": "([^"]*)"`).FindStringSubmatch(log)
	hosts := s.hosts()
	if len(hosts) != 1 || arn == nil || strings.Contains(log, token) {
		t.Fatalf("the job: %+v\n%s", hosts, log)
	}
	s.checkIdentity(arn[1], hosts[0].Name)
	runGitlab(t, environment, job.AfterScript)
	if _, err := os.Stat(filepath.Join(tools, "identity")); !os.IsNotExist(err) {
		t.Errorf("the key is still there: %v", err)
	}
	if list := s.ca("list", "--json"); !strings.Contains(list, `"revoked"`) {
		t.Errorf("the certificate is not revoked: %s", list)
	}
}
