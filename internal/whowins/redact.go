package whowins

import (
	"errors"
	"path"
	"strings"

	"kedge/internal/processline"
)

var errNotUTF8 = errors.New("it is not UTF-8")

// kept lists the settings whose values stay. They name things, and decide.
const kept = ` role_arn source_profile credential_source web_identity_token_file sso_session ec2_metadata_service_endpoint mfa_serial `

// redact returns a file with the same lines, in which values that can be secrets are replaced: those of
// settings that are not kept, and the arguments of a credential_process. The programs of these are given to
// found.
func redact(content string, found func(program string)) string {
	var out strings.Builder
	for text := range strings.Lines(content) {
		out.WriteString(redactLine(text, found))
	}
	return out.String()
}

func redactLine(text string, found func(string)) string {
	trimmed := strings.TrimLeft(strings.TrimSpace(text), "\ufeff")
	if trimmed == "" || trimmed[0] == '[' {
		return text
	}
	before, after, _ := strings.Cut(text, trimmed)
	if trimmed[0] == '#' || trimmed[0] == ';' {
		return before + trimmed[:1] + after
	}
	at := strings.IndexAny(trimmed, "=:")
	if at < 0 {
		return before + "x" + after
	}
	value := strings.TrimSpace(trimmed[at+1:])
	switch key := strings.ToLower(strings.TrimSpace(trimmed[:at])); {
	case value == "", strings.Contains(kept, " "+key+" "):
		return text
	case key == "credential_process":
		value = redactProcess(value, found)
	default:
		value = "x"
	}
	return before + trimmed[:at+1] + " " + value + after
}

// redactProcess keeps of a command line its program, and how the line is quoted at both ends, which
// the Go SDK removes.
func redactProcess(line string, found func(string)) string {
	words, err := processline.Split(line)
	program := programOf(words)
	if err != nil || program == "" {
		return `"` // no tool can take it apart
	}
	program = strings.NewReplacer(`"`, "", "'", "", `\`, "/").Replace(program)
	found(program)
	quoted := `"` + program + `"`
	begins := line[0] == '"' || line[0] == '\''
	switch ends := begins && line[len(line)-1] == line[0]; {
	case !begins && strings.Contains(program, " "):
		return "'" + program + "' x"
	case !begins:
		return program + strings.Repeat(" x", min(1, len(words)-1))
	case ends && len(words) > 1:
		return quoted + ` "x"`
	case ends:
		return quoted
	}
	return quoted + " x"
}

// programOf returns the program of a command line, behind sudo, env and the like.
func programOf(words []string) string {
	for _, word := range words {
		switch base := path.Base(word); {
		case base == "sudo", base == "env", base == "nice", base == "exec", strings.HasPrefix(word, "-"), strings.Contains(base, "="):
		default:
			return word
		}
	}
	return ""
}
