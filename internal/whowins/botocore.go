package whowins

import (
	"fmt"
	"slices"
	"strings"

	"kedge/internal/credfile"
	"kedge/internal/processline"
)

// botocore is one answer of botocore: what the AWS CLI and boto3 use. It reads as create_credential_resolver
// in botocore/credentials.py builds the chain.
type botocore struct {
	s           *Situation
	variables   [2]string // that name the profile; the first that is set counts, also if it is empty
	config      map[string]settings
	credentials map[string]settings
	visited     []string
}

// asBotocore answers for boto3 and version 1 of the AWS CLI: configprovider.py, BOTOCORE_DEFAUT_SESSION_VARIABLES.
func asBotocore(s *Situation) *Source {
	b := &botocore{s: s, variables: [2]string{"AWS_DEFAULT_PROFILE", "AWS_PROFILE"}}
	return b.answer()
}

// asCLI2 answers for version 2 of the AWS CLI, whose own botocore has the variables in the other order.
func asCLI2(s *Situation) *Source {
	b := &botocore{s: s, variables: [2]string{"AWS_PROFILE", "AWS_DEFAULT_PROFILE"}}
	return b.answer()
}

func (b *botocore) answer() *Source {
	if problem := b.load(); problem.isRefused() {
		return problem
	}
	name, named := b.profile()
	if named && !b.exists(name) {
		return noSuchProfile(name) // session.py, get_scoped_config, before any provider
	}
	if b.s.profile == "" {
		if source := b.environment(); source != nil {
			return source
		}
	}
	b.visited = []string{name}
	if b.isRole(name) {
		return b.role(name)
	}
	if source := b.providers(name, b.s.profile == ""); source != nil {
		return source
	}
	return b.last(b.merged(name))
}

// load reads both files. A file that cannot be parsed is an error, whatever else is configured.
func (b *botocore) load() *Source {
	for _, name := range []string{"config", "credentials"} {
		at := b.s.defaultPath(name)
		if value, set := b.s.env[fileVariable(name)]; set { // also if it is empty
			at = b.s.expandHome(value)
		}
		f := b.s.files[at]
		values, err := credfile.ReadAsBotocore(f.text)
		if f.problem != nil {
			err = f.problem
		}
		if err != nil {
			return &Source{Kind: Refused, cause: broken, File: at, Problem: err.Error()}
		}
		profiles := map[string]settings{}
		for _, header := range inOrder(f.text, values) { // of two names of one profile, the later counts
			if profile, ok := botocoreName(name, header); ok {
				profiles[profile] = section(values[header], at, header)
			}
		}
		if name == "config" {
			b.config = profiles
		} else {
			b.credentials = profiles
		}
	}
	return nil
}

// botocoreName returns the profile of a section: configloader.py, build_profile_map. In the credentials
// file each section is one.
func botocoreName(file, header string) (string, bool) {
	if file == "credentials" || header == "default" {
		return header, true
	}
	words, err := processline.Split(header)
	if err != nil || len(words) != 2 || !strings.HasPrefix(header, "profile") {
		return "", false
	}
	return words[1], true
}

// profile returns the name of the profile, and whether it must be there.
func (b *botocore) profile() (name string, named bool) {
	if b.s.profile != "" {
		return b.s.profile, true
	}
	for _, variable := range b.variables {
		if name, set := b.s.env[variable]; set {
			return name, true
		}
	}
	return "default", false
}

func (b *botocore) exists(name string) bool {
	return b.config[name] != nil || b.credentials[name] != nil
}

// merged returns a profile of both files: session.py, full_config.
//
//go:noinline
func (b *botocore) merged(name string) settings { return join(b.config[name], b.credentials[name]) }

// environment is EnvProvider: the id alone is an error, the secret alone is not seen.
func (b *botocore) environment() *Source {
	switch {
	case b.s.get("AWS_ACCESS_KEY_ID") == "":
		return nil
	case b.s.get("AWS_SECRET_ACCESS_KEY") == "":
		return refuse(halfPair, "AWS_ACCESS_KEY_ID is set, and AWS_SECRET_ACCESS_KEY is not")
	}
	return of(Environment)
}

// isRole is _has_assume_role_config_vars of AssumeRoleProvider.
func (b *botocore) isRole(name string) bool {
	profile := b.merged(name)
	return profile.has("role_arn") && !profile.has("web_identity_token_file")
}

func (b *botocore) role(name string) *Source {
	profile := b.merged(name)
	from, source := profile.has("source_profile"), profile.has("credential_source")
	switch {
	case from && source:
		return clashing(name, profile, "credential_source", "the profile has both source_profile and credential_source")
	case !from && !source:
		return clashing(name, profile, "role_arn", "the profile has role_arn, and neither source_profile nor credential_source")
	case source:
		return profile.role(name, b.named(name, profile))
	}
	return profile.role(name, b.source(name, profile))
}

// named is CanonicalNameCredentialSourcer.
func (b *botocore) named(name string, profile settings) *Source {
	var source *Source
	switch profile.value("credential_source") {
	case "Environment":
		source = b.environment()
	case "EcsContainer":
		if b.hasContainer() {
			source = b.s.container()
		}
	case "Ec2InstanceMetadata":
		if !b.s.isOff() {
			source = b.s.strictMetadata(profile)
		}
	default:
		return clashing(name, profile, "credential_source", "the value of credential_source is none that there is")
	}
	if source == nil {
		return clashing(name, profile, "credential_source", "there is no such source as credential_source names")
	}
	return source
}

// source is _resolve_credentials_from_profile, with what _validate_source_profile refuses.
func (b *botocore) source(parent string, profile settings) *Source {
	name := profile.value("source_profile")
	isStatic := b.merged(name).has("aws_access_key_id") || b.merged(name).has("aws_secret_access_key")
	switch {
	case !b.exists(name):
		return clashing(parent, profile, "source_profile", fmt.Sprintf("source_profile is %q, and there is no such profile", name))
	case slices.Contains(b.visited, name) && (name != parent || !isStatic):
		return clashing(parent, profile, "source_profile", "source_profile leads in a circle")
	}
	b.visited = append(b.visited, name)
	if !isStatic && b.isRole(name) {
		return b.role(name)
	}
	if source := b.providers(name, false); source != nil {
		return source
	}
	return clashing(parent, profile, "source_profile", fmt.Sprintf("the profile %q, which source_profile names, has no credentials", name))
}

// providers is ProfileProviderBuilder, in its order. The variables of web identity count unless the
// profile is named in code.
func (b *botocore) providers(name string, variables bool) *Source {
	profile := b.merged(name)
	if source := b.webIdentity(name, profile, variables); source != nil {
		return source
	}
	switch {
	case profile.has("sso_role_name"), profile.has("sso_account_id"):
		return profile.at(SSO, name, firstOf(profile, "sso_account_id sso_role_name"))
	case b.credentials[name].has("aws_access_key_id"):
		return b.static(name, b.credentials[name])
	case profile.has("login_session"):
		return profile.at(Login, name, "login_session")
	case profile.has("credential_process"):
		return b.s.process(profile, name)
	case b.config[name].has("aws_access_key_id"):
		return b.static(name, b.config[name])
	}
	return nil
}

// webIdentity is AssumeRoleWithWebIdentityProvider: each value comes from the environment, also if it is
// empty there, else from the profile.
func (b *botocore) webIdentity(name string, profile settings, variables bool) *Source {
	token, inEnvironment := "", false
	role := profile.value("role_arn")
	if variables {
		token, inEnvironment = b.s.env["AWS_WEB_IDENTITY_TOKEN_FILE"]
		if arn, set := b.s.env["AWS_ROLE_ARN"]; set {
			role = arn
		}
	}
	if !inEnvironment {
		token = profile.value("web_identity_token_file")
	}
	source := profile.at(WebIdentity, name, "web_identity_token_file")
	if inEnvironment {
		source = of(WebIdentity)
	}
	switch {
	case token == "":
		return nil
	case role == "":
		source.Kind, source.cause, source.Problem = Refused, conflict, "there is a web identity token, and no role for it"
		if inEnvironment {
			source.cause = halfToken
		}
	}
	return source
}

// static is _extract_creds_from_mapping: an id without a secret is an error.
func (b *botocore) static(name string, profile settings) *Source {
	if !profile.has("aws_secret_access_key") {
		return clashing(name, profile, "aws_access_key_id", "the profile has aws_access_key_id, and no aws_secret_access_key")
	}
	return b.s.keys(profile, name, "aws_access_key_id")
}

// hasContainer is ContainerProvider, for which an empty variable is one that is set.
func (b *botocore) hasContainer() bool {
	_, path := b.s.env["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
	_, full := b.s.env["AWS_CONTAINER_CREDENTIALS_FULL_URI"]
	return path || full
}

func (b *botocore) last(profile settings) *Source {
	switch {
	case b.hasContainer():
		return b.s.container()
	case b.s.isOff():
		return nil
	}
	return b.s.strictMetadata(profile)
}
