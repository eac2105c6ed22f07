package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/enrollclient"
	"kedge/internal/filelock"
	"kedge/internal/hostkeys"
)

type renewOptions struct {
	identityFlags
	everything, force, status, json bool
	hooks                           []string
	hookTimeout                     time.Duration
	every                           time.Duration // 0: once
}

func newRenew(h host, run func(context.Context, *renewOptions) error) *cobra.Command {
	o := &renewOptions{identityFlags: identityFlags{host: h}}
	cmd := &cobra.Command{
		Use:   "renew",
		Short: "Renew the certificate of an enrolled host when it is due",
		Long: `Asks the server that the host enrolled at for the next certificate, if the present one is due, and
exits 0 if there is nothing to do: a timer or cron runs it every few minutes. A key in a file is
replaced with each renewal; one in a TPM or on a token stays.

The new pair comes into use after it was checked, by one rename of the link "current"; the pair
before stays beside it. After a failure the old pair stays in use, and for up to 15 minutes the next
runs leave the server alone. A certificate that has expired is renewed as well, for as long as the CA
allows it.

Each --exec is a program with its arguments, in quotes where they have spaces; there is no shell. It
runs once for each certificate that is in use, the first one included, with KEDGE_RENEWED_DIR,
KEDGE_RENEWED_NAME and KEDGE_RENEWED_SERIAL set. If it fails, the exit code is 1, the certificate stays
in use, and the next run with the same --exec runs it again.

With --every it goes on until SIGTERM, for containers, which have neither timer nor cron. A failure is
reported, and the next turn comes all the same.`,
		Example: `  kedge renew
  kedge renew --exec 'systemctl reload nginx' --exec "sh -c 'cat current/leaf.* > both.pem'"
  kedge renew --all --quiet
  kedge renew --dir /var/lib/kedge/web-01 --force
  kedge renew --all --quiet --every 5m
  kedge renew --status`,
		Args: cobra.NoArgs,
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if o.json && !o.status {
				return cli.Usagef(cmd, "--json: only --status prints something; add it")
			}
			if err := o.checkHooks(cmd); err != nil {
				return err
			}
			if err := o.checkEvery(cmd); err != nil {
				return err
			}
			return o.check(cmd)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.add(flags, "`FOLDER` of the identity (default: the only one that this user has)")
	flags.BoolVar(&o.everything, "all", false, "renew every identity of this user that is due")
	flags.BoolVar(&o.force, "force", false, "renew now, due or not")
	flags.BoolVar(&o.status, "status", false, "print what is due when, and ask no server")
	flags.Var((*texts)(&o.hooks), "exec", "`command` to run once after each renewal; may be repeated")
	flags.DurationVar(&o.hookTimeout, "exec-timeout", 2*time.Minute, "how long each of them may run")
	flags.DurationVar(&o.every, "every", 0, "go on until SIGTERM, and renew what is due after each `TIME`, such as 5m")
	cli.AddJSON(flags, &o.json)
	cmd.MarkFlagsMutuallyExclusive("dir", "all")
	cmd.MarkFlagsMutuallyExclusive("every", "status")
	cmd.MarkFlagsMutuallyExclusive("every", "force")
	cmd.MarkFlagsMutuallyExclusive("force", "status")
	cmd.MarkFlagsMutuallyExclusive("exec", "status")
	return cmd
}

func runRenew(ctx context.Context, o *renewOptions) error {
	if o.every != 0 {
		return o.renewEvery(ctx)
	}
	dirs, err := o.chosen()
	if err != nil {
		return err
	}
	if o.status {
		return o.printStatus(dirs)
	}
	return o.renewAll(ctx, dirs)
}

// renewAll renews what is due in some folders, and returns the last error; the others are reported. An
// interruption is the last.
func (o *renewOptions) renewAll(ctx context.Context, dirs []string) error {
	var failed []error
	for _, dir := range dirs {
		err := o.renew(ctx, dir)
		if err != nil {
			failed = append(failed, fmt.Errorf("%s: %w", filepath.Base(dir), err))
		}
		if errors.Is(err, context.Canceled) {
			break
		}
	}
	if len(failed) == 0 {
		return nil
	}
	for _, err := range failed[:len(failed)-1] {
		o.sayError(err)
	}
	return failed[len(failed)-1]
}

// chosen returns the folders of the identities that are meant.
func (o *renewOptions) chosen() ([]string, error) {
	if o.everything || o.status && o.dir == "" {
		return o.all()
	}
	dir, err := o.one()
	return []string{dir}, err
}

// renew renews one identity and reports the result.
func (o *renewOptions) renew(ctx context.Context, dir string) error {
	r := enrollclient.Renewing{Connection: o.connection, Dir: dir, Force: o.force, Keys: o.keysOf, Hooks: o.hooks, RunHook: o.hookIn(dir)}
	got, err := enrollclient.Idle(r) // most runs have nothing to do, and nothing to interrupt
	if got == nil && err == nil {
		limited, stop := interruptible(ctx)
		defer stop()
		got, err = enrollclient.Renew(limited, r)
	}
	if errors.As(err, new(*filelock.HeldError)) {
		o.done(dir + " is being renewed by another process")
		return nil
	}
	if got != nil {
		o.report(dir, got)
	}
	return hostkeys.Named(err)
}

// report tells what came of one identity.
func (o *renewOptions) report(dir string, got *enrollclient.Renewed) {
	name := got.Pair.Record.Name
	switch {
	case got.Waiting:
		o.warn(fmt.Sprintf("%s: the last try to renew failed: %s; the next one is after %s", name, got.State.Error, got.State.NextTry.UTC().Format(time.RFC3339)))
	case !got.Done:
		o.done(fmt.Sprintf("%s is due at %s: nothing to do before", name, enrollclient.RenewAt(got.Pair.Record).Format(time.RFC3339)))
	default:
		o.done(fmt.Sprintf("%s is renewed: certificate %s until %s", name, got.Pair.Record.Serial, got.Pair.Leaf.NotAfter.UTC().Format(time.RFC3339)))
	}
	if got.Offered != nil {
		o.warn(fmt.Sprintf("%s: the server names another AWS account, with the role %s, which was not taken; if that is right, run: kedge enroll --accept-settings --dir %s", name, got.Offered.RoleARN, dir))
	}
}
