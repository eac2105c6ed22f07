package whowins

import "strings"

// javaScript is one answer of the AWS SDK for JavaScript, version 3: credential-provider-node/defaultProvider.js.
// Where a link of its chain fails, it goes on to the next, unless the link says otherwise.
type javaScript struct {
	s        *Situation
	name     string
	profiles map[string]settings
}

func asJavaScript(s *Situation) *Source {
	j := &javaScript{s: s, name: s.profile, profiles: map[string]settings{}}
	if j.name == "" {
		j.name = s.get("AWS_PROFILE") // and no other variable
	}
	if j.name == "" {
		if j.hasKeys() {
			return of(Environment)
		}
		j.name = "default"
	}
	j.load()
	profile := j.profiles[j.name]
	source := j.resolve(j.name, nil, false)
	switch {
	case source != nil:
		return source
	case profile.has("credential_process"): // fromProcess
		return s.process(profile, j.name)
	case s.get("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && s.get("AWS_ROLE_ARN") != "":
		return of(WebIdentity)
	case s.hasContainer():
		return s.container()
	case s.get("AWS_EC2_METADATA_DISABLED") != "" && s.get("AWS_EC2_METADATA_DISABLED") != "false":
		return nil
	}
	return s.strictMetadata(j.ofVariables())
}

func (j *javaScript) hasKeys() bool {
	return j.s.get("AWS_ACCESS_KEY_ID") != "" && j.s.get("AWS_SECRET_ACCESS_KEY") != ""
}

// ofVariables is the profile in which the address of the metadata service is looked up: it is not that
// named in code.
func (j *javaScript) ofVariables() settings {
	if name := j.s.get("AWS_PROFILE"); name != "" {
		return j.profiles[name]
	}
	return j.profiles["default"]
}

// load is loadSharedConfigFiles.js and mergeConfigFiles.js.
func (j *javaScript) load() {
	at := j.s.filePath("config", j.s.expandHome)
	all := readAsJavaScript(j.s.files[at].text)
	for header, values := range all {
		name, ok := strings.CutPrefix(header, "profile.")
		if ok || header == "default" && all["profile.default"] == nil {
			j.profiles[name] = join(j.profiles[name], section(values, at, j.header(name, header)))
		}
	}
	at = j.s.filePath("credentials", j.s.expandHome)
	for header, values := range readAsJavaScript(j.s.files[at].text) {
		j.profiles[header] = join(j.profiles[header], section(values, at, header))
	}
}

// header returns the header as the file has it.
func (j *javaScript) header(name, header string) string {
	if header == name {
		return name
	}
	return "profile " + name
}

// resolve is resolveProfileData.js.
func (j *javaScript) resolve(name string, visited map[string]bool, asSource bool) *Source {
	p := j.profiles[name]
	isStatic := p.has("aws_access_key_id") && p.has("aws_secret_access_key")
	switch {
	case len(visited) > 0 && isStatic:
		return j.s.keys(p, name, "aws_access_key_id")
	case asSource, p.has("role_arn") && p.has("source_profile") != p.has("credential_source"):
		return j.role(name, visited)
	case isStatic:
		return j.s.keys(p, name, "aws_access_key_id")
	case p.has("web_identity_token_file") && p.has("role_arn"):
		return p.at(WebIdentity, name, "web_identity_token_file")
	case p.has("credential_process"):
		return j.s.process(p, name)
	case ssoOf(p) != "":
		return p.at(SSO, name, ssoOf(p))
	case p.has("login_session"):
		return p.at(Login, name, "login_session")
	}
	return nil
}

// role is resolveAssumeRoleCredentials.js.
func (j *javaScript) role(name string, visited map[string]bool) *Source {
	p := j.profiles[name]
	from := p.value("source_profile")
	var source *Source
	switch {
	case from == "":
		source = j.named(p.value("credential_source"))
	case !visited[from]:
		q := j.profiles[from]
		source = j.resolve(from, with(visited, from), !q.has("role_arn") && q.has("credential_source"))
	}
	if p.has("role_arn") && p.has("mfa_serial") {
		return clashing(name, p, "mfa_serial", "the role needs a code of MFA, for which nobody is asked")
	}
	if !p.has("role_arn") { // a source that names a credential_source only
		return source
	}
	return p.role(name, source)
}

// named is resolveCredentialSource.js.
func (j *javaScript) named(source string) *Source {
	switch {
	case source == "EcsContainer" && j.s.hasContainer():
		return j.s.container()
	case source == "Ec2InstanceMetadata":
		return j.s.strictMetadata(j.ofVariables())
	case source == "Environment" && j.hasKeys():
		return of(Environment)
	}
	return nil
}

// readAsJavaScript is parseIni.js: keys keep their case, only "=" ends them, and a header with a space is
// of a known kind or is ignored. A profile of the config file is "profile.NAME". Keys below one without a value are left out.
func readAsJavaScript(content string) map[string]map[string]string {
	values := map[string]map[string]string{}
	current, parent := "", ""
	for line := range strings.Lines(content) {
		trimmed := strings.Trim(withoutComment(strings.TrimRight(line, "\r\n")), " \t\ufeff") // trim of JavaScript takes the mark
		if len(trimmed) > 1 && trimmed[0] == '[' && trimmed[len(trimmed)-1] == ']' {
			current, parent = javaScriptSection(trimmed[1:len(trimmed)-1]), ""
			continue
		}
		key, value, ok := strings.Cut(trimmed, "=")
		key, value = strings.TrimSpace(key), strings.TrimSpace(value)
		switch {
		case current == "" || !ok || key == "":
			continue
		case value == "":
			parent = key
			continue
		case parent != "" && strings.TrimLeft(line, " \t") == line:
			parent = ""
		}
		if values[current] == nil {
			values[current] = map[string]string{}
		}
		if parent == "" {
			values[current][key] = value
		}
	}
	if values["__proto__"] != nil || values["profile.__proto__"] != nil { // the whole file is refused
		return nil
	}
	return values
}

// javaScriptSection returns the name under which the settings of a section are kept; empty: they are ignored.
func javaScriptSection(header string) string {
	kind, name, ok := strings.Cut(strings.ReplaceAll(header, "\t", " "), " ")
	if quote := name[:min(1, len(name))]; len(name) > 1 && (quote == `"` || quote == "'") && strings.HasSuffix(name, quote) {
		name = name[1 : len(name)-1]
	}
	if !ok || !isWord(kind, "-") || !isWord(name, "-@+.%:/") {
		return header
	}
	switch kind {
	case "profile", "sso-session", "services":
		return kind + "." + name
	}
	return ""
}

// isWord reports whether a text is of letters, digits, _ and some other characters.
func isWord(text, others string) bool {
	return text != "" && strings.IndexFunc(text, func(r rune) bool {
		return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || strings.ContainsRune(others, r))
	}) < 0
}

// withoutComment cuts a line at the first ; or # that begins it or is behind a space.
func withoutComment(line string) string {
	for i := range len(line) {
		if (line[i] == '#' || line[i] == ';') && (i == 0 || line[i-1] == ' ' || line[i-1] == '\t') {
			return line[:i]
		}
	}
	return line
}
