package main

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/caadvice"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostcert"
)

type renewOptions struct {
	caOptions
	form       formFlags
	profile    string
	issuer     string
	lifetime   time.Duration
	why        string
	allow      allowFlag
	revokedKey bool
	out        string
	authority  string
	confirm    confirmFlag
	keys       leafKeyFlags // of rekey

	rekey   bool
	targets []string
	from    string // hosts.csv
	all     bool
	within  ca.Duration
	workers int
}

func newRenew(h host, run func(context.Context, *renewOptions) error) *cobra.Command {
	o := &renewOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "renew <name | file | serial>... | --from <hosts.csv> | --all | --within <time> | --authority <name>",
		Short: "Renew certificates: the same key and names, a new validity",
		Long: `Renew certificates of the ledger: the same key and names, a new serial and validity. What is
named is NAME.pem in the folder of --out, another file, or a name, serial, fingerprint or subject
in the ledger; a pattern such as 'web-*' names all of these files or, when there are none, all
names in the ledger. The certificate and its chain are replaced where they are; NAME.key stays as
it is.

--from names the hosts in a list as for issue, --all every NAME.pem in the folder, and --within
what of it expires within a time; alone, --within is for all. What can be renewed is, the rest is
listed with the reasons, and the exit code is 1 then.

A run that was interrupted is gone on with: what was renewed is not renewed again.

With --authority, the certificate of an authority of the CA is renewed, by the one above it or,
for the root, by itself. A renewed root must be registered at IAM Roles Anywhere. It asks, or
needs --yes, when the authority would end sooner than now.`,
		Example: `  kedge-ca renew web-01
  kedge-ca renew web-01.pem --lifetime 72h --why "longer until the move"
  kedge-ca renew 'web-*' --within 8h
  kedge-ca renew --all --within 30h
  kedge-ca renew --authority ca`,
		Args: func(_ *cobra.Command, args []string) error {
			if o.authority == "" {
				return o.named(args, "give what to renew: kedge-ca renew NAME")
			}
			if len(args) > 0 || o.several() {
				return errors.New("--authority: renew it alone, without names beside it")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.targets = args
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.authority, "authority", "", "`NAME` of an authority of the CA to renew instead; the root's is ca")
	o.confirm.add(cmd)
	return cmd
}

func newRekey(h host, run func(context.Context, *renewOptions) error) *cobra.Command {
	o := &renewOptions{caOptions: caOptions{host: h}, rekey: true}
	cmd := &cobra.Command{
		Use:   "rekey <name | file>... | --from <hosts.csv> | --all | --within <time>",
		Short: "Give certificates a new key: the same names, a new validity",
		Long: `Make a new key and a certificate with the same names as the old one. What is named is NAME.pem
in the folder of --out, another file, or with a pattern such as 'web-*' several of them; NAME.key
beside it is replaced together with it: the new key has the group and mode of the old one, but is
never readable by all users. The old certificate stays valid until it expires or is revoked.

--from names the hosts in a list as for issue, --all every NAME.pem in the folder, and --within
what of it expires within a time; alone, --within is for all. What can be rekeyed is, the rest is
listed with the reasons, and the exit code is 1 then.

The new key lies in NAME.key.new until its certificate is there. A run that was interrupted is
gone on with by the next one.`,
		Example: `  kedge-ca rekey web-01
  kedge-ca rekey web-02.pem --key-type P-384
  kedge-ca rekey 'db-*'`,
		Args: func(_ *cobra.Command, args []string) error {
			return o.named(args, "give what to rekey: kedge-ca rekey NAME")
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			o.targets = args
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.keys.add(cmd)
	return cmd
}

func (o *renewOptions) add(cmd *cobra.Command) {
	o.addKeys(cmd)
	o.form.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", ".", "`PATH` of the folder with the files of NAME")
	flags.StringVar(&o.profile, "profile", "", "`NAME` of the profile; the one it was issued by when not given")
	flags.StringVar(&o.issuer, "issuer", "", "`NAME` of the authority that issues; the ledger's issuing one when not given")
	flags.Var((*lifetime)(&o.lifetime), "lifetime", "`TIME` that the certificate is valid; as long as the old one, but no longer than the profile allows, when not given")
	flags.StringVar(&o.why, "why", "", "`TEXT` for the ledger: why it is renewed")
	flags.StringVar(&o.from, "from", "", "`FILE` with a line for each host, or - for standard input")
	flags.BoolVar(&o.all, "all", false, "every NAME.pem in the folder of --out")
	flags.TextVar(&o.within, "within", ca.Duration(0), "only what expires within the `TIME` from now, such as 8h or 7d")
	flags.Lookup("within").DefValue = ""
	flags.IntVar(&o.workers, "workers", defaultWorkers, "`NUMBER` of certificates that are made at once")
	cmd.MarkFlagsMutuallyExclusive("from", "all")
	o.allow.add(cmd)
	addRevokedKey(cmd, &o.revokedKey)
}

func (o *renewOptions) check(cmd *cobra.Command) error {
	if o.lifetime < 0 || o.lifetime == 0 && cmd.Flags().Changed("lifetime") {
		return cli.Usagef(cmd, "--lifetime: %v is not a time to live", o.lifetime)
	}
	if o.within < 0 {
		return cli.Usagef(cmd, "--within: %v must be positive", o.within)
	}
	if err := checkWorkers(cmd, o.workers); err != nil {
		return err
	}
	if o.from == "-" && (o.store.password == "-" || o.form.from == "-") {
		return cli.Usagef(cmd, "--from: standard input is read for a password already")
	}
	if err := o.form.check(cmd, o.store.password); err != nil {
		return err
	}
	if o.rekey {
		if err := o.keys.check(cmd); err != nil {
			return err
		}
	}
	return config.CheckFolder("out", o.out)
}

// several reports whether a flag selects several certificates.
func (o *renewOptions) several() bool { return o.from != "" || o.all || o.within > 0 }

// named checks that certificates are selected, and in one way only.
func (o *renewOptions) named(args []string, missing string) error {
	switch {
	case len(args) == 0 && !o.several():
		return errors.New(missing)
	case len(args) > 0 && o.from != "":
		return errors.New("--from: the names are in the file; give none beside it")
	case len(args) > 0 && o.all:
		return errors.New("--all: it is for all names; give none beside it")
	}
	return nil
}

func runRenew(ctx context.Context, s *store, o *renewOptions) error {
	if o.authority != "" {
		return o.renewAuthority(ctx, s)
	}
	renewer := o.renewer(s)
	what := hostcert.Named{Words: o.targets, All: len(o.targets) == 0 && o.from == ""}
	if o.from != "" {
		rows, err := o.readHosts(o.from)
		if err != nil {
			return err
		}
		for _, row := range rows {
			what.Hosts = append(what.Hosts, row.Name)
		}
	}
	w, err := renewer.Plan(ctx, what)
	if err != nil {
		return err
	}
	if w.Len() > 0 {
		if err := o.carryOut(ctx, s, w); err != nil {
			return err
		}
	}
	return o.report(w)
}

func (o *renewOptions) renewer(s *store) *hostcert.Renewer {
	r := &hostcert.Renewer{
		Service: s.Service, Ledger: s.Ledger, Now: o.inputs.Now, Out: o.out, Format: o.form.format(), Workers: o.workers,
		Terms:      ca.Renewal{Lifetime: o.lifetime, AllowWarnings: o.allow, Why: o.why, AllowRevokedKey: o.revokedKey},
		Within:     time.Duration(o.within),
		AffectsAll: caadvice.AffectsAll,
		Profile: func(c ledger.Certificate) (*ca.Profile, error) {
			return s.Settings.SuccessorProfile(o.profile, c.Subject, c.Profile)
		},
	}
	if o.rekey {
		r.NewKey = o.keys.generate
	}
	return r
}

// carryOut reads the password of the files, opens the authority and renews.
func (o *renewOptions) carryOut(ctx context.Context, s *store, w *hostcert.Renewals) error {
	if err := o.form.readPassword(o.host, "the PKCS#12 file"); err != nil {
		return err
	}
	i, err := s.hostIssuer(ctx, o.issuer, &o.form)
	if err != nil {
		return err
	}
	ctx, stop := cli.UntilSignal(ctx) // certificates in progress are finished
	defer stop()
	bar := cli.NewProgress(o.Err, o.inputs.Now, w.Len())
	defer bar.End()
	w.Run(ctx, i, func() { bar.Add(1) })
	return nil
}

// report writes the results, and returns an error if something was not renewed.
func (o *renewOptions) report(w *hostcert.Renewals) error {
	failed := w.Err()
	if len(w.Failed) == 1 && failed == w.Failed[0].Err { // the only certificate that was named
		return failed
	}
	notes, err := w.Notes()
	if o.note(notes); err != nil {
		return err
	}
	if !o.output.json {
		return failed
	}
	head := w.FailedJSON(func(err error) string { return advise(err).Hint })
	return errors.Join(failed, o.writeResults(head, w.Done))
}
