package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/doctor"
	"kedge/internal/enrollclient"
	"kedge/internal/role"
)

type doctorOptions struct {
	host
	roleFlags
	cache         cacheFlags
	json          bool
	limits        doctor.Limits        // shorter ones, in tests
	configuration doctor.Configuration // after read
	command       []string             // whose credentials are asked for; empty: those of all tools
}

func newDoctorOptions(h host) *doctorOptions {
	return &doctorOptions{host: h, roleFlags: roleFlags{settingFlags: settingFlags{shared: true}}}
}

func (o *doctorOptions) addFlags(flags *pflag.FlagSet) {
	o.add(flags)
	o.cache.add(flags)
	cli.AddJSON(flags, &o.json)
}

func newDoctor(h host, run func(context.Context, *doctorOptions) error) *cobra.Command {
	o := newDoctorOptions(h)
	cmd := &cobra.Command{
		Use:   "doctor [flags] [-- <command> [argument...]]",
		Short: "Find out why there are no credentials",
		Long: `Checks everything that credentials depend on, with the flags, variables and configuration of
credential-process: settings, files, certificate and key, hardware, the way to the service, the
clock, a session, the cache, a running kedge serve, and the renewal of an enrolled host; then, for
the AWS CLI and each SDK, which credentials it would use here. After -- comes a command for which
that must be those of kedge; it is not run. For each check it prints what was seen and what to do, if possible as a command to paste.

Where neither flags nor variables nor the configuration name a certificate or a role, it examines the
identity of this user, if there is one alone, else the credential_process of the AWS profile.

It changes nothing. It makes one session, asks STS whose that is, and forgets it. A PIN is tried
once, and not at all if a wrong one would lock the token. The report has no secrets: with --json
it can be sent to the administrator of the AWS account.

The exit code is 0 if no check failed, else that of the first one that did.`,
		Example: `  kedge doctor --profile backup
  kedge doctor
  kedge doctor --json > report.json
  kedge doctor -- aws s3 ls --profile backup`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				return fmt.Errorf("unexpected argument %q; a command comes after --", args[0])
			}
			return nil
		},
		PreRunE: func(cmd *cobra.Command, args []string) error {
			o.command = args
			o.read(cmd)
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	cmd.Flags().SetInterspersed(false) // what follows the command is the command's
	o.addFlags(cmd.Flags())
	return cmd
}

// read reads flags, variables and configuration as the other commands do. What is wrong with them is a finding,
// and no error.
func (o *doctorOptions) read(cmd *cobra.Command) {
	if err := o.takeDefault(cmd); err != nil {
		o.configuration.Fault, o.configuration.Err = doctor.Names, err
		return
	}
	o.settleAll(cmd)
}

// settleAll fills in what is not given.
func (o *doctorOptions) settleAll(cmd *cobra.Command) {
	c := &o.configuration
	if c.Err = fill(cmd, o.variables(cmd.Flags(), o.environment)); c.Err != nil {
		c.Fault = doctor.Names
		return
	}
	c.Err = o.settle(cmd, o.environment)
	c.Profile, c.Profiles = o.chosen, o.profiles()
	if o.file != nil {
		c.File = o.file.Path()
	}
	switch {
	case c.Err == nil:
		o.readTogether(cmd)
	case o.file == nil && !errors.Is(c.Err, errNoFile):
		c.Fault = doctor.File
	case o.file == nil || o.chosen != "" && !slices.Contains(c.Profiles, o.chosen):
		c.Fault = doctor.Profile
	default:
		c.Fault = doctor.Names
	}
}

// readTogether checks what the settings are together, and takes over what else a role needs.
func (o *doctorOptions) readTogether(cmd *cobra.Command) {
	s := &o.said
	s.KeyFlags, s.Given = o.KeyFlags, cmd.Flags().Changed
	err := o.checkGiven(cmd)
	if err == nil {
		s.Policy, err = role.ReadPolicy(o.policy, s.Assumed)
	}
	if err == nil {
		err = o.cache.check(cmd)
	}
	if err != nil {
		o.configuration.Fault, o.configuration.Err = doctor.Together, err
	}
}

func runDoctor(ctx context.Context, o *doctorOptions) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	o.say("note", "one session is made, if that is possible, and forgotten; nothing is changed")
	if taken := o.configuration.Taken; taken != "" {
		o.say("note", "nothing names a certificate: this is about "+taken)
	}
	e := doctor.New(o.examined())
	report := e.Run(ctx, doctor.Programs{Environment: o.environment, Command: o.command, Serves: e.Serves}.Checks()...)
	if err := o.printReport(report); err != nil {
		return err
	}
	if report.Code != cli.ExitDone {
		return &cli.StatusError{Code: report.Code}
	}
	return nil
}

// examined are the options of the examination.
func (o *doctorOptions) examined() doctor.Options {
	identity := identityFlags{host: o.host}
	proxy, err := config.Proxy(o.said.Proxy, config.ReadProxyVariables(o.environment.Lookup))
	if err != nil {
		proxy = nil // a finding
	}
	return doctor.Options{
		Configuration: o.configuration, Settings: o.said, Environment: o.environment, Host: o.forRole(o.debug), Cache: o.cache.folder,
		Server: enrollclient.Connection{Proxy: proxy, Roots: identity.roots, Now: o.inputs.Now, Version: cli.Version()},
		Advise: adviseDoctor, Limits: o.limits, Version: cli.Version(),
	}
}

func (o *doctorOptions) printReport(report *doctor.Report) error {
	if !o.json {
		return o.print(report.Text())
	}
	document, err := report.JSON()
	if err != nil {
		return err
	}
	return o.print(document)
}
