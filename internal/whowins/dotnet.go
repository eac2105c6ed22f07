package whowins

import "strings"

// dotNet is one answer of the AWS SDK for .NET. What fails is passed over, but for a profile that there is
// not, in version 4.
type dotNet struct{ *standard }

// asDotNet4 is Credentials/DefaultAWSCredentialsIdentityResolver.cs; a profile of the client's configuration
// comes before it.
func asDotNet4(s *Situation) *Source {
	d := dotNet{s.standard()}
	if s.profile == "" {
		if source := d.environment(); source != nil {
			return source
		}
		if s.hasToken() {
			return of(WebIdentity)
		}
	}
	name := s.profileOr("AWS_PROFILE")
	if _, found := d.profiles[name]; !found && name != "default" && !d.problem.isRefused() {
		return noSuchProfile(name)
	}
	return d.profileOrLast(name)
}

// asDotNet3 is FallbackCredentialsFactory.cs of version 3, where a profile comes before the environment.
func asDotNet3(s *Situation) *Source {
	d := dotNet{s.standard()}
	if s.hasToken() && s.profile == "" {
		return of(WebIdentity)
	}
	name := s.profileOr("AWS_PROFILE")
	source := d.profileOrLast(name)
	if source == nil || source.Kind == Container || source.Kind == Metadata {
		if keys := d.environment(); keys != nil {
			return keys
		}
	}
	return source
}

// environment is EnvironmentVariablesAWSCredentials, which takes the older name of the secret as well.
func (d dotNet) environment() *Source {
	if d.s.get("AWS_ACCESS_KEY_ID") != "" && d.s.get("AWS_SECRET_ACCESS_KEY")+d.s.get("AWS_SECRET_KEY") != "" {
		return of(Environment)
	}
	return nil
}

func (d dotNet) profileOrLast(name string) *Source {
	if d.problem.isRefused() {
		return d.s.last(nil)
	}
	if source := d.resolve(name, nil); source != nil {
		return source
	}
	return d.s.last(d.profiles[name])
}

// resolve is DetectProfileType of CredentialProfileTypeDetector.cs: the settings must be exactly those of
// one type, so that a profile with keys and a credential_process has none.
func (d dotNet) resolve(name string, visited map[string]bool) *Source {
	p := d.profiles[name]
	if ssoOf(p) != "" {
		return p.at(SSO, name, ssoOf(p))
	}
	var have []string
	for _, key := range []string{"aws_access_key_id", "aws_secret_access_key", "aws_session_token", "credential_process", "role_arn",
		"source_profile", "credential_source", "web_identity_token_file"} {
		if p.has(key) {
			have = append(have, key)
		}
	}
	switch strings.Join(have, " ") {
	case "aws_access_key_id aws_secret_access_key", "aws_access_key_id aws_secret_access_key aws_session_token":
		return d.s.keys(p, name, "aws_access_key_id")
	case "credential_process":
		return d.s.process(p, name)
	case "role_arn credential_source":
		return p.role(name, d.s.named(p))
	case "role_arn web_identity_token_file":
		return p.at(WebIdentity, name, "web_identity_token_file")
	case "role_arn source_profile":
		if visited[name] {
			return nil
		}
		return p.role(name, d.resolve(p.value("source_profile"), with(visited, name)))
	case "":
		if p.has("login_session") {
			return p.at(Login, name, "login_session")
		}
	}
	return nil
}
