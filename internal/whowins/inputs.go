package whowins

import (
	"errors"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"unicode/utf8"

	"kedge/internal/credfile"
)

// Inputs is what Look sees of a host. It is not kept.
type Inputs struct {
	Environment map[string]string // of the program that uses the tool
	Home        string            // home folder of its user, if HOME is not in the environment
	Profile     string            // named in code or by --profile; empty: none is
	ReadFile    func(path string) ([]byte, error)

	// IsKedge reports whether the program of a credential_process is kedge, such as by a link. If it
	// is nil, or false, the name of the program decides.
	IsKedge func(program string) bool
	// IsMissing reports whether the program of a credential_process cannot be run, since it is not there or is no
	// program. If it is nil, each can.
	IsMissing func(program string) bool
	// Program is a path of kedge, which a fix puts in the place of a kedge that is missing; empty: no fix does.
	Program string
	// IsServed reports whether kedge serve answers at an endpoint, a URL without login and query. If it is nil, each endpoint on a
	// loopback address is taken for one, and for its sake no fix changes a file.
	IsServed func(endpoint string) bool
	// IsUpdated reports whether kedge update writes to a profile of a credentials file. If it is nil,
	// each profile with temporary keys is taken for one, in a file that has the lock of kedge update.
	IsUpdated func(path, profile string) bool
	// Configure is the command after which programs use kedge, for a host where nothing leads to it.
	// If it is empty, it is "kedge configure --help".
	Configure string
}

// Situation is what the tools see of a host, without secrets. It does not change; it is safe for
// concurrent use.
type Situation struct {
	env       map[string]string
	home      string
	profile   string
	files     map[string]file // by path
	unread    []string        // paths of files that are there, and cannot be read
	kedge     map[string]bool // by program of a credential_process
	missing   map[string]bool // by program of a credential_process
	program   string          // path of kedge
	served    map[string]bool // by endpoint
	asked     bool            // served is what IsServed reports, and no guess
	configure string
	edits     int // of files, by the steps of a fix
}

// file is a file of profiles. A file that is missing or cannot be read has no text: every tool goes
// on without it.
type file struct {
	text    string // as redact leaves it
	problem error  // why botocore refuses it, although its lines may be in order
	updated map[string]bool
}

// isOpen reports whether the value of a variable is kept.
//
//go:noinline
func isOpen(name string) bool {
	switch name {
	case "HOME", "AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE",
		"AWS_EC2_METADATA_DISABLED", "AWS_EC2_METADATA_SERVICE_ENDPOINT",
		"AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI":
		return true
	}
	return false
}

// isSecret reports whether only the presence of a variable is kept.
//
//go:noinline
func isSecret(name string) bool {
	switch name {
	case "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_CREDENTIAL_EXPIRATION",
		"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "AMAZON_ACCESS_KEY_ID", "AMAZON_SECRET_ACCESS_KEY", "AMAZON_SESSION_TOKEN",
		"AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_ROLE_ARN", "AWS_ROLE_SESSION_NAME":
		return true
	}
	return false
}

// Look reads what decides about credentials, once.
func Look(in Inputs) *Situation {
	s := &Situation{
		env: map[string]string{}, profile: in.Profile, files: map[string]file{}, kedge: map[string]bool{}, missing: map[string]bool{},
		program: in.Program, served: map[string]bool{}, configure: in.Configure,
	}
	for name, value := range in.Environment {
		if strings.HasSuffix(name, "_ENDPOINT") || strings.HasSuffix(name, "_URI") {
			value = withoutLogin(value)
		}
		switch {
		case isOpen(name) || isSecret(name) && value == "":
			s.env[name] = value
		case isSecret(name):
			s.env[name] = "set"
		}
	}
	if s.home = s.get("HOME"); s.home == "" {
		s.home = in.Home
	}
	if s.configure == "" {
		s.configure = "kedge configure --help"
	}
	for _, name := range []string{"config", "credentials"} {
		for _, at := range []string{s.defaultPath(name), s.get(fileVariable(name)), s.expandHome(s.get(fileVariable(name)))} {
			s.read(in, at)
		}
	}
	s.findServed(in)
	return s
}

//go:noinline
func fileVariable(name string) string {
	if name == "config" {
		return "AWS_CONFIG_FILE"
	}
	return "AWS_SHARED_CREDENTIALS_FILE"
}

//go:noinline
func (s *Situation) defaultPath(name string) string { return filepath.Join(s.home, ".aws", name) }

//go:noinline
func (s *Situation) expandHome(at string) string {
	if at == "~" || strings.HasPrefix(at, "~/") {
		return filepath.Join(s.home, at[1:])
	}
	return at
}

func (s *Situation) read(in Inputs, at string) {
	if _, known := s.files[at]; known || at == "" {
		return
	}
	data, err := in.ReadFile(at)
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) && !slices.Contains(s.unread, at) {
			s.unread = append(s.unread, at)
		}
		return
	}
	text := string(data)
	found := func(program string) {
		s.kedge[program] = isKedgeName(program) || in.IsKedge != nil && in.IsKedge(program)
		s.missing[program] = in.IsMissing != nil && in.IsMissing(program)
	}
	f := file{text: redact(text, found), updated: map[string]bool{}}
	if !utf8.ValidString(text) {
		f.problem = errNotUTF8
	}
	isUpdated := in.IsUpdated
	if isUpdated == nil {
		_, err := in.ReadFile(filepath.Join(filepath.Dir(at), "."+filepath.Base(at)+".lock")) // credfile.Update leaves it
		isUpdated = func(string, string) bool { return !errors.Is(err, fs.ErrNotExist) }
	}
	for name, values := range credfile.ReadAsGo(text) {
		if values["aws_session_token"] != "" && strings.HasPrefix(values["aws_access_key_id"], "ASIA") || in.IsUpdated != nil {
			f.updated[name] = isUpdated(at, name)
		}
	}
	s.files[at] = f
}

// findServed asks about each endpoint that is configured somewhere.
func (s *Situation) findServed(in Inputs) {
	ask := in.IsServed
	if s.asked = ask != nil; !s.asked {
		ask = isLoopback
	}
	endpoints := []string{s.get("AWS_CONTAINER_CREDENTIALS_FULL_URI"), s.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
	for _, f := range s.files {
		for _, values := range credfile.ReadAsGo(f.text) {
			endpoints = append(endpoints, values["ec2_metadata_service_endpoint"])
		}
	}
	for _, endpoint := range endpoints {
		if _, known := s.served[endpoint]; !known && endpoint != "" {
			s.served[endpoint] = ask(endpoint)
		}
	}
}

// isLoopback reports whether a URL is one on this host, by its text.
func isLoopback(endpoint string) bool {
	_, rest, _ := strings.Cut(endpoint, "://")
	host, _, _ := strings.Cut(rest, "/")
	return host == "localhost" || strings.HasPrefix(host, "localhost:") || strings.HasPrefix(host, "127.") || strings.HasPrefix(host, "[::1]")
}

// isKedgeName reports whether a path is one of a program named kedge.
func isKedgeName(program string) bool {
	base := path.Base(strings.ReplaceAll(program, `\`, "/"))
	return strings.TrimSuffix(strings.ToLower(base), ".exe") == "kedge"
}
