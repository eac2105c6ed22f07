package examples

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kedge/internal/testenv"
)

// TestDockerfile: the image has CA certificates in the file in which Go looks for those of the system.
func TestDockerfile(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("docker/Dockerfile")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); len(words) == 4 && words[0] == "COPY" && words[3] == "/etc/ssl/certs/" && strings.HasSuffix(words[2], "/ca-certificates.crt") {
			return
		}
	}
	t.Error("it has none")
}

// TestCompose: docker-compose takes the file, and its services, run as processes, come to credentials.
func TestCompose(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	m := s.newContainers(0o700, containerUser)
	m.user = containerUser
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("docker")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"app.token": s.token("app"), "kedge.env": strings.Join(s.roleVariables(), "\n")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	var project struct {
		Services map[string]struct {
			Command     []string
			Environment map[string]string
		}
	}
	if err := yaml.Unmarshal(testenv.Run(t, dir, "docker-compose", "config"), &project); err != nil {
		t.Fatal(err)
	}
	for _, service := range []string{"enroll", "renew", "credentials"} {
		if project.Services[service].Environment["KEDGE_ROLE_ARN"] == "" {
			t.Errorf("the service %s has nothing of kedge.env", service)
		}
	}
	token, err := os.ReadFile(filepath.Join(dir, "app.token"))
	if err != nil {
		t.Fatal(err)
	}
	m.write("/run/secrets/enrollment", string(token), 0o600)
	run := func(service string) []string { return project.Services[service].Command }
	m.run(append([]string{"/kedge"}, run("enroll")...)...)
	if err := os.Remove(m.path("/run/secrets/enrollment")); err != nil {
		t.Fatal(err)
	}
	m.run(append([]string{"/kedge"}, run("enroll")...)...) // again, without the token
	m.background(run("renew")...)
	app := project.Services["app"].Environment
	m.serve(s, run("credentials"), app["AWS_CONTAINER_CREDENTIALS_FULL_URI"], app["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"], "app")
}
