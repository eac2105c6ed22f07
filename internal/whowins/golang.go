package whowins

import (
	"strings"

	"kedge/internal/credfile"
)

// goSDK is one answer of aws-sdk-go-v2: config/resolve_credentials.go.
type goSDK struct {
	s        *Situation
	profiles map[string]settings
	partial  map[string]*Source // an id without a secret, or the other way round
}

// goConfig is SharedConfig: a profile after the checks of shared_config.go.
type goConfig struct {
	name     string
	settings settings
	source   *goConfig
}

func asGo(s *Situation) *Source {
	g := &goSDK{s: s, profiles: map[string]settings{}, partial: map[string]*Source{}}
	g.load()
	name, named := g.profile()
	config, problem := g.config(name, map[string]bool{})
	switch {
	case problem.isRefused() && problem.cause == noProfile && problem.Profile == name && !named:
		config = &goConfig{name: name} // loadSharedConfigIgnoreNotExist
	case problem.isRefused():
		return problem // LoadDefaultConfig fails, also if there are keys in the environment
	}
	switch {
	case s.profile != "":
		return g.resolve(config)
	case g.hasKeys():
		return of(Environment)
	case s.get("AWS_WEB_IDENTITY_TOKEN_FILE") != "" && s.get("AWS_ROLE_ARN") == "":
		return refuse(halfToken, "AWS_WEB_IDENTITY_TOKEN_FILE is set, and AWS_ROLE_ARN is not")
	case s.get("AWS_WEB_IDENTITY_TOKEN_FILE") != "":
		return of(WebIdentity)
	}
	return g.resolve(config)
}

// hasKeys takes the older names as well, each for itself: env_config.go, credAccessEnvKeys.
func (g *goSDK) hasKeys() bool {
	id := g.s.get("AWS_ACCESS_KEY_ID") + g.s.get("AWS_ACCESS_KEY")
	return id != "" && g.s.get("AWS_SECRET_ACCESS_KEY")+g.s.get("AWS_SECRET_KEY") != ""
}

// profile returns the name of the profile, and whether it must be there: resolveConfigLoaders asks only
// for AWS_PROFILE.
func (g *goSDK) profile() (name string, must bool) {
	for _, name := range []string{g.s.profile, g.s.get("AWS_PROFILE")} {
		if name != "" {
			return name, true
		}
	}
	if name := g.s.get("AWS_DEFAULT_PROFILE"); name != "" {
		return name, false
	}
	return "default", false
}

// load reads both files. "[profile default]" replaces "[default]": renameProfileSection.
func (g *goSDK) load() {
	at := g.s.filePath("config", literally)
	all := credfile.ReadAsGo(g.s.files[at].text)
	for header, values := range all {
		name, ok := strings.CutPrefix(header, "profile ")
		if ok || header == "default" && all["profile default"] == nil {
			g.add(name, section(values, at, header))
		}
	}
	at = g.s.filePath("credentials", literally)
	for header, values := range credfile.ReadAsGo(g.s.files[at].text) {
		if !strings.HasPrefix(header, "profile ") {
			g.add(header, section(values, at, header))
		}
	}
}

// add is mergeSections: keys replace keys only as a pair, and a section of the credentials file decides
// alone whether a pair is incomplete.
func (g *goSDK) add(name string, values settings) {
	id, key := values.has("aws_access_key_id"), values.has("aws_secret_access_key")
	delete(g.partial, name)
	if id != key {
		g.partial[name] = clashing(name, values, firstOf(values, "aws_access_key_id aws_secret_access_key"),
			"the profile has one of aws_access_key_id and aws_secret_access_key, and not the other")
	}
	g.profiles[name] = join(g.profiles[name], values.filled())
}

// config is setFromIniSections.
func (g *goSDK) config(name string, seen map[string]bool) (*goConfig, *Source) {
	profile, found := g.profiles[name]
	if !found {
		return nil, noSuchProfile(name)
	}
	if problem, is := g.partial[name]; is {
		return nil, problem
	}
	c := &goConfig{name: name, settings: join(profile, nil)}
	if seen[name] {
		c.drop("role_arn", "source_profile") // clearAssumeRoleOptions
	} else if key := firstOf(profile, "source_profile credential_source web_identity_token_file"); key != "" && profile.value("role_arn") == "" {
		return nil, clashing(name, profile, key, "the profile has "+key+", and no role_arn")
	}
	if len(seen) > 0 && c.hasKeys() {
		return c, nil
	}
	seen[name] = true
	kinds := 0
	for _, key := range []string{"source_profile", "credential_source", "credential_process", "web_identity_token_file"} {
		if c.settings.value(key) != "" {
			kinds++
		}
	}
	if kinds > 1 { // validateCredentialType
		return nil, clashing(name, c.settings, firstOf(c.settings, "source_profile credential_source web_identity_token_file"),
			"the profile has more than one of source_profile, credential_source, credential_process and web_identity_token_file")
	}
	return g.link(c, seen)
}

// link finds the profile that source_profile names.
func (g *goSDK) link(c *goConfig, seen map[string]bool) (*goConfig, *Source) {
	name := c.settings.value("source_profile")
	if name == "" {
		return c, nil
	}
	source, problem := g.config(name, seen)
	switch {
	case problem.isRefused() && problem.cause == noProfile && problem.Profile == name:
		return nil, clashing(c.name, c.settings, "source_profile", "source_profile is "+quoteName(name)+", and there is no such profile")
	case problem.isRefused():
		return nil, problem
	case !source.hasCredentials():
		return nil, clashing(c.name, c.settings, "source_profile", "the profile "+quoteName(name)+", which source_profile names, has no credentials")
	}
	c.source = source
	return c, nil
}

func (c *goConfig) drop(keys ...string) {
	for _, key := range keys {
		delete(c.settings, key)
	}
}

func (c *goConfig) hasKeys() bool {
	return c.settings.value("aws_access_key_id") != "" && c.settings.value("aws_secret_access_key") != ""
}

func (c *goConfig) hasSSO() bool {
	return ssoOf(c.settings) != ""
}

// hasCredentials leaves out login_session, as the SDK does.
func (c *goConfig) hasCredentials() bool {
	return firstOf(c.settings, "source_profile credential_source credential_process web_identity_token_file") != "" || c.hasSSO() || c.hasKeys()
}

// resolve is resolveCredsFromProfile: a role_arn is assumed with whatever was found.
func (g *goSDK) resolve(c *goConfig) *Source {
	source := g.base(c)
	if c.settings.value("role_arn") == "" || source == nil || source.Kind == WebIdentity && source.Profile == c.name {
		return source
	}
	if c.settings.has("mfa_serial") && !source.isRefused() {
		return clashing(c.name, c.settings, "mfa_serial", "the role needs a code of MFA, for which nobody is asked")
	}
	return c.settings.role(c.name, source)
}

func (g *goSDK) base(c *goConfig) *Source {
	s := c.settings
	switch {
	case c.source != nil:
		return g.resolve(c.source)
	case c.hasKeys():
		return g.s.keys(s, c.name, "aws_access_key_id")
	case s.value("credential_source") != "":
		return g.named(c)
	case s.value("web_identity_token_file") != "":
		return s.at(WebIdentity, c.name, "web_identity_token_file")
	case c.hasSSO():
		return s.at(SSO, c.name, ssoOf(s))
	case s.value("login_session") != "":
		return s.at(Login, c.name, "login_session")
	case s.value("credential_process") != "":
		return g.s.process(s, c.name)
	}
	return g.s.last(s)
}

// named is resolveCredsFromSource.
func (g *goSDK) named(c *goConfig) *Source {
	problem := "there is no such source as credential_source names"
	switch c.settings.value("credential_source") {
	case "Ec2InstanceMetadata":
		if !g.s.isOff() {
			return g.s.metadata(c.settings)
		}
	case "Environment":
		if g.hasKeys() {
			return of(Environment)
		}
	case "EcsContainer":
		if g.s.hasContainer() {
			return g.s.container()
		}
	default:
		problem = "the value of credential_source is none that there is"
	}
	return clashing(c.name, c.settings, "credential_source", problem)
}
