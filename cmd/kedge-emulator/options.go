package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/emulator"
)

// options are the flags of the program.
type options struct {
	configFile, region, account, stateDir string

	trustAnchors, crls, roles      []string
	noAnchor                       bool
	profile, cloudTrail            string
	profileSeconds, roleMaxSeconds int64
	acceptName                     bool

	listen           string
	allowRemote      bool
	tlsCA            string
	envFile, pidFile string
	clockSkew        time.Duration
	faults           []string
	conditions       conditionFlags
}

func (o *options) addFlags(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.configFile, "config", "", "JSON `file` with trust anchors, profiles, roles, users and CRLs")
	f.StringArrayVar(&o.trustAnchors, "trust-anchor", nil, "PEM `file` with the CA of one more trust anchor")
	f.BoolVar(&o.noAnchor, "no-trust-anchor", false, "begin without a trust anchor: kedge-ca aws up makes it, with a profile and roles")
	f.StringArrayVar(&o.crls, "crl", nil, "PEM or DER `file` with a revocation list, for each trust anchor whose CA signed it")
	f.StringArrayVar(&o.roles, "role-arn", nil, "`ARN` of one more role")
	f.Int64Var(&o.roleMaxSeconds, "max-session-duration", 3600, "longest session of the roles given here, in `seconds`")
	f.StringVar(&o.profile, "profile-arn", "", "`ARN` of one more profile; it lists every role")
	f.Int64Var(&o.profileSeconds, "profile-duration", 3600, "session duration of that profile, in `seconds`")
	f.BoolVar(&o.acceptName, "accept-role-session-name", false, "that profile lets a request choose roleSessionName")
	f.StringVar(&o.region, "region", "", "`region` of the ARNs that are made up (default us-east-1)")
	f.StringVar(&o.account, "account", "", "`account` of the ARNs that are made up (default 111122223333)")
	f.StringVar(&o.stateDir, "state", "", "`folder` where sessions and resources survive a restart; kill -9 may lose the sessions of the last moment (default: they are forgotten)")
	f.StringVar(&o.cloudTrail, "cloudtrail", "", "append what CloudTrail would record to this `file`, an event a line")
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "`address` to listen on; port 0 is a free one")
	f.BoolVar(&o.allowRemote, "allow-remote", false, "let --listen name an address that other machines reach")
	f.StringVar(&o.tlsCA, "tls", "", "speak https with a certificate made for this run, and write its CA to this PEM `file`")
	f.StringVar(&o.envFile, "env-file", "", "write the client's environment to this `file` as well, once ready; that of another emulator is removed at the start")
	f.StringVar(&o.pidFile, "pid-file", "", "write the process id to this `file`, once ready")
	f.DurationVar(&o.clockSkew, "clock-skew", 0, "run this far ahead of the system's clock, as `duration`; negative is behind")
	f.StringArrayVar(&o.faults, "fault", nil, "misbehave: `[SERVICE:]KIND[=VALUE][*COUNT][@FIRST]`, such as throttle*2 or iam:lost@3")
	o.conditions.addFlags(cmd)
}

// check refuses values that are wrong whatever the files say, and returns the faults.
func (o *options) check(cmd *cobra.Command) ([]emulator.Fault, error) {
	for _, v := range []struct {
		flag   string
		values []string
		check  func(string) error
	}{
		{"region", []string{o.region}, emulator.CheckRegion},
		{"account", []string{o.account}, emulator.CheckAccount},
		{"role-arn", o.roles, emulator.CheckRoleARN},
		{"profile-arn", []string{o.profile}, emulator.CheckProfileARN},
		{"listen", []string{o.listen}, checkAddress},
	} {
		if !cmd.Flags().Changed(v.flag) {
			continue
		}
		for _, value := range v.values {
			if err := v.check(value); err != nil {
				return nil, cli.Usagef(cmd, "--%s: %w", v.flag, err)
			}
		}
	}
	var faults []emulator.Fault
	for _, text := range o.faults {
		f, err := emulator.ParseFault(text)
		if err != nil {
			return nil, cli.Usagef(cmd, "--fault: %w", err)
		}
		faults = append(faults, f)
	}
	return faults, nil
}

// checkAddress checks the form alone.
func checkAddress(s string) error {
	_, port, err := net.SplitHostPort(s)
	if err != nil {
		return fmt.Errorf("%q is not an address and a port, such as 127.0.0.1:0", s)
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return fmt.Errorf("%q: a port is a number from 0 to 65535", s)
	}
	return nil
}

// readFile reads the file that a flag names.
func readFile(flag, path string) ([]byte, error) {
	data, err := emulator.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("--%s: %w", flag, unreadable(path, err))
	}
	return data, nil
}

// config is what the flags and the configuration file specify together.
func (o *options) config(cmd *cobra.Command, s cli.Streams) (emulator.Config, error) {
	var c emulator.Config
	var err error
	if o.configFile != "" {
		if c, err = emulator.ReadConfig(o.configFile); err != nil {
			return c, configError{unreadable(o.configFile, err)}
		}
	}
	for _, path := range o.trustAnchors {
		pem, err := readFile("trust-anchor", path)
		if err != nil {
			return c, anchorFileError{err}
		}
		c.TrustAnchors = append(c.TrustAnchors, emulator.TrustAnchor{File: path, Certificates: pem})
	}
	if err := o.overrideRoles(cmd, &c); err != nil {
		return c, err
	}
	if err := o.conditions.override(cmd, &c.Conditions); err != nil {
		return c, err
	}
	if o.region != "" {
		c.Region = o.region
	}
	if o.account != "" {
		c.Account = o.account
	}
	if o.stateDir != "" {
		c.StateDir = o.stateDir
	}
	if len(c.TrustAnchors) == 0 && c.StateDir == "" && !o.noAnchor {
		return c, &cli.UsageError{Command: cmd.CommandPath(), Err: errors.New("there is no trust anchor"),
			Hint: "give the CA's certificate with --trust-anchor; kedge-ca init makes one. For kedge-ca aws up, begin with --no-trust-anchor or --state"}
	}
	if o.cloudTrail != "" {
		c.CloudTrail = o.cloudTrail
	}
	c.Log = s.Err
	c.Now = func() time.Time { return time.Now().Add(o.clockSkew) }
	return c, nil
}

// overrideRoles adds the role and the profile of the flags, where there are any.
func (o *options) overrideRoles(cmd *cobra.Command, c *emulator.Config) error {
	roles := o.roles
	if len(roles) == 0 && cmd.Flags().Changed("max-session-duration") {
		roles = []string{""} // the one that is made up
	}
	longest, err := emulator.Seconds(o.roleMaxSeconds)
	if err != nil {
		return cli.Usagef(cmd, "--max-session-duration: %w", err)
	}
	for _, role := range roles {
		c.Roles = append(c.Roles, emulator.Role{ARN: role, MaxSessionDuration: longest})
	}
	duration, err := emulator.Seconds(o.profileSeconds)
	if err != nil {
		return cli.Usagef(cmd, "--profile-duration: %w", err)
	}
	for _, flag := range []string{"profile-arn", "profile-duration", "accept-role-session-name"} {
		if cmd.Flags().Changed(flag) {
			c.Profiles = append(c.Profiles, emulator.Profile{
				ARN: o.profile, Duration: duration, AcceptRoleSessionName: o.acceptName,
			})
			break
		}
	}
	return nil
}

// prepare gives the emulator its CRLs and faults.
func (o *options) prepare(e *emulator.Emulator, faults []emulator.Fault, s cli.Streams) error {
	for _, path := range o.crls {
		list, err := readFile("crl", path)
		if err != nil {
			return err
		}
		anchors, err := e.ImportCRL("", list)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		if len(anchors) > 1 {
			cli.Say(s.Err, name, "note", fmt.Sprintf("%s counts for each trust anchor of its CA: %s", path, strings.Join(anchors, ", ")))
		}
	}
	for _, f := range faults {
		if err := e.Inject(f); err != nil {
			return err
		}
	}
	return nil
}
