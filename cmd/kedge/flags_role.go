package main

import (
	"context"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostdir"
	"kedge/internal/role"
)

// defaultTimeout lets a failure be reported before aws-sdk-go-v2 gives a credential_process up
// after one minute.
const defaultTimeout = 55 * time.Second

// maxAttempts is the default of the AWS SDKs.
const maxAttempts = 3

// roleFlags say whose credentials of which role are wanted, and how to get them: the flags of every
// command that gets some.
type roleFlags struct {
	settingFlags
	keyFlags
	said      role.Settings // but for the keys
	policy    string        // file
	withProxy bool
	check     func(*role.Config) error // beyond what resolve checks; nil: nothing
}

func (f *roleFlags) add(flags *pflag.FlagSet) {
	f.addCertificate(flags)
	f.addPrivateKey(flags)
	f.addForeignKeys(flags)
	flags.StringVar(&f.Intermediates, "intermediates", "", "more certificates for the chain, in any order: "+inputHelp)
	f.addSession(flags)
	f.addNetwork(flags)
	f.addChain(flags)
	f.settingFlags.add(flags)
	cli.RefuseEmpty(flags, "intermediates", "trust-anchor-arn", "profile-arn", "role-arn", "ca-bundle", "policy")
}

// addSession adds flags with the names and defaults of the official helper.
func (f *roleFlags) addSession(flags *pflag.FlagSet) {
	s := &f.said
	flags.StringVar(&s.Role, "role-arn", "", "role to take")
	flags.StringVar(&s.Profile, "profile-arn", "", "profile that lists the role")
	flags.StringVar(&s.TrustAnchor, "trust-anchor-arn", "", "trust anchor that vouches for the certificate")
	flags.IntVar(&s.Seconds, "session-duration", 3600, "length of the session in seconds, 900 to 43200")
	flags.StringVar(&s.SessionName, "role-session-name", "", "name of the session; the profile must allow it")
	flags.StringVar(&s.Region, "region", "", "region of the service (default: the trust anchor's)")
	flags.StringVar(&s.Endpoint, "endpoint", "", "URL of the service (default: the region's)")
	flags.BoolVar(&s.NoVerify, "no-verify-ssl", false, "trust any server: anyone on the way can take the credentials")
	flags.BoolVar(&f.withProxy, "with-proxy", false, "deprecated: does nothing, HTTPS_PROXY and NO_PROXY count without it")
	_ = flags.MarkHidden("with-proxy") // it exists
}

func (f *roleFlags) addNetwork(flags *pflag.FlagSet) {
	s := &f.said
	flags.StringVar(&s.Proxy, "proxy", "", `URL of the proxy to use, or "none" (default: HTTPS_PROXY, unless NO_PROXY has the host)`)
	flags.StringVar(&s.CABundle, "ca-bundle", "", "PEM file of the CAs to trust instead of the system's (default: AWS_CA_BUNDLE)")
	flags.BoolVar(&s.FIPS, "fips", false, "use the region's FIPS endpoint")
	flags.BoolVar(&s.DualStack, "dual-stack", false, "use the region's dual-stack endpoint (IPv4 and IPv6)")
	flags.DurationVar(&s.Timeout, "timeout", defaultTimeout, "limit over all attempts")
	flags.IntVar(&s.Attempts, "max-attempts", maxAttempts, "how often to try")
}

// addChain adds the flags about the roles to assume after CreateSession.
func (f *roleFlags) addChain(flags *pflag.FlagSet) {
	s := &f.said
	flags.Var((*texts)(&s.Assumed), "assume-role-arn", "role to assume with the session; again for one to assume from there, and so on")
	flags.Var((*texts)(&s.ExternalIDs), "external-id", "external id for the last role; or one for each role in order, empty for none")
	flags.StringVar(&s.AssumeName, "assume-role-session-name", "", "name of the assumed roles' sessions (default: that of the first session)")
	flags.IntVar(&s.AssumeSeconds, "assume-role-duration", 0, "length of the last role's session in seconds, 900 to 3600 (default: --session-duration, if that is not longer)")
	flags.StringVar(&f.policy, "policy", "", "file with a session policy in JSON that limits the last role: PATH or env:NAME")
	flags.Var((*texts)(&s.PolicyARNs), "policy-arn", "managed policy that limits the last role; can be given several times")
	flags.Var((*texts)(&s.Tags), "tag", "session tag of the last role, as KEY=VALUE; can be given several times")
	flags.Var((*texts)(&s.Lasting), "transitive-tag", "session tag from the first assumed role on, as KEY=VALUE, which later sessions keep")
	flags.StringVar(&s.STSEndpoint, "sts-endpoint", "", "URL of STS for --assume-role-arn (default: the region's)")
}

// resolve makes of the flags, once they are settled, the role that they say. All is checked that can
// be before a key is touched.
func (f *roleFlags) resolve(cmd *cobra.Command, h host) (*role.Config, error) {
	c, err := f.resolveUnchecked(cmd, h)
	if err != nil {
		return nil, err
	}
	if err := c.Check(); err != nil || f.check == nil {
		return c, usage(cmd, err)
	}
	return c, usage(cmd, f.check(c))
}

// resolveUnchecked leaves it to role.Open to check what a cache hit needs not: what is in the cache
// passed that check.
func (f *roleFlags) resolveUnchecked(cmd *cobra.Command, h host) (*role.Config, error) {
	if trace := h.trace(f.debug); trace != nil && f.file != nil {
		trace("configuration %s, profile %q", f.file.Path(), f.chosen)
	}
	if err := f.checkGiven(cmd); err != nil {
		return nil, err
	}
	s := f.said
	s.KeyFlags, s.Given = f.KeyFlags, cmd.Flags().Changed
	var err error
	if s.Policy, err = role.ReadPolicy(f.policy, s.Assumed); err != nil {
		return nil, usage(cmd, err)
	}
	c, err := role.NewConfig(s, h.environment)
	if _, ok := errors.AsType[*role.MissingError](err); ok {
		return nil, f.advised(usage(cmd, err))
	}
	return c, usage(cmd, err)
}

// badValue returns an error that names the flag whose value cannot be used, and the origin of that value.
func badValue(cmd *cobra.Command, flag string, err error) error {
	return usage(cmd, &config.FlagError{Flag: flag, Err: err})
}

// usage makes the usage error that a wrong flag is, and names the origin of its value; other errors
// pass.
func usage(cmd *cobra.Command, err error) error {
	if flag, ok := errors.AsType[*config.FlagError](err); ok {
		return &cli.UsageError{Command: cmd.CommandPath(), Err: from(cmd, flag.Flag, err)}
	}
	if arn, ok := errors.AsType[*role.ARNError](err); ok {
		return &cli.UsageError{Command: cmd.CommandPath(), Err: from(cmd, arn.Flag, err)}
	}
	_, missing := errors.AsType[*role.MissingError](err)
	if _, proxy := errors.AsType[*config.ProxyVariableError](err); missing || proxy {
		return &cli.UsageError{Command: cmd.CommandPath(), Err: err}
	}
	return err
}

// forRole is what a role may use of the program.
func (h host) forRole(debug bool) role.Host {
	return role.Host{
		Host:      h.inputs,
		UserAgent: name + "/" + cli.Version(),
		Warn:      func(text string) { h.warn(text) },
		Skewed:    h.warnOfClock,
		Trace:     h.trace(debug),
		Protect:   interruptible,
		Before:    hostdir.Before,
	}
}

// retrieve gets credentials for a command that wants them once. SIGINT and SIGTERM end it.
func (h host) retrieve(ctx context.Context, c *role.Config, debug bool) (aws.Credentials, error) {
	r, err := role.Open(ctx, c, h.forRole(debug), role.Once)
	if err != nil {
		return aws.Credentials{}, err
	}
	defer r.Close()
	ctx, stop := interruptible(ctx)
	defer stop()
	return r.Retrieve(ctx)
}
