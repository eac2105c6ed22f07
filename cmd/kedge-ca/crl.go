package main

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type crlOptions struct {
	caOptions
	issuers []string
	valid   ca.Duration // 0: the configuration's
	delta   bool
	stdout  bool
	take    bool // entries of the CRL to be replaced that the ledger lacks
	drop    bool
	why     string
	confirm confirmFlag
	aws     awsFlags
}

func newCRL(h host, run func(context.Context, *crlOptions) error) *cobra.Command {
	o := &crlOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "crl",
		Short: "Make the lists of revoked certificates",
		Long: `Make the certificate revocation list of every authority whose key is here, and write it to
  crl/NAME.crl  as PEM: import this one at IAM Roles Anywhere
  crl/NAME.der  as DER
in the CA's folder. It holds what is revoked and has not expired. What was added and removed
since the last list is reported, and how long it will stay within the 300,000 bytes that IAM
Roles Anywhere takes. It takes the list of an intermediate only for a trust anchor that holds
the certificate of that intermediate.

The list in crl/NAME.der is read before it is replaced. If the ledger lacks its number or some of
its revocations, as after a restore from an older backup, nothing is made: --take-list takes them
into the ledger, also serial numbers whose certificates it does not have, and --drop-list, which
asks, drops them. The ledger records either.

A delta (crl/NAME.delta.crl and .der) holds what changed since the last complete list. It is
for others than IAM Roles Anywhere, which takes complete lists only.

With --aws-cli, standard output has the command line of the AWS CLI, for a POSIX shell, that
imports each list, or updates it. ARNs that are given once, with --trust-anchor here or for
"kedge-ca bundle", and with --crl, are kept in aws.yaml in the CA's folder; then crl tells that
command line without --aws-cli, too.`,
		Example: `  kedge-ca crl
  kedge-ca crl --issuer ca --valid 30d --stdout
  kedge-ca crl --take-list`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("valid") && o.valid <= 0 {
				return cli.Usagef(cmd, "--valid: %v must be positive", o.valid)
			}
			if o.stdout && len(o.issuers) != 1 {
				return cli.Usagef(cmd, "--stdout: name the one list with --issuer")
			}
			if err := o.aws.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&o.issuers, "issuer", nil, "make the list of the authority `NAME` only; may be repeated")
	flags.TextVar(&o.valid, "valid", ca.Duration(0), "`TIME` until the next list is due, such as 72h or 30d; crl.valid of the configuration, or 168h, when not given")
	flags.Lookup("valid").DefValue = ""
	flags.BoolVar(&o.delta, "delta", false, "make a delta to the last complete list")
	flags.BoolVar(&o.stdout, "stdout", false, "write the PEM to standard output, too")
	flags.BoolVar(&o.take, "take-list", false, "take what the list to be replaced has and the ledger lacks into the ledger")
	flags.BoolVar(&o.drop, "drop-list", false, "drop what the list to be replaced has and the ledger lacks: those certificates are not revoked any more")
	flags.StringVar(&o.why, "why", "", "`TEXT` for the ledger, for --take-list and --drop-list")
	o.confirm.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("stdout", "json")
	cmd.MarkFlagsMutuallyExclusive("take-list", "drop-list")
	o.aws.add(cmd)
	return cmd
}

func runCRL(ctx context.Context, s *store, o *crlOptions) error {
	authorities, warnings, err := s.Service.ToList(ctx, o.issuers)
	for _, warning := range warnings {
		o.warn(warning)
	}
	if err != nil {
		return err
	}
	lists, err := o.aws.lists(s, authorities)
	if err != nil {
		return err
	}
	o.valid = cmp.Or(o.valid, s.Settings.CRL.Valid)
	if err := s.OpenAll(ctx, authorities); err != nil {
		return err
	}
	if err := o.store.folder().MakeCRLFolder(); err != nil {
		return err
	}
	if err := o.confirmDrop(ctx, s, authorities); err != nil {
		return err
	}
	missing, err := s.Service.MayMiss(ctx)
	if err != nil {
		return err
	}
	var all []*writtenCRL
	for _, a := range authorities {
		made, err := o.publish(ctx, s, a.Name)
		if err != nil {
			return err
		}
		made.report(s.host)
		if slices.Contains(missing, a.Name) {
			s.host.warn(fmt.Sprintf("the list of %q may lack certificates that it revoked before it was taken over: kedge-ca ledger import", a.Name))
		}
		all = append(all, made)
	}
	if err := o.aws.finish(o.host, lists, all); err != nil {
		return err
	}
	switch {
	case o.stdout:
		return report.Write(o.Out, all[0].PEM)
	case o.output.json:
		return report.WriteJSON(o.Out, struct {
			CRLs []*writtenCRL `json:"crls"`
		}{all})
	}
	return nil
}

// confirmDrop lists each revocation that --drop-list would end, and asks.
func (o *crlOptions) confirmDrop(ctx context.Context, s *store, authorities []ledger.Authority) error {
	if !o.drop {
		return nil
	}
	all, err := s.Service.ToDrop(ctx, authorities)
	if err != nil {
		return err
	}
	for _, forgotten := range all {
		question := fmt.Sprintf("drop %s, of which the ledger has all revocations?", forgotten.Where)
		if len(forgotten.Serials) > 0 {
			question = fmt.Sprintf("let %s count again that list %d of %q revokes: %s?", count(len(forgotten.Serials), "certificate"), forgotten.Number, forgotten.Authority, strings.Join(forgotten.Serials, ", "))
		}
		if err := o.confirm.ask(o.host, question); err != nil {
			return err
		}
	}
	return nil
}
