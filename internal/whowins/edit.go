package whowins

import (
	"maps"
	"strings"

	"kedge/internal/processline"
)

// rename gives the section of the target the header that SDKs read. No command: a section has that header
// already, and botocore reads no file with two, or the names cannot stand in a command of sed.
func (s *Situation) rename(to *target) step {
	if s.hasSection(to.file, to.rename) || !isPlain(to.header) || strings.ContainsAny(to.rename, "&\\|\n") {
		return step{}
	}
	old := "[" + to.header + "]"
	lines := strings.SplitAfter(s.files[to.file].text, "\n")
	for i, text := range lines {
		if rest, ok := strings.CutPrefix(text, old); ok {
			lines[i] = "[" + to.rename + "]" + rest
			return s.sed("", "s|^"+escape(old)+"|["+to.rename+"]|", to.file, lines)
		}
	}
	return step{}
}

// hasSection reports whether a file has a section, however its spaces and quotes are written.
func (s *Situation) hasSection(file, header string) bool {
	plain := strings.NewReplacer(`"`, "", "'", "", "\t", "", " ", "")
	for text := range strings.Lines(s.files[file].text) {
		name, _, isHeader := strings.Cut(strings.TrimSpace(text), "]")
		if isHeader && plain.Replace(name) == plain.Replace("["+header) {
			return true
		}
	}
	return false
}

// linesOf returns the lines of the file of a source, and which of them configure it in its section.
func (s *Situation) linesOf(source *Source) (lines []string, at []int) {
	inside := false
	lines = strings.SplitAfter(s.files[source.File].text, "\n")
	for i, text := range lines {
		if strings.HasPrefix(text, "[") {
			inside = strings.HasPrefix(text, "["+source.header+"]")
		}
		if inside && keyIn(text, settingsOf(source)) != "" {
			at = append(at, i)
		}
	}
	return lines, at
}

// strip makes comments of the settings of a source in its section. It deletes nothing: a fix may be pasted
// again, or that of another tool after it.
func (s *Situation) strip(source *Source) step {
	gone := ""
	lines, at := s.linesOf(source)
	for _, i := range at {
		if key := keyIn(lines[i], settingsOf(source)); !strings.Contains(gone+"|", "|"+key+"|") {
			gone += "|" + key
		}
		lines[i] = "#" + lines[i]
	}
	if gone == "" || !isPlain(source.header) {
		return step{}
	}
	return s.sed("-E ", "/^"+escape("["+source.header+"]")+`/,/^\[/{s/^(`+gone[1:]+`)[[:space:]]*[=:]/#&/;}`, source.File, lines)
}

// restore puts the path of kedge in the place of one where it is missing. No command: the path is not known, or one
// of the two cannot stand in a command of sed, or the line does not begin with the program.
func (s *Situation) restore(source *Source) step {
	lines, at := s.linesOf(source)
	if len(at) != 1 || !processline.Plain(s.program) || !isPlain(source.header) || strings.ContainsAny(source.Program, "#|\n'") {
		return step{}
	}
	name, value, _ := strings.Cut(lines[at[0]], "=")
	rest, begins := strings.CutPrefix(strings.TrimLeft(value, " \t\"'"), source.Program)
	if !begins {
		return step{}
	}
	lines[at[0]] = name + "=" + value[:strings.Index(value, source.Program)] + s.program + rest
	next := s.sed("-E ", "/^"+escape("["+source.header+"]")+`/,/^\[/s#^(credential_process[[:space:]]*=[[:space:]]*`+wrappers+`["']?)`+escape(source.Program)+`#\1`+s.program+"#", source.File, lines)
	next.after.kedge = maps.Clone(s.kedge)
	next.after.kedge[s.program] = true
	return next
}

// wrappers matches, as an extended regular expression, what programOf leaves out before a program.
const wrappers = `(([^[:space:]]*/)?(sudo|env|nice|exec)[[:space:]]+|-[^[:space:]]*[[:space:]]+|[^[:space:]"']*=[^[:space:]"']*[[:space:]]+)*`

// sed is a change of a file by its pattern, to lines, which leaves a copy of the file.
func (s *Situation) sed(flag, pattern, file string, lines []string) step {
	after := s.clone()
	f := after.files[file]
	f.text = strings.Join(lines, "")
	after.files[file] = f
	after.edits++
	return step{"sed " + flag + keepCopy + quote(pattern) + " " + quote(file), after}
}

// keepCopy is the option of sed by which the file as it was stays under a new name, which no other copy has: neither
// one that a person made, nor that of an edit before.
const keepCopy = "-i.bak-$(mktemp -u XXXXXX) "

// keyIn returns the one of the keys, with | between, that a line sets.
func keyIn(text, keys string) string {
	key := strings.TrimRight(text[:max(0, strings.IndexAny(text, "=:"))], " \t")
	if key == "" || !strings.Contains("|"+keys+"|", "|"+key+"|") {
		return ""
	}
	return key
}

// settingsOf lists the settings that configure a source in a profile.
func settingsOf(source *Source) string {
	switch source.Kind {
	case Keys:
		return "aws_access_key_id|aws_secret_access_key|aws_session_token|aws_security_token"
	case Process:
		return "credential_process"
	case Role:
		return "role_arn|source_profile|credential_source"
	case WebIdentity:
		return "web_identity_token_file|role_arn"
	case SSO:
		return "sso_session|sso_account_id|sso_role_name|sso_region|sso_start_url"
	case Login:
		return "login_session"
	case Refused:
		return "role_arn|source_profile|credential_source|web_identity_token_file|mfa_serial|aws_access_key_id|aws_secret_access_key"
	case Nothing, Environment, Container, Metadata:
	}
	return ""
}

// isPlain reports whether a header can stand in a pattern of sed as escape writes it.
func isPlain(header string) bool { return !strings.ContainsAny(header, "|/\n'") }

// escape makes a text one that a regular expression matches literally, basic or extended.
func escape(text string) string {
	out := ""
	for _, r := range text {
		switch {
		case strings.ContainsRune(`[]\^.*`, r):
			out += `\` + string(r)
		case strings.ContainsRune("$+?(){}", r):
			out += "[" + string(r) + "]"
		default:
			out += string(r)
		}
	}
	return out
}
