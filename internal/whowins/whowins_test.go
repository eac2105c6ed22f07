package whowins

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// lookAt looks at files in the home folder /h.
func lookAt(env map[string]string, files map[string]string) *Situation {
	return Look(Inputs{Environment: env, Home: "/h", ReadFile: func(path string) ([]byte, error) {
		if content, ok := files[path]; ok {
			return []byte(content), nil
		}
		return nil, os.ErrNotExist
	}})
}

func answerOf(t *testing.T, s *Situation, tool string) Answer {
	t.Helper()
	for _, a := range s.Answers() {
		if a.Tool == tool {
			return a
		}
	}
	t.Fatalf("there is no answer about %s", tool)
	return Answer{}
}

// TestAnswers_words: an answer names the source, why it counts, where kedge is, and what to run.
func TestAnswers_words(t *testing.T) {
	t.Parallel()
	const kedge = "credential_process = /opt/kedge credential-process\n"
	for _, tt := range []struct {
		name, tool              string
		env, files              map[string]string
		winner, where, why, fix string
		ours                    bool
	}{
		{"kedge", "boto3", nil, map[string]string{"/h/.aws/config": "[default]\n" + kedge},
			"credential_process", "[default] of /h/.aws/config", `the profile is "default", and the first source in it is credential_process`, "", true},
		{"nothing", "AWS CLI 2", nil, nil,
			"the instance metadata service", "http://169.254.169.254", `the profile is "default", which names no other source; nothing leads to kedge`, "kedge configure --help", false},
		{"environment", "AWS SDK for Go v2", map[string]string{"AWS_ACCESS_KEY_ID": "AKIAX", "AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": ""}, map[string]string{"/h/.aws/config": "[default]\n" + kedge},
			"keys in the environment", "AWS_ACCESS_KEY_ID", "keys in the environment come before all profiles; kedge is in [default] of /h/.aws/config", "unset AWS_ACCESS_KEY_ID AWS_SECRET_ACCESS_KEY AWS_SESSION_TOKEN", false},
		{"broken file", "AWS CLI 1", nil, map[string]string{"/h/.aws/config": "[default]\n" + kedge + "more\n"},
			"an error", "/h/.aws/config", "/h/.aws/config: line 3 is neither a setting nor a section; kedge is in [default] of /h/.aws/config", `"${EDITOR:-vi}" +3 /h/.aws/config`, false},
		{"default for PHP", "AWS SDK for PHP", nil, map[string]string{"/h/.aws/config": "[default]\n" + kedge},
			"the instance metadata service", "http://169.254.169.254", `the profile is "default", which names no other source; kedge is in [default] of /h/.aws/config, which this tool does not read as it is written (by its documentation)`, `sed -i.bak-$(mktemp -u XXXXXX) 's|^\[default\]|[profile default]|' /h/.aws/config`, false},
		{"both variables", "boto3", map[string]string{"AWS_PROFILE": "web", "AWS_DEFAULT_PROFILE": "old"}, map[string]string{"/h/.aws/config": "[profile web]\n" + kedge + "[profile old]\nregion = x\n"},
			"the instance metadata service", "http://169.254.169.254", `the profile is "old", which names no other source; kedge is in [profile web] of /h/.aws/config`, "unset AWS_DEFAULT_PROFILE\nexport AWS_PROFILE=web", false},
		{"keys in the way", "AWS SDK for JavaScript v3", nil, map[string]string{"/h/.aws/config": "[default]\n" + kedge, "/h/.aws/credentials": "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n"},
			"keys in a file", "[default] of /h/.aws/credentials", `the profile is "default", and the first source in it is keys in a file; kedge is in [default] of /h/.aws/config`,
			`sed -E -i.bak-$(mktemp -u XXXXXX) '/^\[default\]/,/^\[/{s/^(aws_access_key_id|aws_secret_access_key)[[:space:]]*[=:]/#&/;}' /h/.aws/credentials`, false},
		{"container of kedge serve", "AWS SDK for Go v2", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://me:hunter2@127.0.0.1:9911/v1/credentials/x?y=hunter2"}, nil,
			"the container endpoint", "http://127.0.0.1:9911/v1/credentials/x", `the profile is "default", which names no other source`, "", true},
		{"container of another", "boto3", map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9911/v1", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2"}, nil,
			"the container endpoint", "/v2", `the profile is "default", which names no other source; kedge is in the container endpoint http://127.0.0.1:9911/v1`, "unset AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := answerOf(t, lookAt(tt.env, tt.files), tt.tool)
			a.Source = nil
			want := Answer{Tool: tt.tool, Winner: tt.winner, Where: tt.where, Ours: tt.ours, Why: tt.why, Fix: tt.fix, Documented: strings.HasSuffix(tt.why, ")")}
			if a != want {
				t.Errorf("%+v\nwant %+v", a, want)
			}
		})
	}
}

// TestFix_guessedEndpoint: for an endpoint that may be of another program no fix changes a file.
func TestFix_guessedEndpoint(t *testing.T) {
	t.Parallel()
	const keys = "[default]\naws_access_key_id = AKIAX\naws_secret_access_key = s\n"
	container := map[string]string{"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://127.0.0.1:9911/v1"}
	metadata := map[string]string{"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1338/"}
	const hide, open = "export AWS_SHARED_CREDENTIALS_FILE=/dev/null", `"${EDITOR:-vi}" /h/.aws/config`
	for _, tt := range []struct {
		name  string
		env   map[string]string
		files map[string]string
		fix   string
	}{
		{"container, credentials", container, map[string]string{"/h/.aws/credentials": keys}, hide},
		{"container, config", container, map[string]string{"/h/.aws/config": keys}, open},
		{"container, both", container, map[string]string{"/h/.aws/config": keys, "/h/.aws/credentials": keys}, hide + "\n" + open},
		{"metadata, credentials", metadata, map[string]string{"/h/.aws/credentials": keys}, hide},
		{"metadata, config", metadata, map[string]string{"/h/.aws/config": keys}, open},
		{"metadata of the profile", nil, map[string]string{"/h/.aws/config": keys + "ec2_metadata_service_endpoint = http://127.0.0.1:1338/\n"}, open},
	} {
		for _, a := range lookAt(tt.env, tt.files).Answers() {
			isPHP := a.Tool == "AWS SDK for PHP" // it reads no "[default]" of the config file
			if strings.Contains(a.Fix, "sed ") || a.Fix != tt.fix && !isPHP {
				t.Errorf("%s, %s: the fix is %q, want %q", tt.name, a.Tool, a.Fix, tt.fix)
			}
		}
	}
}

// TestFix_rename: a person changes a header if a section has the new one already, or if sed would take a part of
// a name for a command.
func TestFix_rename(t *testing.T) {
	t.Parallel()
	const kedge, open = "credential_process = /opt/kedge credential-process\n", `"${EDITOR:-vi}" +2 /h/.aws/`
	for _, tt := range []struct{ name, profile, file, text, fix string }{
		{"it can be changed", "p", "config", "[p]\n" + kedge, `sed -i.bak-$(mktemp -u XXXXXX) 's|^\[p\]|[profile p]|' /h/.aws/config`},
		{"a section has it", "p", "config", "[p]\n" + kedge + "[profile p]\nregion = us-east-1\n", open + "config"},
		{"a section has it, in quotes", "p", "config", "[p]\n" + kedge + "[ profile\t\"p\" ]\nregion = us-east-1\n", open + "config"},
		{"a section of the credentials file has it", "p", "credentials", "[profile p]\n" + kedge + "[p]\nregion = us-east-1\n", open + "credentials"},
		{"&", "r&d", "config", "[r&d]\n" + kedge, open + "config"},
		{"backslash", `r\d`, "config", `[r\d]` + "\n" + kedge, open + "config"},
		{"|", "r|d", "config", "[r|d]\n" + kedge, open + "config"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := lookAt(map[string]string{"AWS_PROFILE": tt.profile}, map[string]string{"/h/.aws/" + tt.file: tt.text})
			for _, tool := range []string{"AWS CLI 2", "boto3", "AWS SDK for Go v2", "AWS SDK for JavaScript v3"} {
				if a := answerOf(t, s, tool); a.Fix != tt.fix {
					t.Errorf("%s: the fix is %q, want %q", tool, a.Fix, tt.fix)
				}
			}
		})
	}
	s := Situation{files: map[string]file{"f": {text: "[p]\n"}}}
	if next := s.rename(&target{file: "f", header: "p", rename: "profile\np"}); next.command != "" {
		t.Errorf("a newline: %q", next.command)
	}
}

// TestLook_unreadable: tools go on without a file that they cannot read, and the answer says so.
func TestLook_unreadable(t *testing.T) {
	t.Parallel()
	s := Look(Inputs{Home: "/h", ReadFile: func(path string) ([]byte, error) {
		if path == "/h/.aws/config" {
			return nil, fs.ErrPermission
		}
		return nil, fs.ErrNotExist
	}})
	const want = `the profile is "default", which names no other source; nothing leads to kedge; what is in /h/.aws/config does not count, for the file cannot be read`
	for _, a := range s.Answers() {
		if !strings.HasPrefix(a.Why, want) || a.Ours {
			t.Errorf("%s: %s", a.Tool, a.Why)
		}
	}
}

// TestLook_secrets: neither a situation nor an answer has a key, a token, an argument of a
// credential_process or the login of a URL.
func TestLook_secrets(t *testing.T) {
	t.Parallel()
	w := newWorkplace(t)
	for i, c := range combinations() {
		e := w.lay(t, i, c)
		e.Env["AWS_SECRET_ACCESS_KEY"], e.Env["AWS_SESSION_TOKEN"] = "hunter2", "hunter3"
		e.Env["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://me:hunter2@127.0.0.1/?token=hunter2"
		s := w.look(e)
		answers, err := json.Marshal(s.Answers())
		if err != nil {
			t.Fatal(err)
		}
		if all := fmt.Sprintf("%+v %s", s, answers); strings.Contains(all, "hunter") {
			t.Errorf("%s: %s", c.name, all)
		}
	}
}

// TestRedact: lines and what decides stay, values do not.
func TestRedact(t *testing.T) {
	t.Parallel()
	const before = "\ufeff[default] # mine\r\n; hunter2\n\n  aws_access_key_id: hunter2\nrole_arn = arn\nregion =\nhunter2\n" +
		"credential_process = sudo -n \"/opt/my kedge/kedge\" --pin hunter2 \"hunter3\"\ncredential_process = \"/opt/kedge\" --pin \"hunter2\"\ncredential_process = '/opt/kedge\n"
	const after = "\ufeff[default] # mine\r\n;\n\n  aws_access_key_id: x\nrole_arn = arn\nregion =\nx\n" +
		"credential_process = '/opt/my kedge/kedge' x\ncredential_process = \"/opt/kedge\" \"x\"\ncredential_process = \"\n"
	var programs []string
	if got := redact(before, func(program string) { programs = append(programs, program) }); got != after {
		t.Errorf("%q\nwant %q", got, after)
	}
	if got := strings.Join(programs, ", "); got != "/opt/my kedge/kedge, /opt/kedge" {
		t.Errorf("programs: %s", got)
	}
}

// TestUpdated: temporary keys in a file with the lock of kedge update are kedge's; other keys are not.
func TestUpdated(t *testing.T) {
	t.Parallel()
	const temporary = "aws_access_key_id = ASIAX\naws_secret_access_key = s\naws_session_token = t\n"
	for _, tt := range []struct {
		keys, lock string
		want       bool
	}{
		{temporary, "/h/.aws/.credentials.lock", true},
		{temporary, "/h/.aws/.config.lock", false},
		{"aws_access_key_id = AKIAX\naws_secret_access_key = s\n", "/h/.aws/.credentials.lock", false},
	} {
		s := lookAt(nil, map[string]string{"/h/.aws/credentials": "[default]\n" + tt.keys, tt.lock: ""})
		for _, a := range s.Answers() {
			if a.Source.Kind != Keys || a.Ours != tt.want {
				t.Errorf("%s, %s: %+v", tt.keys, tt.lock, a)
			}
		}
	}
}

// TestFix_missing: a kedge that is not there is named, and its path replaced where the line begins with it.
func TestFix_missing(t *testing.T) {
	t.Parallel()
	const replaces = `/old/kedge#\1/new/kedge#' /h/.aws/config`
	for _, tt := range []struct{ line, why, fix string }{
		{"/old/kedge x", "there is no program /old/kedge, which its credential_process is", replaces},
		{"sudo -n /old/kedge x", "there is no program /old/kedge, which", replaces},
		{"/old/#kedge/kedge x", "there is no program /old/#kedge/kedge, which", `"${EDITOR:-vi}" +2 /h/.aws/config`},
		{"/old/helper x", "a path with spaces needs double quotes around it; nothing leads to kedge", "kedge configure --help"},
	} {
		s := Look(Inputs{
			Home: "/h", Program: "/new/kedge", IsMissing: func(program string) bool { return strings.HasPrefix(program, "/old/") },
			ReadFile: func(path string) ([]byte, error) {
				if path != "/h/.aws/config" {
					return nil, os.ErrNotExist
				}
				return []byte("[default]\ncredential_process = " + tt.line + "\n"), nil
			},
		})
		if a := answerOf(t, s, "boto3"); a.Ours || !strings.Contains(a.Why, tt.why) || !strings.HasSuffix(a.Fix, tt.fix) {
			t.Errorf("%s: %+v", tt.line, a)
		}
	}
}
