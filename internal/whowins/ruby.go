package whowins

import "strings"

// ruby is one answer of the AWS SDK for Ruby: credential_provider_chain.rb and shared_config.rb of aws-sdk-core.
type ruby struct {
	s                   *Situation
	config, credentials map[string]settings
}

func asRuby(s *Situation) *Source {
	r := ruby{s, s.rubyFile("config"), s.rubyFile("credentials")}
	if s.profile != "" { // the static_profile_ providers
		for _, source := range []*Source{r.webIdentity(s.profile), r.sso(s.profile), r.role(s.profile, nil), r.static(s.profile), r.process(s.profile)} {
			if source != nil {
				return source
			}
		}
	}
	if r.hasKeys() {
		return of(Environment)
	}
	name := r.name("AWS_PROFILE", "AWS_DEFAULT_PROFILE")
	token := r.webIdentity(r.name("AWS_PROFILE"))
	if s.hasToken() {
		token = of(WebIdentity)
	}
	for _, source := range []*Source{token, r.sso(name), r.role(name, nil), r.static(name), r.process(name)} {
		if source != nil {
			return source
		}
	}
	return s.last(join(r.config[name], r.credentials[name]))
}

// rubyFile is ini_parser.rb: "profile " before a name is optional in both files.
func (s *Situation) rubyFile(name string) map[string]settings {
	profiles := map[string]settings{}
	at := s.filePath(name, s.expandHome)
	sections := s.sections(at)
	for _, header := range inOrder(s.files[at].text, sections) {
		profile := strings.TrimPrefix(header, "profile ")
		profiles[profile] = join(profiles[profile], sections[header])
	}
	return profiles
}

// name takes the first variable that is set, also if it is empty.
func (r ruby) name(variables ...string) string {
	if r.s.profile != "" {
		return r.s.profile
	}
	for _, variable := range variables {
		if name, set := r.s.env[variable]; set {
			return name
		}
	}
	return "default"
}

// hasKeys takes the first of each kind of variable that is set.
func (r ruby) hasKeys() bool {
	first := func(variables ...string) string {
		for _, variable := range variables {
			if value, set := r.s.env[variable]; set {
				return value
			}
		}
		return ""
	}
	return first("AWS_ACCESS_KEY_ID", "AMAZON_ACCESS_KEY_ID", "AWS_ACCESS_KEY") != "" &&
		first("AWS_SECRET_ACCESS_KEY", "AMAZON_SECRET_ACCESS_KEY", "AWS_SECRET_KEY") != ""
}

func (r ruby) webIdentity(name string) *Source {
	if p := r.config[name]; p.has("web_identity_token_file") && p.has("role_arn") {
		return p.at(WebIdentity, name, "web_identity_token_file")
	}
	return nil
}

// files returns the profile in both files: whatever is in the credentials file comes first.
func (r ruby) files(name string) []settings { return []settings{r.credentials[name], r.config[name]} }

func (r ruby) sso(name string) *Source {
	for _, p := range r.files(name) {
		if key := firstOf(p, "sso_account_id sso_role_name"); key != "" {
			return p.at(SSO, name, key)
		}
	}
	return nil
}

func (r ruby) static(name string) *Source {
	for _, p := range r.files(name) {
		if hasKeys(p) {
			return r.s.keys(p, name, "aws_access_key_id")
		}
	}
	return nil
}

func (r ruby) process(name string) *Source {
	for _, p := range r.files(name) {
		if p.has("credential_process") {
			return r.s.process(p, name)
		}
	}
	return nil
}

// role is assume_role_from_profile, which raises an error where it cannot go on.
func (r ruby) role(name string, visited map[string]bool) *Source {
	for _, p := range r.files(name) {
		from, named := p.has("source_profile"), p.has("credential_source")
		switch {
		case from && named:
			return clashing(name, p, "credential_source", "the profile has both source_profile and credential_source")
		case from:
			return r.from(name, p, visited)
		case named && (p.value("credential_source") == "Environment" || r.s.named(p) == nil):
			return clashing(name, p, "credential_source", "the SDK knows no such source as credential_source names, or there is none")
		case named:
			return p.role(name, r.s.named(p))
		case p.has("role_arn") && !p.has("web_identity_token_file"):
			return clashing(name, p, "role_arn", "the profile has role_arn, and no source_profile")
		}
	}
	return nil
}

// from is resolve_source_profile.
func (r ruby) from(name string, p settings, visited map[string]bool) *Source {
	source := p.value("source_profile")
	static := r.static(source)
	switch {
	case visited[source]:
		return clashing(name, p, "source_profile", "source_profile leads in a circle")
	case static != nil:
		return p.role(name, static)
	case r.credentials[source].has("source_profile") || r.config[source].has("source_profile"):
		return p.role(name, r.role(source, with(visited, source)))
	}
	for _, each := range []*Source{r.webIdentity(source), r.process(source), r.sso(source)} {
		if each != nil {
			return p.role(name, each)
		}
	}
	return clashing(name, p, "source_profile", "the profile "+quoteName(source)+", which source_profile names, has no credentials")
}
