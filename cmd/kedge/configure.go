package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/credfile"
	"kedge/internal/trial"
)

type configureOptions struct {
	host
	roleFlags
	cache                          cacheFlags
	awsProfile, awsFile, awsRegion string
	program, endpointURL           string
	dryRun, noCheck                bool

	target   profileFile
	settings []credfile.Setting
}

func newConfigure(h host, run func(context.Context, *configureOptions) error) *cobra.Command {
	o := &configureOptions{host: h}
	o.chooser = "config-profile" // --profile is that of the AWS files, as in update
	cmd := &cobra.Command{
		Use:   "configure",
		Short: "Write a profile of ~/.aws/config that gets its credentials from kedge",
		Long: `Writes a profile to ~/.aws/config, or the file that AWS_CONFIG_FILE names, whose
credential_process is this program with the flags given here: with absolute paths, and quoted so
that every AWS SDK takes the line apart in the same way. It runs the line before, as the SDKs
do, and writes nothing that does not work. Every other byte of the file stays as it is.

With --endpoint-url the profile names a running "kedge serve" as the instance metadata service
instead. For its container endpoint there are environment variables only: serve prints them.`,
		Example: `  kedge configure --profile backup --aws-region eu-west-1 \
    --certificate /etc/kedge/web-01.pem --private-key /etc/kedge/web-01.key \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>
  kedge configure --profile backup --endpoint-url http://127.0.0.1:9911 --dry-run`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.validate(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.awsProfile, "profile", "default", "profile to write")
	flags.StringVar(&o.awsFile, "file", "", "file to write (default: AWS_CONFIG_FILE, else ~/.aws/config)")
	flags.StringVar(&o.awsRegion, "aws-region", "", "write this region to the profile, too")
	flags.StringVar(&o.program, "program", "", "program to run (default: this one)")
	flags.StringVar(&o.endpointURL, "endpoint-url", "", "address of a running kedge serve, such as http://127.0.0.1:9911")
	flags.BoolVar(&o.dryRun, "dry-run", false, "print what would change, as a diff, and neither run nor write anything")
	flags.BoolVar(&o.noCheck, "no-check", false, "write the profile without running what it says")
	cli.RefuseEmpty(flags, "file", "program")
	o.add(flags)
	o.cache.add(flags)
	return cmd
}

func (o *configureOptions) validate(cmd *cobra.Command) (err error) {
	if err := o.settle(cmd, o.host.environment); err != nil {
		return err
	}
	if o.target, err = newProfileFile(cmd, credfile.Config, o.awsFile, o.awsProfile); err != nil {
		return err
	}
	if err := checkRegion(cmd, o.awsRegion); err != nil {
		return err
	}
	if o.endpointURL != "" {
		o.settings, err = o.endpointSettings(cmd)
	} else {
		o.settings, err = o.processSettings(cmd)
	}
	if o.awsRegion != "" {
		o.settings = append(o.settings, credfile.Setting{Key: "region", Value: o.awsRegion})
	}
	return err
}

// endpointSettings returns the settings for the endpoint. credential_source is not among them: it
// is for role_arn only, and without either the SDKs use the instance metadata service last.
func (o *configureOptions) endpointSettings(cmd *cobra.Command) ([]credfile.Setting, error) {
	for _, flag := range []string{"certificate", "private-key", "role-arn", "trust-anchor-arn", "profile-arn"} {
		if cmd.Flags().Changed(flag) && originOf(cmd, flag) == "" {
			return nil, cli.Usagef(cmd, "--endpoint-url and --%s cannot be used together: the role is that of the server", flag)
		}
	}
	u, err := url.Parse(o.endpointURL)
	if err != nil || u.Scheme != "http" || u.Host == "" || u.Path != "" && u.Path != "/" || u.RawQuery != "" || u.User != nil {
		return nil, badValue(cmd, "endpoint-url", errors.New("not an address like http://127.0.0.1:9911"))
	}
	return []credfile.Setting{{Key: "ec2_metadata_service_endpoint", Value: "http://" + u.Host + "/"}}, nil // botocore adds no slash
}

func (o *configureOptions) processSettings(cmd *cobra.Command) ([]credfile.Setting, error) {
	if _, err := o.resolve(cmd, o.host); err != nil {
		return nil, err
	}
	if err := o.cache.check(cmd); err != nil {
		return nil, err
	}
	program := o.program
	if program == "" {
		var err error
		if program, err = os.Executable(); err != nil {
			return nil, fmt.Errorf("find out where this program is: %w", err)
		}
	}
	line, err := o.line(cmd, absolute(program))
	return []credfile.Setting{{Key: "credential_process", Value: line}}, err
}

// try uses the settings as the SDKs will.
func (o *configureOptions) try(ctx context.Context) error {
	value := o.settings[0].Value
	if o.endpointURL != "" {
		return trial.Endpoint(ctx, value)
	}
	return trial.Process(ctx, value, o.Err)
}

func runConfigure(ctx context.Context, o *configureOptions) error {
	found, err := credfile.Read(o.target.path, o.target.section)
	if err != nil {
		return err
	}
	if err := o.checkRivals(found); err != nil {
		return err
	}
	before, after, err := credfile.Preview(o.target.path, o.target.section, o.settings)
	if err != nil {
		return err
	}
	if problem := credfile.Problem(after); problem != nil {
		return &unreadableError{o.target.path, problem}
	}
	o.warn()
	if o.dryRun {
		return o.print([]byte(credfile.Diff(o.target.path, before, after)))
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	if !o.noCheck {
		if err := o.try(ctx); err != nil {
			return err
		}
	}
	if err := credfile.Update(ctx, o.target.path, o.target.section, o.settings); err != nil {
		return err
	}
	if err := o.readBack(); err != nil {
		return err
	}
	o.report(before != after)
	return nil
}

// report reports which settings are in which file.
func (o *configureOptions) report(changed bool) {
	var keys []string
	for _, s := range o.settings {
		keys = append(keys, s.Key)
	}
	what := strings.Join(keys, " and ")
	if changed {
		o.done(fmt.Sprintf("wrote %s to %s", what, o.target))
		return
	}
	o.done(fmt.Sprintf("nothing to write to %s: it has the same %s", o.target, what))
}

// readBack checks that the file now has the settings that were tried.
func (o *configureOptions) readBack() error {
	now, err := credfile.Read(o.target.path, o.target.section)
	if err != nil {
		return err
	}
	for _, s := range o.settings {
		if now.Settings[s.Key] != s.Value {
			return fmt.Errorf("%s: %s was changed by somebody else just now", o.target.path, s.Key)
		}
	}
	return nil
}

// checkRivals refuses a profile that gets its credentials from another source: it would keep using
// that, or the SDKs would refuse it.
func (o *configureOptions) checkRivals(found credfile.Profile) error {
	for _, key := range append(otherSources(found), "source_profile", "aws_access_key_id") {
		if found.Settings[key] == "" || key == "credential_process" && o.endpointURL == "" {
			continue
		}
		return &rivalError{path: o.target.path, profile: o.awsProfile, key: key}
	}
	return nil
}

// rivalError reports a profile that gets its credentials from another source.
type rivalError struct{ path, profile, key string }

func (e *rivalError) Error() string {
	return fmt.Sprintf("%s: the profile %q has %s, which the AWS SDKs may prefer", e.path, e.profile, e.key)
}

// warn warns of sources that the SDKs would prefer to the profile.
func (o *configureOptions) warn() {
	if other, path := o.target.beside(credfile.Credentials, o.awsProfile); other.Settings["aws_access_key_id"] != "" {
		o.host.warn(fmt.Sprintf("%s has keys in the profile %q: the AWS SDKs take those; remove them", path, o.awsProfile))
	}
	for _, name := range config.KeyVariables() {
		o.host.warn(name + " is set: the AWS SDKs prefer it to a profile that AWS_PROFILE names; unset it")
	}
}
