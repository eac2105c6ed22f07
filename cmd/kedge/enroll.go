package main

import (
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/credfile"
	"kedge/internal/csr"
	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
	"kedge/internal/hostkeys"
)

type enrollOptions struct {
	identityFlags
	argument, tokenFile string
	approval            approvalFlags // without a token
	name, keyGroup      string
	tpm                 tpmFlag
	token               string // URI of --pkcs11
	place               hostkeys.Place
	awsProfile          string
	force, noCheck      bool
	acceptSettings      bool
	systemd             bool
	json                bool

	// Checked:
	keys    enrollclient.Keys
	secret  config.Password  // where the token is
	section credfile.Section // of --aws-profile
	access  hostdir.Access
}

func newEnroll(h host, run func(context.Context, *enrollOptions) error) *cobra.Command {
	o := &enrollOptions{identityFlags: identityFlags{host: h}}
	cmd := &cobra.Command{
		Use:   "enroll [TOKEN | URL --ca-fingerprint HASH]",
		Short: "Get the first certificate of this host, with a token of the CA or its approval",
		Long: `Makes a private key, gets a certificate for it from the enrollment server of the CA, and checks that
both give credentials, if the server names a role. "kedge-ca token" makes the token, which says where
the server is and which key the CA has.

The files come into a folder: current/leaf.key, current/leaf.pem and current/bundle.pem. "kedge renew"
replaces them before the certificate expires. Run again, enroll does nothing, and needs no token for that:
--aws-profile can be given later. After an interruption it goes on with the same key, and the token is
good for that.

With --systemd, systemd renews the certificate from then on: the units of kedge-renew are written to
/etc/systemd/system, the user kedge and /var/lib/kedge are made, and the timer is started. Each file and
program is named. Of a host that root enrolled before, the user kedge gets the files; that needs no token.

The server may name a role, too. If a later answer names one in another AWS account or partition,
renewals do not take it: kedge enroll --accept-settings does, which needs no token.

The token is read from --token-file, else from KEDGE_TOKEN, else it is asked for on the terminal. As
an argument it is visible to every user of this machine for a moment: only for one that is used once.

Without a token, with the URL of the server and the hash of the CA's key, enroll sends a request and
waits until the operator of the CA has approved it. It prints the ID of the request, which the operator
must see in "kedge-ca pending". Run again, it goes on waiting for the same.`,
		Example: `  kedge enroll --token-file web-01.token
  kedge enroll --token-file web-01.token --systemd
  kedge enroll --token-file - --tpm --aws-profile default
  kedge enroll https://ca.example.com:8443 --ca-fingerprint 6b1f...e2 --name web-01
  kedge enroll --pkcs11 'pkcs11:token=kedge;object=web-01' --key-password-from /etc/kedge/pin
  KEDGE_TOKEN=kedge1_... kedge enroll --name web-01 --dir /var/lib/kedge/web-01 --key-group www-data
  kedge enroll --dir /var/lib/kedge/web-01 --aws-profile default
  kedge enroll --accept-settings`,
		Args:    o.takeArguments,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.validate(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.addFlags(cmd)
	return cmd
}

func (o *enrollOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.tokenFile, "token-file", "", "file with the token: PATH, fd:N, or - (standard input)")
	flags.StringVar(&o.name, "name", "", "common `NAME` to ask for (default: the one that the token is for)")
	o.add(flags, "`FOLDER` for key and certificate (default: one with the name of the host in /var/lib/kedge, or for users other than root in ~/.local/state/kedge; KEDGE_STATE_DIR names another place)")
	o.approval.add(flags)
	flags.Var(&o.tpm, "tpm", "make the key in the TPM, or use the one of this `[URI]`, as in tpm:handle=0x81000010")
	flags.Lookup("tpm").NoOptDefVal = "true"
	flags.StringVar(&o.token, "pkcs11", "", "use the key on the token of this `URI`, as in pkcs11:token=LABEL;object=NAME, and make it if it is not there")
	cli.AddKeyType(flags, &o.place.Type, "P-256", "; TPMs and tokens have fewer")
	cli.AddPasswordFrom(flags, &o.place.PasswordFrom, "PIN of the token, or auth value of the key in a TPM, for renewals as well")
	cli.AddPKCS11Library(flags, &o.place.Library)
	flags.StringVar(&o.keyGroup, "key-group", "", "let this `GROUP` read the key, too")
	flags.StringVar(&o.awsProfile, "aws-profile", "", "write this `PROFILE` of ~/.aws/config, as kedge configure does")
	flags.BoolVar(&o.noCheck, "no-check", false, "do not get credentials to see that it works")
	flags.BoolVar(&o.force, "force", false, "enroll anew, even if this host is enrolled")
	flags.BoolVar(&o.acceptSettings, "accept-settings", false, "renew the certificate, and take the AWS account, role and region that the server names now")
	flags.BoolVar(&o.systemd, "systemd", false, "as root: install kedge-renew.timer, and enroll as its user, kedge")
	cli.AddJSON(flags, &o.json)
	cli.RefuseEmpty(flags, "token-file")
	cmd.MarkFlagsMutuallyExclusive("tpm", "pkcs11")
	for _, other := range []string{"dir", "aws-profile", "accept-settings"} {
		cmd.MarkFlagsMutuallyExclusive("systemd", other)
	}
}

// takeArguments takes the token, and the URI of --tpm where it stands after a space.
func (o *enrollOptions) takeArguments(_ *cobra.Command, args []string) error {
	for _, arg := range args {
		switch {
		case o.tpm == anyTPM && strings.HasPrefix(arg, "tpm:"):
			o.tpm = tpmFlag(arg)
		case o.approval.url == "" && o.argument == "" && strings.Contains(arg, "://"):
			o.approval.url = arg
		case o.argument == "":
			o.argument = arg
		default:
			return fmt.Errorf("unexpected argument: enroll takes one token")
		}
	}
	return nil
}

func (o *enrollOptions) validate(cmd *cobra.Command) (err error) {
	if err := o.check(cmd); err != nil {
		return err
	}
	if err := o.checkAccepting(cmd); err != nil {
		return err
	}
	if err := o.checkArgument(cmd); err != nil {
		return err
	}
	if err := o.checkApproval(cmd); err != nil {
		return err
	}
	if o.secret, err = config.NewPassword("token-file", o.tokenFile); err != nil {
		return usage(cmd, err)
	}
	if o.place.URI = string(o.tpm) + o.token; o.token != "" && !strings.HasPrefix(o.token, "pkcs11:") {
		return cli.Usagef(cmd, "--pkcs11: %q does not begin with \"pkcs11:\"", o.token)
	}
	if o.name != "" {
		if _, err := (&csr.Names{Name: o.name}).Request(); err != nil {
			return cli.Usagef(cmd, "--name: %w", err)
		}
	}
	if o.awsProfile != "" {
		if o.section, err = credfile.NewSection(credfile.Config, o.awsProfile); err != nil {
			return cli.Usagef(cmd, "--aws-profile: %w", err)
		}
	}
	if o.keys, err = hostkeys.New(o.place, o.inputs); err != nil {
		return cli.Usagef(cmd, "%w", err)
	}
	if o.systemd {
		return nil // which makes the group kedge
	}
	return usage(cmd, o.lookUpGroup())
}

// checkArgument refuses an argument where the token is elsewhere.
func (o *enrollOptions) checkArgument(cmd *cobra.Command) error {
	if info, err := os.Stat(o.argument); err == nil && info.Mode().IsRegular() && !strings.HasPrefix(o.argument, "kedge1_") {
		return &cli.UsageError{Command: cmd.CommandPath(), Hint: "give it with --token-file " + o.argument, Err: fmt.Errorf("%s is a file, and not a token", o.argument)}
	}
	if o.argument != "" && o.tokenFile != "" {
		return cli.Usagef(cmd, "the token is given twice: as an argument and with --token-file")
	}
	return nil
}

// lookUpGroup finds the group of --key-group.
func (o *enrollOptions) lookUpGroup() (err error) {
	if o.keyGroup == "" {
		return nil
	}
	if o.access, err = hostdir.GroupAccess(o.keyGroup); err != nil {
		return &config.FlagError{Flag: "key-group", Err: err}
	}
	return nil
}

func runEnroll(ctx context.Context, o *enrollOptions) error {
	if o.acceptSettings {
		return o.accept(ctx)
	}
	if o.systemd {
		return o.enrollUnderSystemd(ctx)
	}
	token, done, err := o.tokenOr()
	if err != nil {
		return err
	}
	if done != nil {
		return o.finish(ctx, done)
	}
	base := ""
	if o.dir == "" {
		if base, err = config.StateDir(o.environment); err != nil {
			return err
		}
	}
	return o.enroll(ctx, token, base)
}

// enroll gets the first certificate, into a folder below base unless --dir names one.
func (o *enrollOptions) enroll(ctx context.Context, token enrollapi.Token, base string) error {
	e := enrollclient.Enrolling{
		Connection: o.connection, Token: token, Name: o.name, Dir: o.dir, Base: base, Access: o.access, Keys: o.keys, Force: o.force,
	}
	if o.approval.url != "" {
		e.Approval = o.waiting()
	}
	ctx, stop := interruptible(ctx)
	defer stop()
	got, err := enrollclient.Enroll(ctx, e)
	if err != nil {
		return hostkeys.Named(err)
	}
	if got.Already && o.approval.url == "" && got.Pair.Record.Token != token.IDText() {
		return o.finishUnused(ctx, got)
	}
	return o.finish(ctx, got)
}

// finish reports the identity that the host has, and sees that it can be used.
func (o *enrollOptions) finish(ctx context.Context, got *enrollclient.Enrolled) error {
	if err := got.Ended(); err != nil {
		return err
	}
	o.announce(got)
	if !got.Already || o.awsProfile != "" {
		if err := o.use(ctx, got); err != nil {
			return err
		}
	}
	if !got.Already && o.awsProfile == "" {
		o.sayHowToUse(got)
	}
	return o.printResult(got)
}

// printResult prints what --json is for.
func (o *enrollOptions) printResult(got *enrollclient.Enrolled) error {
	if !o.json {
		return nil
	}
	return o.printJSON(struct {
		Schema int `json:"schema"`
		enrollclient.Status
		Already bool `json:"already"`
	}{1, enrollclient.StatusOf(got.Dir, got.Pair), got.Already})
}

// announce reports the identity that the host now has.
func (o *enrollOptions) announce(got *enrollclient.Enrolled) {
	r := got.Pair.Record
	if got.Already {
		o.done(fmt.Sprintf("%s is enrolled at %s already, in %s: nothing was changed; with --force and a new token it is enrolled anew, as after a revocation", r.Name, r.Server, got.Dir))
		return
	}
	if got.Resumed {
		o.done("the key is the one that an interrupted run made")
	}
	next := "run kedge renew every few minutes, by a timer or cron"
	switch {
	case o.systemd:
		next = "kedge-renew.timer renews it"
	case o.dir != "":
		next = "run kedge renew --dir " + got.Dir + " every few minutes, by a timer or cron"
	}
	o.done(fmt.Sprintf("%s is enrolled: certificate %s until %s, in %s; %s", r.Name, r.Serial, got.Pair.Leaf.NotAfter.UTC().Format(time.RFC3339), got.Dir, next))
}
