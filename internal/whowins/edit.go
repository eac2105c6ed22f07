package whowins

import "strings"

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

// strip makes comments of the settings of a source in its section. It deletes nothing: a fix may be pasted
// again, or that of another tool after it.
func (s *Situation) strip(source *Source) step {
	var lines []string
	gone, inside := "", false
	for _, text := range strings.SplitAfter(s.files[source.File].text, "\n") {
		if strings.HasPrefix(text, "[") {
			inside = strings.HasPrefix(text, "["+source.header+"]")
		}
		key := keyIn(text, settingsOf(source))
		if !inside || key == "" {
			lines = append(lines, text)
			continue
		}
		lines = append(lines, "#"+text)
		if !strings.Contains(gone+"|", "|"+key+"|") {
			gone += "|" + key
		}
	}
	if gone == "" || !isPlain(source.header) {
		return step{}
	}
	return s.sed("-E ", "/^"+escape("["+source.header+"]")+`/,/^\[/{s/^(`+gone[1:]+`)[[:space:]]*[=:]/#&/;}`, source.File, lines)
}

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
