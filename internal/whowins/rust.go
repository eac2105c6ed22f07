package whowins

import "slices"

// rust is one answer of the AWS SDK for Rust: aws-config/src/default_provider/credentials.rs. A provider
// that is not configured is passed over; one that is configured badly ends the chain.
type rust struct{ *standard }

func asRust(s *Situation) *Source {
	r := rust{s.standard()}
	name := s.profileOr("AWS_PROFILE")
	switch {
	case s.hasPair():
		return of(Environment)
	case r.problem.isRefused():
		return r.problem
	case len(r.profiles) > 0 && (name != "default" || r.profiles[name] != nil): // else NoProfilesDefined
		if source := r.resolve(name, nil); source != nil {
			return source
		}
	}
	switch {
	case s.hasToken():
		return of(WebIdentity)
	case s.get("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		return refuse(halfToken, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
	}
	return s.last(r.profiles[name])
}

// resolve is resolve_chain of profile/credentials/repr.rs.
func (r rust) resolve(name string, visited []string) *Source {
	p, found := r.profiles[name]
	from, named := p.value("source_profile"), p.has("credential_source")
	switch {
	case !found:
		return noSuchProfile(name)
	case slices.Contains(visited, name):
		return clashing(name, p, "source_profile", "source_profile leads in a circle")
	case len(visited) > 0 && hasKeys(p):
		return r.s.keys(p, name, "aws_access_key_id")
	case !p.has("role_arn") || p.has("web_identity_token_file"):
		return r.base(name, len(visited) > 0)
	case from != "" && named:
		return clashing(name, p, "credential_source", "the profile has both source_profile and credential_source")
	case from == "" && !named:
		return clashing(name, p, "role_arn", "the profile has role_arn, and neither source_profile nor credential_source")
	case named, from == name:
		return p.role(name, r.base(name, true))
	}
	return p.role(name, r.resolve(from, append(visited, name)))
}

// base is base_provider. Without credentials the chain goes on only if the profile is no source.
func (r rust) base(name string, isSource bool) *Source {
	p := r.profiles[name]
	switch {
	case p.has("credential_source"):
		if source := r.s.named(p); source != nil {
			return source
		}
		return clashing(name, p, "credential_source", "there is no such source as credential_source names")
	case p.has("web_identity_token_file") && p.has("role_arn"):
		return p.at(WebIdentity, name, "web_identity_token_file")
	case p.has("web_identity_token_file"):
		return clashing(name, p, "web_identity_token_file", "the profile has web_identity_token_file, and no role_arn")
	case ssoOf(p) != "":
		return p.at(SSO, name, ssoOf(p))
	case p.has("login_session"):
		return p.at(Login, name, "login_session")
	case p.has("credential_process"):
		return r.s.process(p, name)
	case hasKeys(p):
		return r.s.keys(p, name, "aws_access_key_id")
	case isSource, p.has("aws_access_key_id"), p.has("aws_secret_access_key"):
		return clashing(name, p, firstOf(p, "aws_access_key_id aws_secret_access_key role_arn"), "the profile "+quoteName(name)+" has no credentials that are complete")
	}
	return nil
}
