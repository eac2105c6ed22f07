package main

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/signer/session"
)

// defaultTimeout lets a failure be reported before aws-sdk-go-v2 gives a credential_process up
// after one minute.
const defaultTimeout = 55 * time.Second

// maxAttempts is the default of the AWS SDKs.
const maxAttempts = 3

// sessionFlags say which session to ask for, and how. The first block has the names and
// defaults of the official helper.
type sessionFlags struct {
	role, profile, trustAnchor string
	seconds                    int
	sessionName                string
	region, endpoint           string
	noVerify, withProxy        bool

	proxy           string
	caBundle        string
	fips, dualStack bool
	timeout         time.Duration
	attempts        int

	clock   *session.Clock // of the service, as far as it is known
	config  session.Config // what the flags say, but for the CAs
	bundle  config.Bundle
	refused func(error) error // says which flag session.New refuses
}

func (f *sessionFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.role, "role-arn", "", "role to take")
	flags.StringVar(&f.profile, "profile-arn", "", "profile that lists the role")
	flags.StringVar(&f.trustAnchor, "trust-anchor-arn", "", "trust anchor that vouches for the certificate")
	flags.IntVar(&f.seconds, "session-duration", 3600, "length of the session in seconds, 900 to 43200")
	flags.StringVar(&f.sessionName, "role-session-name", "", "name of the session; the profile must allow it")
	flags.StringVar(&f.region, "region", "", "region of the service (default: the trust anchor's)")
	flags.StringVar(&f.endpoint, "endpoint", "", "URL of the service (default: the region's)")
	flags.BoolVar(&f.noVerify, "no-verify-ssl", false, "trust any server: anyone on the way can take the credentials")
	flags.BoolVar(&f.withProxy, "with-proxy", false, "deprecated: does nothing, HTTPS_PROXY and NO_PROXY count without it")
	_ = flags.MarkHidden("with-proxy") // it exists

	flags.StringVar(&f.proxy, "proxy", "", `URL of the proxy to use, or "none" (default: HTTPS_PROXY, unless NO_PROXY has the host)`)
	flags.StringVar(&f.caBundle, "ca-bundle", "", "PEM file of the CAs to trust instead of the system's (default: AWS_CA_BUNDLE)")
	flags.BoolVar(&f.fips, "fips", false, "use the region's FIPS endpoint")
	flags.BoolVar(&f.dualStack, "dual-stack", false, "use the region's dual-stack endpoint (IPv4 and IPv6)")
	flags.DurationVar(&f.timeout, "timeout", defaultTimeout, "limit over all attempts")
	flags.IntVar(&f.attempts, "max-attempts", maxAttempts, "how often to try")
}

// configure checks what session.New would not.
func (f *sessionFlags) configure(cmd *cobra.Command, h host, trace func(string, ...any)) error {
	if f.timeout <= 0 {
		return badValue(cmd, "timeout", fmt.Errorf("it must be more than zero, not %s", f.timeout))
	}
	if f.attempts < 1 {
		return badValue(cmd, "max-attempts", fmt.Errorf("%d attempts: there can be 1 to 10", f.attempts))
	}
	if f.seconds < 900 || f.seconds > 43200 { // for session.Config, zero is the default and too many overflow
		return badValue(cmd, "session-duration", fmt.Errorf("a session lasts 900 to 43200 seconds, not %d", f.seconds))
	}
	proxy, err := config.Proxy(f.proxy, config.EnvironmentProxies())
	if err != nil {
		return usage(cmd, err)
	}
	if f.bundle, err = config.CABundle(f.caBundle); err != nil {
		return usage(cmd, err)
	}
	f.clock = session.NewClock(h.inputs.Now)
	f.config = session.Config{
		TrustAnchorARN:     f.trustAnchor,
		ProfileARN:         f.profile,
		RoleARN:            f.role,
		Duration:           time.Duration(f.seconds) * time.Second,
		RoleSessionName:    f.sessionName,
		Region:             f.region,
		Endpoint:           f.endpoint,
		FIPS:               f.fips,
		DualStack:          f.dualStack,
		Proxy:              proxy,
		InsecureSkipVerify: f.noVerify,
		Timeout:            f.timeout,
		MaxAttempts:        f.attempts,
		Trace:              trace,
		Now:                h.inputs.Now,
		Clock:              f.clock,
	}
	f.refused = func(err error) error { return f.usage(cmd, err) }
	return nil
}

// client makes the client, and checks the rest of the flags with that; nothing is sent.
func (f *sessionFlags) client() (*session.Client, error) {
	f.config.UserAgent = name + "/" + cli.Version()
	client, err := session.New(f.config)
	if err == nil {
		err = f.checkProxy(client.Endpoint())
	}
	return client, f.refused(err)
}

// checkProxy refuses a variable that names no proxy before a key is touched, if there is to be one
// for this address.
func (f *sessionFlags) checkProxy(address string) error {
	if f.config.Proxy == nil {
		return nil
	}
	request, err := http.NewRequest(http.MethodPost, address, nil)
	if err == nil {
		_, err = f.config.Proxy(request)
	}
	return err
}

// trust returns a client like c that trusts the CA bundle there may be: where c comes from it is
// not read. plain says that no other address is asked with TLS.
func (f *sessionFlags) trust(c *session.Client, plain bool) (*session.Client, error) {
	if plain && f.caBundle == "" && f.config.Proxy == nil && strings.HasPrefix(f.endpoint, "http://") {
		return c, nil
	}
	roots, unread, err := f.bundle.Roots()
	if roots == nil || err != nil {
		return c, err
	}
	f.config.RootCAs, f.config.RootsUnread = roots, unread
	return f.client()
}

// usage makes usage errors of what session.New refuses, and names the flag.
func (f *sessionFlags) usage(cmd *cobra.Command, err error) error {
	if arn, ok := errors.AsType[*session.ARNError](err); ok { // it names the ARN
		return &cli.UsageError{Command: cmd.CommandPath(), Hint: "it looks like " + f.exampleARN(arn.Field), Err: from(cmd, flagOf(arn.Field), err)}
	}
	if field, ok := errors.AsType[*session.ConfigError](err); ok {
		return badValue(cmd, flagOf(field.Field), err)
	}
	if proxy, ok := errors.AsType[*config.ProxyVariableError](err); ok {
		return &cli.UsageError{Command: cmd.CommandPath(), Hint: "correct " + proxy.Variable + `, or give --proxy URL, or "--proxy none" to use none`, Err: err}
	}
	return err
}

// exampleARN shows the ARN of a field, where the trust anchor is if its ARN tells.
func (f *sessionFlags) exampleARN(field string) string {
	anchor, err := session.ParseARN(f.trustAnchor)
	if err != nil || anchor.Region == "" || anchor.Account == "" {
		anchor = session.ARN{Partition: "aws", Region: "eu-west-1", Account: "111122223333"}
	}
	anchor.Service, anchor.Resource = "rolesanywhere", "trust-anchor/<id>"
	switch field {
	case "ProfileARN":
		anchor.Resource = "profile/<id>"
	case "RoleARN":
		anchor.Service, anchor.Region, anchor.Resource = "iam", "", "role/<name>"
	}
	return anchor.String()
}

// badValue says what a flag takes, besides what is wrong with what it was given.
func badValue(cmd *cobra.Command, flag string, err error) error {
	hint := chainFlagHint(flag)
	switch flag {
	case "session-duration":
		hint = "write seconds, such as 3600 for an hour"
	case "timeout":
		hint = "write a number with a unit, such as 5s or 1m"
	case "max-attempts":
		hint = "write a number, such as 3"
	case "role-session-name":
		hint = "write 2 to 64 letters, digits and _+=,.@-, or leave it out"
	case "cache":
		hint = "write the path of a folder, such as /var/cache/kedge, or leave --cache out"
	case "region":
		hint = "leave --region out: it is the trust anchor's by default"
	case "endpoint":
		hint = "write an address such as https://rolesanywhere.eu-west-1.amazonaws.com, without --fips and --dual-stack"
	case "port":
		hint = "write a number, such as 9911"
	case "address":
		hint = "write an address of this machine, such as 127.0.0.1 or ::1; the port is --port"
	case "metrics-address":
		hint = "write an address with a port, such as 127.0.0.1:9912 or [::1]:9912"
	case "log-format":
		hint = "write text or json"
	case "drain":
		hint = "write a number with a unit, such as 10s"
	case "aws-region":
		hint = "write a region such as eu-west-1"
	}
	return &cli.UsageError{Command: cmd.CommandPath(), Hint: hint, Err: from(cmd, flag, fmt.Errorf("--%s: %w", flag, err))}
}

// flagOf names the flag that sets a field of session.Config.
func flagOf(field string) string {
	switch field {
	case "TrustAnchorARN":
		return "trust-anchor-arn"
	case "ProfileARN":
		return "profile-arn"
	case "RoleARN":
		return "role-arn"
	case "Duration":
		return "session-duration"
	case "RoleSessionName":
		return "role-session-name"
	case "DualStack":
		return "dual-stack"
	case "MaxAttempts":
		return "max-attempts"
	}
	return strings.ToLower(field) // Region, Endpoint, FIPS, Timeout
}
