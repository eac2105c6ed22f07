package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
)

type rotateStartOptions struct {
	caOptions
	key        newKeyFlags
	commonName string
	days       int
	root       string
	why        string
	allow      allowFlag

	kind keyKind
}

func newRotateStart(h host, run func(context.Context, *rotateStartOptions) error) *cobra.Command {
	o := &rotateStartOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Make a new root beside the old one",
		Long: `Make a new root with a new key beside the old one: ca-2.key and ca-2.pem, then ca-3 and so on.
It has the organization, path length and name constraints of the old one, and its type of key
and lifetime unless others are given. It issues nothing before "kedge-ca rotate switch".

With --key, its key is one that is there already, as for init. A root whose key is out of reach
comes with --root.`,
		Example: `  kedge-ca rotate start --no-password
  kedge-ca rotate start --key-type P-384 --days 7300 --key-password-from /run/secrets/ca`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.days < 0 || o.days > maxDays {
				return cli.Usagef(cmd, "--days: %d is not between 1 and %d", o.days, maxDays)
			}
			if o.key.kind != "" || cmd.Flags().Changed("key") {
				if o.kind, err = o.key.keyKind(cmd); err != nil {
					return err
				}
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	o.key.add(cmd)
	kind := cmd.Flags().Lookup("key-type")
	o.key.kind, kind.DefValue = "", "that of the old root"
	cmd.Flags().StringVar(&o.commonName, "name", "", "common `NAME` of the new root; the old one's with a number when not given")
	cmd.Flags().IntVar(&o.days, "days", 0, "`NUMBER` of days that it is valid; as many as the old one when not given")
	cmd.Flags().StringVar(&o.root, "root", "", "`FILE` with the certificate of a root whose key is elsewhere")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger: why it is made")
	o.allow.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("no-password", "key-password-from")
	for _, flag := range []string{"name", "days", "key", "key-type", "no-password", "key-password-from"} {
		cmd.MarkFlagsMutuallyExclusive("root", flag)
	}
	return cmd
}

func runRotateStart(ctx context.Context, o *rotateStartOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	plan, err := s.Service.PlanStart(ctx)
	if err != nil {
		return err
	}
	if next := plan.Started; next != nil {
		if err := s.CheckCopy(next.Name, next.Certificate); err != nil {
			return err
		}
		o.say(fmt.Sprintf("the rotation to %q is started already", next.Name))
		return s.reportRotation(ctx, o.output)
	}
	var cert *x509.Certificate
	if o.root != "" {
		cert, err = o.foreignRoot(ctx, s)
	} else {
		cert, err = o.newRoot(ctx, s, plan)
	}
	if err != nil {
		return err
	}
	next, err := s.Service.Start(ctx, plan, cert)
	if err != nil {
		return err
	}
	if err := s.WriteCopies(next); err != nil {
		return err
	}
	o.report(plan.Old, next)
	return s.reportRotation(ctx, o.output)
}

// newRoot creates a root like the old one.
func (o *rotateStartOptions) newRoot(ctx context.Context, s *store, plan *issuance.StartPlan) (cert *x509.Certificate, err error) {
	config, err := plan.Config(issuance.RootOptions{
		CommonName: o.commonName, Lifetime: time.Duration(o.days) * 24 * time.Hour, AllowWarnings: o.allow, Why: cmp.Or(o.why, "rotation"),
	})
	if err != nil {
		return nil, err
	}
	if o.key.kind == "" && o.key.uri == "" {
		if o.kind, err = parseKeyKind(ca.KeyType(plan.Old.Certificate.PublicKey), "seed"); err != nil {
			return nil, err
		}
	}
	if err := atomicfile.Vacant(o.store.certPath(plan.Name)); err != nil {
		return nil, err
	}
	key, err := o.store.newCAKey(ctx, o.host, plan.Name, o.kind, o.key)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	prepared, err := ca.PrepareRoot(key, config, o.inputs.Now())
	if err != nil {
		return nil, err
	}
	cert, err = s.IssueCA(ctx, key, prepared)
	if err != nil {
		return nil, err
	}
	o.say(fmt.Sprintf("made the root %q, valid until %s", cert.Subject.CommonName, cert.NotAfter.UTC().Format(time.DateOnly)))
	o.tellKey(key)
	return cert, nil
}

// foreignRoot records a root whose key is elsewhere.
func (o *rotateStartOptions) foreignRoot(ctx context.Context, s *store) (*x509.Certificate, error) {
	cert, err := cadir.ReadCertificate(o.root)
	if err != nil {
		return nil, err
	}
	err = s.Service.RecordRoot(ctx, cert, cmp.Or(o.why, "rotation"))
	if is[*issuance.NotRootError](err) {
		return nil, fmt.Errorf("%s is not a root: %q is issued by %q", o.root, cert.Subject, cert.Issuer)
	}
	if known, ok := errors.AsType[*issuance.KnownRootError](err); ok {
		return nil, fmt.Errorf("%s is the root %q of this CA already", o.root, known.Name)
	}
	if err != nil {
		return nil, err
	}
	warnings, err := localca.Foreign{File: o.root, Name: "NAME", Path: []*x509.Certificate{cert}}.Lint(o.allow, o.inputs.Now())
	if err != nil {
		return nil, err
	}
	o.warnAll(warnings)
	o.say(fmt.Sprintf("took in the root %q, valid until %s", cert.Subject.CommonName, cert.NotAfter.UTC().Format(time.DateOnly)))
	return cert, nil
}

// report reports the next step.
func (o *rotateStartOptions) report(old, next ledger.Authority) {
	if _, err := issuance.AnchorPEM(old, next); err != nil {
		o.warn(fmt.Sprintf("%v; register the new one as a trust anchor of its own: kedge-ca bundle --authority %s", err, next.Name))
	} else {
		o.say(fmt.Sprintf("update the trust anchor at AWS with \"kedge-ca bundle\", which has %q and %q now; then: kedge-ca rotate switch", old.Name, next.Name))
	}
	if old.Certificate.Subject.CommonName != next.Certificate.Subject.CommonName {
		o.say(fmt.Sprintf("policies that compare aws:PrincipalTag/x509Issuer/CN must allow %q too", next.Certificate.Subject.CommonName))
	}
}
