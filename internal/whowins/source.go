package whowins

import (
	"strings"

	"kedge/internal/processline"
)

// Kind is a kind of source of credentials.
type Kind int

// The kinds of sources.
const (
	Nothing     Kind = iota // no source is configured
	Refused                 // the tool ends with an error, whatever else is configured
	Environment             // keys in variables
	Keys                    // keys in a file
	Process                 // credential_process
	Role                    // role_arn, assumed with the credentials of another source
	WebIdentity             // a token in a file, exchanged at STS
	SSO                     // IAM Identity Center
	Login                   // aws login
	Container               // an HTTP endpoint
	Metadata                // the instance metadata service
)

// Source is where credentials come from.
type Source struct {
	Kind     Kind
	Profile  string  // of a file; for Container and Metadata empty
	File     string  // path; empty: the source is in the environment
	Program  string  // of Process; empty: the line cannot be taken apart
	Endpoint string  // of Container and Metadata: a URL, or a path for AWS_CONTAINER_CREDENTIALS_RELATIVE_URI
	Problem  string  // of Refused, in words
	Base     *Source // of Role

	header string // of the section in File
	cause  cause
	ours   bool
	lost   bool // kedge, which is not where the line has it
}

// cause is why a tool ends with an error, for the fix.
type cause int

const (
	other     cause = iota
	halfPair        // of keys in the environment
	halfToken       // in the environment, without a role
	noProfile
	broken
	conflict // of settings in one profile
)

// What returns the kind in words.
func (s *Source) What() string {
	switch s.Kind {
	case Refused:
		return "an error"
	case Environment:
		return "keys in the environment"
	case Keys:
		return "keys in a file"
	case Process:
		return "credential_process"
	case Role:
		return "role_arn, with " + s.Base.What()
	case WebIdentity:
		return "a web identity token"
	case SSO:
		return "IAM Identity Center"
	case Login:
		return "the session of aws login"
	case Container:
		return "the container endpoint"
	case Metadata:
		return "the instance metadata service"
	}
	return "nothing"
}

// Where returns the place in which the source is configured.
func (s *Source) Where() string {
	switch {
	case s.Kind == Environment:
		return "AWS_ACCESS_KEY_ID"
	case s.Kind == WebIdentity && s.File == "":
		return "AWS_WEB_IDENTITY_TOKEN_FILE"
	case s.Kind == Container, s.Kind == Metadata:
		return withoutLogin(s.Endpoint)
	case s.header != "":
		return "[" + s.header + "] of " + s.File
	}
	return s.File
}

// withoutLogin leaves out of a URL what can be secret.
//
//go:noinline
func withoutLogin(endpoint string) string {
	endpoint, _, _ = strings.Cut(endpoint, "?")
	scheme, rest, ok := strings.Cut(endpoint, "://")
	if at := strings.LastIndexByte(rest, '@'); ok && at >= 0 {
		return scheme + "://" + rest[at+1:]
	}
	return endpoint
}

// origin returns the source with whose credentials the roles are assumed; without roles, the source itself.
func (s *Source) origin() *Source {
	for s.Base != nil {
		s = s.Base
	}
	return s
}

// isRefused reports whether a source, which may be nil for none, is an error.
func (s *Source) isRefused() bool { return s != nil && s.Kind == Refused }

// of returns a source of the environment.
//
//go:noinline
func of(kind Kind) *Source { return &Source{Kind: kind} }

// settings are those of a profile, as one tool reads and joins them.
type settings map[string]setting

type setting struct {
	value        string
	file, header string
}

// has reports whether a setting is there.
//
//go:noinline
func (s settings) has(key string) bool { return s[key].file != "" }

//go:noinline
func (s settings) value(key string) string { return s[key].value }

// get returns the value of a variable.
//
//go:noinline
func (s *Situation) get(variable string) string { return s.env[variable] }

// firstOf returns the first of some keys, with spaces between, that a profile has.
func firstOf(profile settings, keys string) string {
	for _, key := range strings.Fields(keys) {
		if profile.has(key) {
			return key
		}
	}
	return ""
}

// filled returns the settings that have a value.
//
//go:noinline
func (s settings) filled() settings {
	out := settings{}
	for key, each := range s {
		if each.value != "" {
			out[key] = each
		}
	}
	return out
}

// join returns the settings of both, where those of the second replace equal ones of the first.
//
//go:noinline
func join(first, second settings) settings {
	joined := settings{}
	for _, each := range []settings{first, second} {
		for key, value := range each {
			joined[key] = value
		}
	}
	return joined
}

// at returns a source that a setting of a profile configures.
//
//go:noinline
func (s settings) at(kind Kind, profile, key string) *Source {
	place := s[key]
	return &Source{Kind: kind, Profile: profile, File: place.file, header: place.header}
}

// process returns the source of a credential_process.
//
//go:noinline
func (s *Situation) process(values settings, profile string) *Source {
	source := values.at(Process, profile, "credential_process")
	words, err := processline.Split(values.value("credential_process"))
	if err == nil {
		source.Program = programOf(words)
	}
	missing := s.missing[source.Program]
	source.ours, source.lost = s.kedge[source.Program] && !missing, s.kedge[source.Program] && missing
	return source
}

// keys returns the source of keys in a file.
//
//go:noinline
func (s *Situation) keys(values settings, profile, key string) *Source {
	source := values.at(Keys, profile, key)
	source.ours = s.files[source.File].updated[source.header]
	return source
}

// role returns the source of a role, whose credentials are kedge's if those are with which it is assumed.
//
//go:noinline
func (s settings) role(profile string, base *Source) *Source {
	if base.isRefused() || base == nil {
		return base
	}
	source := s.at(Role, profile, "role_arn")
	source.Base, source.ours, source.lost = base, base.ours, base.lost
	return source
}

// container returns the endpoint of the environment; the path comes before the URL in every SDK.
//
//go:noinline
func (s *Situation) container() *Source {
	source := &Source{Kind: Container, Endpoint: s.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI")}
	if source.Endpoint == "" {
		source.Endpoint = s.get("AWS_CONTAINER_CREDENTIALS_FULL_URI")
		source.ours = s.served[source.Endpoint]
	}
	return source
}

//go:noinline
func (s *Situation) hasContainer() bool {
	return s.get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" || s.get("AWS_CONTAINER_CREDENTIALS_FULL_URI") != ""
}

// metadata returns the instance metadata service, at the address of the environment or of a profile. A
// variable that is empty counts as none.
//
//go:noinline
func (s *Situation) metadata(profile settings) *Source {
	return s.metadataAt(s.get("AWS_EC2_METADATA_SERVICE_ENDPOINT") == "", profile)
}

// strictMetadata is metadata for tools that look no further if the variable is set, and empty.
//
//go:noinline
func (s *Situation) strictMetadata(profile settings) *Source {
	_, set := s.env["AWS_EC2_METADATA_SERVICE_ENDPOINT"]
	return s.metadataAt(!set, profile)
}

//go:noinline
func (s *Situation) metadataAt(ofProfile bool, profile settings) *Source {
	source := &Source{Kind: Metadata, Endpoint: s.get("AWS_EC2_METADATA_SERVICE_ENDPOINT")}
	if ofProfile {
		source.Endpoint = profile.value("ec2_metadata_service_endpoint")
	}
	source.ours = s.served[source.Endpoint]
	if source.Endpoint == "" {
		source.Endpoint = "http://169.254.169.254"
	}
	return source
}

// isOff reports whether the metadata service is switched off by the word true, as most SDKs read it.
//
//go:noinline
func (s *Situation) isOff() bool {
	return strings.EqualFold(s.get("AWS_EC2_METADATA_DISABLED"), "true")
}

// last is the end of every chain: the container endpoint if there is one, else the metadata service.
//
//go:noinline
func (s *Situation) last(profile settings) *Source {
	switch {
	case s.hasContainer():
		return s.container()
	case s.isOff():
		return nil
	}
	return s.metadata(profile)
}

// refuse returns an error of a tool.
//
//go:noinline
func refuse(why cause, problem string) *Source {
	return &Source{Kind: Refused, Problem: problem, cause: why}
}

// noSuchProfile is the error about a profile that is in neither file.
//
//go:noinline
func noSuchProfile(name string) *Source {
	source := refuse(noProfile, "there is no profile "+quoteName(name))
	source.Profile = name
	return source
}

// clashing is the error about settings of a profile that exclude each other.
//
//go:noinline
func clashing(profile string, values settings, key, problem string) *Source {
	source := values.at(Refused, profile, key)
	source.Problem, source.cause = problem, conflict
	return source
}

//go:noinline
func quoteName(name string) string { return `"` + name + `"` }

// filePath returns the path of one of the files for a tool that expands ~ in variables or does not.
//
//go:noinline
func (s *Situation) filePath(name string, expand func(string) string) string {
	if value := s.get(fileVariable(name)); value != "" {
		return expand(value)
	}
	return s.defaultPath(name)
}

func literally(at string) string { return at }

// section returns the settings of one section.
//
//go:noinline
func section(values map[string]string, file, header string) settings {
	out := settings{}
	for key, value := range values {
		out[key] = setting{value, file, header}
	}
	return out
}
