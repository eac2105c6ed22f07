package main

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
)

type revokeOptions struct {
	caOptions
	confirm   confirmFlag
	selectors selectorFlags
	reason    ca.Reason
	why       string
}

func newRevoke(h host, run func(context.Context, *revokeOptions) error) *cobra.Command {
	o := &revokeOptions{caOptions: caOptions{host: h}}
	var reason string
	cmd := &cobra.Command{
		Use:   "revoke [<name>...]",
		Short: "Revoke certificates",
		Long: `Revoke certificates, all of those named or none. A name is read as by "kedge-ca who"; what
of it has expired or is revoked already is left out. The certificate of a CA, or more than
one certificate, needs a yes on the terminal or --yes.

It counts once the list that "kedge-ca crl" makes is imported, which crl and serve do by themselves
with aws: crl: push: true in the configuration. Sessions that were given out
before live on until they end.

Reasons: unspecified, key-compromise, ca-compromise, affiliation-changed, superseded,
cessation-of-operation, certificate-hold (the one that "kedge-ca unrevoke" takes back),
privilege-withdrawn, aa-compromise.`,
		Example: `  kedge-ca revoke web-01 --reason key-compromise --why "disk was stolen"
  kedge-ca revoke --host db-01 --host db-02 --yes`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.reason, err = ca.ParseReason(reason); err != nil {
				return cli.Usagef(cmd, "--reason: %w", err)
			}
			if o.reason == ca.RemoveFromCRL {
				return cli.Usagef(cmd, "--reason: %s is for lists alone; kedge-ca unrevoke ends a hold", o.reason)
			}
			if err := o.selectors.set(args); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.confirm.add(cmd)
	o.selectors.add(cmd)
	cmd.Flags().StringVar(&reason, "reason", ca.Unspecified.String(), "`REASON` of RFC 5280")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runRevoke(ctx context.Context, s *store, o *revokeOptions) error {
	chosen, err := s.Service.ToRevoke(ctx, o.selectors.all, o.reason)
	if err != nil {
		return err
	}
	if question := certinfo.RevokeQuestion(chosen.Certificates); question != "" {
		if err := o.confirm.ask(o.host, question); err != nil {
			return err
		}
	}
	changed, err := s.Service.Revoke(ctx, chosen.Certificates, o.reason, o.why)
	if err != nil {
		return err
	}
	warnings, err := certinfo.ReplaceWarnings(s.Service.Tokens(ctx), changed.Certificates, o.inputs.Now())
	changed.Warnings = append(changed.Warnings, warnings...)
	return errors.Join(o.reportChange(certinfo.Change{Done: "revoked", Changed: changed, Skipped: chosen.Skipped}), err)
}
