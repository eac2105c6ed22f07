package cadir

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestParseSettings_notify(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{ // the beginning of the error; empty: none
		"": "", "{}": "", "{url: 'https://hook.example.com/x?token=1', secret_file: secret}": "", "{url: 'http://127.0.0.1:9000/', secret_file: /etc/secret, timeout: 1s, retries: 0}": "",
		"{url: 'http://[::1]/', secret_file: s}": "", "{url: 'http://localhost:1/', secret_file: s}": "",
		"{url: 'http://hook.example.com/', secret_file: s}":       ": notify.url: must be of https, or of http to this machine",
		"{url: 'ftp://127.0.0.1/', secret_file: s}":               ": notify.url: must be of https",
		"{url: 'https://', secret_file: s}":                       ": notify.url: ",
		"{url: 'https://me:pw@hook.example.com', secret_file: s}": ": notify.url: ",
		"{url: 'https://hook.example.com/'}":                      ": notify.secret_file: reports are signed",
		"{secret_file: s}":                                        ": notify.secret_file: there is no url",
		"{url: 'https://a/', secret_file: s, retries: 11}":        ": notify.retries: 11 is not between 0 and 10",
		"{url: 'https://a/', secret_file: s, retries: -1}":        ": notify.retries: -1 is not",
		"{url: 'https://a/', secret_file: s, timeout: 2h}":        ": notify.timeout: must be positive, and not more than 1m",
		"{secret: x}": ":1: unknown key",
	} {
		s, err := ParseSettings([]byte("notify: " + text + "\n"))
		if want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v", text, err)
			}
			continue
		}
		if err != nil || s.Notify.Timeout == 0 || s.Notify.Retries == nil {
			t.Errorf("%s: %+v, %v", text, s, err)
		}
	}
	s, err := ParseSettings(nil)
	if err != nil || time.Duration(s.Notify.Timeout) != 10*time.Second || *s.Notify.Retries != 3 {
		t.Errorf("%+v, %v", s, err)
	}
}

func TestNotifySecret(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	f := Folder{Dir: dir}
	for name, one := range map[string]struct {
		text string
		mode os.FileMode
		want string // in the error; empty: none
	}{
		"good": {strings.Repeat("x", 64) + "\n", 0o600, ""}, "group": {strings.Repeat("x", 64), 0o640, ""},
		"short": {"too short\n", 0o600, "has fewer than 16 bytes"}, "empty": {"", 0o600, "has fewer than 16 bytes"},
		"open": {strings.Repeat("x", 64), 0o644, "can be read by every user"}, "writable": {strings.Repeat("x", 64), 0o666, "writable"},
		"missing": {"", 0, "missing"},
	} {
		path := filepath.Join(dir, name)
		if one.mode != 0 {
			if err := os.WriteFile(path, []byte(one.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Chmod(path, one.mode); err != nil {
				t.Fatal(err)
			}
		}
		for _, file := range []string{name, path} {
			got, err := f.NotifySecret(NotifySettings{SecretFile: file})
			if one.want == "" && (err != nil || len(got) != 64) || one.want != "" && (err == nil || !strings.Contains(err.Error(), one.want)) {
				t.Errorf("%s: %q, %v", file, got, err)
			}
		}
	}
}
