package emulator

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"errors"
	"fmt"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/policy"
)

// Policies in a configuration file: each is a document, or the name of its file.

// documentOf returns the text of a policy. That of a file is checked, so that an error names the file.
func documentOf(dir string, value jsontext.Value, check func(text string) error) (string, error) {
	if value.Kind() != jsontext.KindString {
		return string(value), nil
	}
	var name string
	if err := json.Unmarshal(value, &name); err != nil {
		return "", err
	}
	if name == "" {
		return "", errors.New("it is empty: give the policy, or the name of its file")
	}
	path := under(dir, name)
	data, err := ReadFile(path)
	if err != nil {
		return "", err
	}
	if err := check(string(data)); err != nil {
		return "", fmt.Errorf("%s: %w", path, err)
	}
	return string(data), nil
}

func checkTrustText(text string) error {
	_, err := parseTrustPolicy(text)
	return err
}

func checkIdentityText(text string) error {
	_, err := policy.Parse(policy.Identity, []byte(text))
	return err
}

// permissionsOf returns the policies of a role or a user.
func permissionsOf(dir string, inline map[string]jsontext.Value, managed []string, boundary string) (iam.Permissions, error) {
	p := iam.Permissions{Attached: managed, Boundary: boundary}
	for name, value := range inline {
		text, err := documentOf(dir, value, checkIdentityText)
		if err != nil {
			return iam.Permissions{}, fmt.Errorf("policy %q: %w", name, err)
		}
		if p.Inline == nil {
			p.Inline = map[string]string{}
		}
		p.Inline[name] = text
	}
	return p, nil
}
