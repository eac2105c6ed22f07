package whowins

import "strings"

// php is one answer of the AWS SDK for PHP: Credentials/CredentialProvider.php. What fails is passed over.
// Versions until about 2025 ignore AWS_CONFIG_FILE and login_session.
type php struct {
	s                   *Situation
	config, credentials map[string]settings // by header
}

func asPHP(s *Situation) *Source {
	p := php{s, s.sections(s.filePath("config", literally)), s.sections(s.filePath("credentials", literally))}
	name := s.profileOr("AWS_PROFILE")
	switch {
	case s.hasPair():
		return of(Environment)
	case s.hasToken():
		return of(WebIdentity)
	}
	for _, source := range []*Source{
		p.webIdentity(name), p.sso(name), p.process(p.credentials, name, name), p.ini(p.credentials, name, name, nil),
		// The section of the profile default is "[profile default]", too.
		p.process(p.config, "profile "+name, name), p.ini(p.config, "profile "+name, name, nil),
	} {
		if source != nil {
			return source
		}
	}
	return s.last(join(p.config["profile "+name], p.credentials[name]))
}

// webIdentity is assumeRoleWithWebIdentityCredentialProvider, which reads the files in the home folder; a
// profile of the credentials file hides that of the other.
func (p php) webIdentity(name string) *Source {
	profile := p.s.sections(p.s.defaultPath("credentials"))[name]
	if profile == nil {
		for header, values := range p.s.sections(p.s.defaultPath("config")) {
			if strings.ReplaceAll(header, "profile ", "") == name {
				profile = values
			}
		}
	}
	if profile.has("web_identity_token_file") && profile.has("role_arn") {
		return profile.at(WebIdentity, name, "web_identity_token_file")
	}
	return nil
}

// sso is both sso and login, which read the config file.
func (p php) sso(name string) *Source {
	profile := p.config[name]
	if profile == nil {
		profile = p.config["profile "+name]
	}
	complete := profile.has("sso_start_url") && profile.has("sso_region") && profile.has("sso_account_id") && profile.has("sso_role_name")
	switch {
	case profile.has("sso_session"), complete:
		return profile.at(SSO, name, ssoOf(profile))
	case profile.has("login_session"):
		return profile.at(Login, name, "login_session")
	}
	return nil
}

func (p php) process(file map[string]settings, header, name string) *Source {
	if profile := file[header]; profile.has("credential_process") {
		return p.s.process(profile, name)
	}
	return nil
}

// ini has roles, whose source is in the same file under its header, and keys.
func (p php) ini(file map[string]settings, header, name string, visited map[string]bool) *Source {
	profile := file[header]
	from := profile.value("source_profile")
	switch {
	case visited != nil && hasKeys(profile), !profile.has("role_arn") && hasKeys(profile):
		return p.s.keys(profile, name, "aws_access_key_id")
	case !profile.has("role_arn"), (from == "") == !profile.has("credential_source"), visited[from]:
		return nil
	case from == "":
		return profile.role(name, p.s.named(profile))
	}
	return profile.role(name, p.ini(file, from, from, with(visited, from)))
}
