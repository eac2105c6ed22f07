package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/hostfiles"
	"kedge/internal/report"
)

type renewOptions struct {
	host
	store      storeFlags
	output     outputFlags
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
	opened  *store
}

func newRenew(h host, run func(context.Context, *renewOptions) error) *cobra.Command {
	o := &renewOptions{host: h}
	cmd := &cobra.Command{
		Use:   "renew <name | file | serial>... | --authority <name>",
		Short: "Renew certificates: the same key and names, a new validity",
		Long: `Renew certificates of the ledger: the same key and names, a new serial and validity. What is
named is NAME.pem in the folder of --out, another file, or a serial, fingerprint or subject in the
ledger. The certificate and its chain are replaced where they are; NAME.key stays as it is.

A run that was interrupted is gone on with: what was renewed is not renewed again.

With --authority, the certificate of an authority of the CA is renewed, by the one above it or,
for the root, by itself. A renewed root must be registered at IAM Roles Anywhere. It asks, or
needs --yes, when the authority would end sooner than now.`,
		Example: `  kedge-ca renew web-01
  kedge-ca renew web-01.pem --lifetime 72h --why "longer until the move"
  kedge-ca renew --authority ca`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && o.authority == "":
				return errors.New("give what to renew: kedge-ca renew NAME")
			case len(args) > 0 && o.authority != "":
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
	o := &renewOptions{host: h, rekey: true}
	cmd := &cobra.Command{
		Use:   "rekey <name | file>...",
		Short: "Give certificates a new key: the same names, a new validity",
		Long: `Make a new key and a certificate with the same names as the old one. What is named is NAME.pem
in the folder of --out, or another file; NAME.key beside it is replaced together with it. The old
certificate stays valid until it expires or is revoked.

The new key lies in NAME.key.new until its certificate is there. A run that was interrupted is
gone on with by the next one.`,
		Example: `  kedge-ca rekey web-01
  kedge-ca rekey web-02.pem --key-type P-384`,
		Args: atLeastOne("give what to rekey: kedge-ca rekey NAME"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.targets = args
			if err := o.check(cmd); err != nil {
				return err
			}
			if err := o.keys.check(cmd); err != nil {
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
	o.store.add(cmd)
	o.output.add(cmd)
	o.form.add(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.out, "out", ".", "`PATH` of the folder with the files of NAME")
	flags.StringVar(&o.profile, "profile", "", "`NAME` of the profile; the one it was issued by when not given")
	flags.StringVar(&o.issuer, "issuer", "", "`NAME` of the authority that issues; the ledger's issuing one when not given")
	flags.Var((*lifetime)(&o.lifetime), "lifetime", "`TIME` that the certificate is valid; as long as the old one when not given")
	flags.StringVar(&o.why, "why", "", "`TEXT` for the ledger: why it is renewed")
	o.allow.add(cmd)
	addRevokedKey(cmd, &o.revokedKey)
}

func (o *renewOptions) check(cmd *cobra.Command) error {
	if o.lifetime < 0 || o.lifetime == 0 && cmd.Flags().Changed("lifetime") {
		return cli.Usagef(cmd, "--lifetime: %v is not a time to live", o.lifetime)
	}
	return o.form.check(cmd, o.store.password)
}

func runRenew(ctx context.Context, o *renewOptions) (err error) {
	if err := folder("out", o.out); err != nil {
		return err
	}
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	o.opened = s
	if o.authority != "" {
		return o.renewAuthority(ctx, s)
	}
	var all []*renewal
	for _, text := range o.targets { // first look at all, then change something
		r, err := o.find(ctx, s, text)
		if err != nil {
			return err
		}
		all = append(all, r)
	}
	if err := o.form.readPassword(o.host, "the PKCS#12 file"); err != nil {
		return err
	}
	i, err := o.renewer(ctx, s)
	if err != nil {
		return err
	}
	var done []issued
	for _, r := range all {
		result, err := r.carryOut(ctx, i)
		if err != nil {
			return fmt.Errorf("%s: %w", r.files.Certificate, err)
		}
		done = append(done, result)
		o.say(fmt.Sprintf("%s %s: %s", o.verb(result.Again), certinfo.InWords(result.Certificate.Subject.CommonName, result.Certificate), result.files))
		result.tell(o.host, "")
	}
	return o.report(done)
}

// renewer opens the authority.
func (o *renewOptions) renewer(ctx context.Context, s *store) (*issuer, error) {
	i, err := s.issuer(ctx, o.issuer)
	if err != nil {
		return nil, err
	}
	path, err := s.service.Path(ctx, o.issuer)
	if err != nil {
		return nil, err
	}
	lock, _, err := s.flags.keyFile(path[0].Name)
	return &issuer{Issuer: i, form: o.form, lock: lock}, err
}

func (o *renewOptions) verb(resumed bool) string {
	verb := "renewed"
	if o.rekey {
		verb = "rekeyed"
	}
	if resumed {
		return verb + " before, and now wrote,"
	}
	return verb
}

func (o *renewOptions) report(done []issued) error {
	if !o.output.json {
		return nil
	}
	l := report.Listing[issued]{Key: "certificates", JSON: func(r issued) any { return issuedJSON{certinfo.OfIssued(r.Issued.Issued), r.files} }}
	return l.Write(o.Out, o.output.format(), func(yield func(issued, error) bool) {
		for _, r := range done {
			if !yield(r, nil) {
				return
			}
		}
	})
}

// find reads what is to be renewed: a file, or what the ledger has by that name.
func (o *renewOptions) find(ctx context.Context, s *store, text string) (*renewal, error) {
	r := &renewal{options: o}
	files, err := hostfiles.In(o.out, text)
	if err != nil {
		return nil, err
	}
	there, err := atomicfile.Exists(files.Certificate)
	if err != nil {
		return nil, err
	}
	if !there {
		if there, err = atomicfile.Exists(text); err != nil {
			return nil, err
		}
		files = hostfiles.Beside(text)
	}
	if there {
		r.files, r.inFile = files, true
		err = r.readFile(ctx, s.ledger)
	} else {
		err = r.readLedger(ctx, s, text)
	}
	if err != nil {
		return nil, err
	}
	return r, r.check(s)
}

// notRenewedError says why a certificate is not renewed.
type notRenewedError struct {
	what, why string
	authority bool // it is one
}

func (e *notRenewedError) Error() string { return fmt.Sprintf("%s is not renewed: %s", e.what, e.why) }

// check refuses what must not live on.
func (r *renewal) check(s *store) error {
	what := r.files.Certificate
	switch state := r.record.State(s.host.inputs.Now()); {
	case r.record.Kind != ledger.Leaf:
		return &notRenewedError{what, "it is the certificate of a CA; name it with --authority", true}
	case state == ledger.Revoked || state == ledger.Held || r.record.RevokedAt != nil:
		return &notRenewedError{what, "it is revoked: " + r.record.Reason.String(), false}
	}
	profile, err := s.settings.Profile(cmp.Or(r.options.profile, r.record.Profile))
	r.profile = profile
	return err
}
