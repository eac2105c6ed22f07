package whowins

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"kedge/internal/credfile"
)

// standard is both files as the SDKs read them that follow the SDK reference guide: Java
// (profiles/internal/ProfileFileReader.java), Rust (aws-runtime/src/env_config/parse.rs) and .NET.
type standard struct {
	s        *Situation
	profiles map[string]settings
	problem  *Source // Refused: the files cannot be parsed
}

func (s *Situation) standard() *standard {
	f := &standard{s: s, profiles: map[string]settings{}}
	for _, name := range []string{"config", "credentials"} { // credentials replace
		at := s.filePath(name, s.expandHome)
		sections := s.sections(at)
		if line := lineWithoutEquals(s.files[at].text); line > 0 {
			f.problem = &Source{Kind: Refused, cause: broken, File: at, Problem: fmt.Sprintf("line %d has no \"=\"", line)}
		}
		for header, values := range sections {
			profile, prefixed := strings.CutPrefix(header, "profile ")
			if name == "config" && !prefixed && (header != "default" || sections["profile default"] != nil) || name == "credentials" && prefixed {
				continue
			}
			f.profiles[profile] = join(f.profiles[profile], values)
		}
	}
	return f
}

// sections returns the settings of a file with their places. A credential_process keeps its quotes, which
// only the Go SDK removes.
func (s *Situation) sections(at string) map[string]settings {
	text := s.files[at].text
	strict, err := credfile.ReadAsBotocore(text)
	all := map[string]settings{}
	for header, values := range credfile.ReadAsGo(text) {
		all[header] = section(values, at, header).filled()
		if line := strict[header]["credential_process"]; err == nil && line != "" {
			all[header]["credential_process"] = setting{line, at, header}
		}
	}
	return all
}

// inOrder returns the headers of sections as they stand in a file.
func inOrder[V any](text string, sections map[string]V) []string {
	place := func(header string) int { return strings.LastIndex(text, "["+header+"]") }
	return slices.SortedFunc(maps.Keys(sections), func(a, b string) int { return place(a) - place(b) })
}

// lineWithoutEquals returns the number of the first line that is neither a section, a setting, a
// comment nor indented.
//
//go:noinline
func lineWithoutEquals(text string) int {
	number := 0
	for line := range strings.Lines(text) {
		number++
		if trimmed := strings.TrimSpace(line); trimmed != "" && !strings.ContainsAny(line[:1], " \t#;[") && !strings.Contains(trimmed, "=") {
			return number
		}
	}
	return 0
}

// named returns the source that credential_source names; nothing: there is none.
//
//go:noinline
func (s *Situation) named(profile settings) *Source {
	switch source := profile.value("credential_source"); {
	case source == "Environment" && s.hasPair():
		return of(Environment)
	case source == "EcsContainer" && s.hasContainer():
		return s.container()
	case source == "Ec2InstanceMetadata" && !s.isOff():
		return s.metadata(profile)
	}
	return nil
}

// hasPair reports whether both keys are in the environment.
//
//go:noinline
func (s *Situation) hasPair() bool {
	return s.get("AWS_ACCESS_KEY_ID") != "" && s.get("AWS_SECRET_ACCESS_KEY") != ""
}

// hasToken reports whether a web identity token and its role are in the environment.
//
//go:noinline
func (s *Situation) hasToken() bool {
	return s.get("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && s.get("AWS_ROLE_ARN") != ""
}

// profileOr returns the profile named in code, or by the first variable that is not empty.
//
//go:noinline
func (s *Situation) profileOr(variables ...string) string {
	if s.profile != "" {
		return s.profile
	}
	for _, variable := range variables {
		if name := s.get(variable); name != "" {
			return name
		}
	}
	return "default"
}

//go:noinline
func hasKeys(profile settings) bool {
	return profile.has("aws_access_key_id") && profile.has("aws_secret_access_key")
}

// ssoOf returns the first setting of IAM Identity Center in a profile.
//
//go:noinline
func ssoOf(profile settings) string {
	return firstOf(profile, "sso_session sso_account_id sso_role_name sso_region sso_start_url")
}

// with returns a set with one more name.
//
//go:noinline
func with(set map[string]bool, name string) map[string]bool {
	more := map[string]bool{name: true}
	maps.Copy(more, set)
	return more
}
