package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/credfile"
	"kedge/internal/refresh"
	"kedge/internal/role"
)

type updateOptions struct {
	host
	roleFlags
	role                *role.Config
	awsProfile, awsFile string
	once, retry         bool
	target              profileFile
}

func newUpdate(h host, run func(context.Context, *updateOptions) error) *cobra.Command {
	o := &updateOptions{host: h}
	o.chooser = "config-profile" // --profile is that of the official helper
	cmd := &cobra.Command{
		Use:   "update",
		Short: "Keep temporary credentials in a profile of ~/.aws/credentials",
		Long: `Writes temporary credentials to a profile of ~/.aws/credentials, or the file that
AWS_SHARED_CREDENTIALS_FILE names, and new ones before they expire, until SIGINT or SIGTERM. SIGHUP
reads key and certificate again, and writes new credentials. It goes on when the service or the
disk fails, and says so on standard error.

Every other byte of the file stays as it is. Readers never see a part of it, and several updaters
can write to one file. It needs a folder that it may write to, since the file is replaced. Where
programs can run a command instead, credential_process leaves no keys on the disk.`,
		Example: `  kedge update --profile backup --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.validate(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.awsProfile, "profile", "default", "profile to write")
	flags.BoolVar(&o.once, "once", false, "write credentials once, and end")
	flags.BoolVar(&o.retry, "retry-errors", true, "") // of the official helper: it is what is done
	hide(flags, "retry-errors")
	flags.StringVar(&o.awsFile, "file", "", "file to write (default: AWS_SHARED_CREDENTIALS_FILE, else ~/.aws/credentials)")
	cli.RefuseEmpty(flags, "file")
	o.add(flags)
	return cmd
}

func (o *updateOptions) validate(cmd *cobra.Command) (err error) {
	if err := o.settle(cmd, o.host.environment); err != nil {
		return err
	}
	if o.once && cmd.Flags().Changed("retry-errors") && o.retry {
		return cli.Usagef(cmd, "--once and --retry-errors cannot be used together")
	}
	if o.target, err = newProfileFile(cmd, credfile.Credentials, o.awsFile, o.awsProfile); err != nil {
		return err
	}
	o.role, err = o.resolve(cmd, o.host)
	return err
}

func runUpdate(ctx context.Context, o *updateOptions) error {
	if o.once {
		return updateOnce(ctx, o)
	}
	o.logClock(o.log())
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	r, err := role.Open(ctx, o.role, o.forRole(o.debug), role.Long)
	if err != nil {
		return err
	}
	log := o.log().With("file", o.target.path, "profile", o.awsProfile)
	r.WarnOfExpiry(func(text string) { log.Warn(text) })
	again := role.NewReopenable(r)
	defer again.Close()
	if err := o.warn(); err != nil {
		return err
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	w := &fileWriter{provider: again, target: o.target, now: o.inputs.Now}
	defer w.finish()
	refresher := refresh.New(w, refresh.Options{
		Now:     o.inputs.Now,
		Timeout: o.said.Timeout + time.Minute, // which is for the disk, and others who have the lock
		Log:     log,
	})
	var reloading sync.WaitGroup
	reloading.Go(func() { o.reloadAt(ctx, hangup, again, refresher.Renew) })
	defer reloading.Wait() // before the key is closed
	return refresher.Run(ctx)
}

func updateOnce(ctx context.Context, o *updateOptions) error {
	r, err := role.Open(ctx, o.role, o.forRole(o.debug), role.Once)
	if err != nil {
		return err
	}
	defer r.Close()
	if err := o.warn(); err != nil {
		return err
	}
	r.WarnOfExpiry(func(text string) { o.host.warn(text) })
	ctx, stop := interruptible(ctx)
	defer stop()
	w := &fileWriter{provider: r, target: o.target, now: o.inputs.Now}
	c, err := w.Retrieve(ctx)
	if err == nil {
		o.done(fmt.Sprintf("wrote credentials that are good until %s to %s", c.Expires.UTC().Format(time.RFC3339), o.target))
	}
	return err
}

func (o *updateOptions) log() *slog.Logger {
	return slog.New(slog.NewTextHandler(o.Err, &slog.HandlerOptions{Level: o.logLevel(o.debug)}))
}

// warn warns of what keeps SDKs from taking what will be written.
func (o *updateOptions) warn() error {
	found, err := credfile.Read(o.target.path, o.target.section)
	if err != nil {
		return err
	}
	o.target.warnAbout(o.host, found)
	o.warnRivals(found, o.target.path)
	o.warnRivals(o.target.beside(credfile.Config, o.awsProfile))
	return nil
}

// warnRivals warns of settings that some SDKs prefer to the keys of a profile, or do not stand
// beside them: botocore's order of providers, and resolveCredsFromProfile of the Go SDK.
func (o *updateOptions) warnRivals(found credfile.Profile, path string) {
	for _, key := range otherSources(found) {
		o.host.warn(fmt.Sprintf("%s has %s in the profile %q: some AWS SDKs may take credentials from there, not those written to %s", path, key, o.awsProfile, o.target.path))
	}
}

// otherSources are the settings of a profile that say where credentials come from, besides keys.
func otherSources(found credfile.Profile) []string {
	var keys []string
	for _, key := range []string{"role_arn", "credential_source", "web_identity_token_file", "sso_session", "sso_account_id", "login_session", "credential_process"} {
		if found.Settings[key] != "" {
			keys = append(keys, key)
		}
	}
	return keys
}
