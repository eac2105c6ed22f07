package config

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestAWSFiles(t *testing.T) {
	home := t.TempDir()
	t.Setenv("HOME", home)
	t.Setenv("USERPROFILE", home)
	for variable, find := range map[string]func() (string, error){"AWS_SHARED_CREDENTIALS_FILE": CredentialsFile, "AWS_CONFIG_FILE": ProfilesFile} {
		t.Setenv(variable, "")
		path, err := find()
		if err != nil || filepath.Dir(path) != filepath.Join(home, ".aws") {
			t.Errorf("%s: %q, %v", variable, path, err)
		}
		t.Setenv(variable, "/x/y")
		if path, err := find(); err != nil || path != "/x/y" {
			t.Errorf("%s: %q, %v", variable, path, err)
		}
		for _, value := range []string{"~/x", "$HOME/x"} {
			t.Setenv(variable, value)
			if _, err := find(); err == nil || !strings.Contains(err.Error(), variable+` is "`+value+`"`) {
				t.Errorf("%s=%s: %v", variable, value, err)
			}
		}
	}
}

func TestKeyVariables(t *testing.T) {
	for _, name := range []string{"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_WEB_IDENTITY_TOKEN_FILE"} {
		t.Setenv(name, "")
	}
	if got := KeyVariables(); got != nil {
		t.Errorf("none is set: %q", got)
	}
	t.Setenv("AWS_ACCESS_KEY_ID", "x")
	t.Setenv("AWS_WEB_IDENTITY_TOKEN_FILE", "x")
	if got := KeyVariables(); !slices.Equal(got, []string{"AWS_ACCESS_KEY_ID", "AWS_WEB_IDENTITY_TOKEN_FILE"}) {
		t.Errorf("%q", got)
	}
}
