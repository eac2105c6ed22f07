package whowins

// java is one answer of the AWS SDK for Java 2: DefaultCredentialsProvider.java. A provider that fails,
// such as for a file that cannot be parsed, is passed over.
type java struct{ *standard }

func asJava(s *Situation) *Source {
	j := java{s.standard()}
	name := s.profileOr("AWS_PROFILE")
	switch {
	case s.hasPair():
		return of(Environment)
	case s.hasToken():
		return of(WebIdentity)
	case j.problem.isRefused():
		return s.last(nil)
	}
	if source := j.resolve(name, nil); source != nil {
		return source
	}
	return s.last(j.profiles[name])
}

// resolve is internal/ProfileCredentialsUtils.java.
func (j java) resolve(name string, children map[string]bool) *Source {
	p := j.profiles[name]
	switch {
	case p.has("role_arn") && p.has("web_identity_token_file"):
		return p.at(WebIdentity, name, "web_identity_token_file")
	case ssoOf(p) != "":
		return p.at(SSO, name, ssoOf(p))
	case p.has("role_arn") && firstOf(p, "source_profile credential_source") != "":
		return j.role(name, children)
	case p.has("credential_process"):
		return j.s.process(p, name)
	case hasKeys(p):
		return j.s.keys(p, name, "aws_access_key_id")
	}
	return nil
}

func (j java) role(name string, children map[string]bool) *Source {
	p := j.profiles[name]
	switch from := p.value("source_profile"); {
	case from == "":
		return p.role(name, j.s.named(p))
	case p.has("credential_source"), children[name]:
		return nil // an error
	default:
		return p.role(name, j.resolve(from, with(children, name)))
	}
}
