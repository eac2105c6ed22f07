package examples

import (
	"bufio"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/aws/aws-sdk-go-v2/credentials/endpointcreds"
	"go.yaml.in/yaml/v3"
)

// containerUser is the user of the containers in the examples.
const containerUser = 65532

// newContainers makes the file system that the containers of a pod or of a project see: the program and volumes,
// which have a mode and belong to a user and the group of the containers.
func (s *site) newContainers(volume os.FileMode, owner int) machine {
	s.t.Helper()
	m := s.newMachine()
	m.copy(program("kedge"), "/kedge")
	for _, name := range []string{"/var/lib/kedge", "/run/kedge"} {
		path := m.path(name)
		if err := os.MkdirAll(path, 0o755); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Chown(path, owner, containerUser); err != nil {
			s.t.Fatal(err)
		}
		if err := os.Chmod(path, volume); err != nil {
			s.t.Fatal(err)
		}
	}
	return m
}

// roleVariables returns the ARNs that kedge-ca.yaml names, as variables for kedge.
func (s *site) roleVariables() []string {
	s.t.Helper()
	data, err := os.ReadFile(s.path("ca/kedge-ca.yaml"))
	var settings struct {
		Server struct{ AWS map[string]string }
	}
	if err == nil {
		err = yaml.Unmarshal(data, &settings)
	}
	if err != nil {
		s.t.Fatal(err)
	}
	var all []string
	for name, arn := range settings.Server.AWS {
		all = append(all, "KEDGE_"+strings.ToUpper(name)+"="+arn)
	}
	return all
}

// background starts a container that goes on, and ends it at the end of the test: SIGTERM is no failure. It returns
// what the container prints.
func (m machine) background(args ...string) io.Reader {
	m.t.Helper()
	words := m.command(append([]string{"/kedge"}, args...)...)
	cmd := &exec.Cmd{Path: words.Path, Args: words.Args, Env: words.Env, Dir: words.Dir, Stderr: m.t.Output()} // not killed at the end
	stdout, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		m.t.Fatal(err)
	}
	m.t.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		if err := cmd.Wait(); err != nil {
			m.t.Errorf("%s: %v", args[0], err)
		}
	})
	return stdout
}

// serve starts the container with the endpoint at a free port, and gets credentials as an application with
// these settings does: the URL, and the file with the token.
func (m machine) serve(s *site, args []string, url, tokenFile, name string) {
	m.t.Helper()
	m.environment = append(m.environment, s.roleVariables()...)
	lines := bufio.NewScanner(m.background(append(args, "--port", "0")...))
	printed := ""
	for printed == "" && lines.Scan() {
		printed, _ = strings.CutPrefix(lines.Text(), "export AWS_CONTAINER_CREDENTIALS_FULL_URI=")
		if printed == lines.Text() {
			printed = ""
		}
	}
	const base = "http://127.0.0.1:9911"
	path := strings.TrimPrefix(url, base)
	if path == url || !strings.HasSuffix(printed, path) {
		m.t.Fatalf("the application asks at %s, and kedge serves at %s", url, printed)
	}
	token, err := os.ReadFile(m.path(tokenFile))
	if err != nil {
		m.t.Fatal(err)
	}
	s.identify(endpointcreds.New(printed, func(o *endpointcreds.Options) { o.AuthorizationToken = string(token) }), name)
}
