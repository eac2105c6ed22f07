package main

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awscli"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type crlOptions struct {
	caOptions
	issuers []string
	terms   issuance.CRLRequest
	stdout  bool
	confirm confirmFlag
	awsCLI  bool
	arns    localca.ARNs
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
"kedge-ca bundle", and with --crl, are kept in aws.yaml in the CA's folder; then crl prints that
command line without --aws-cli, too, unless the list is pushed there: with aws: crl: push: true in the
configuration, as by kedge-ca aws crl push. That a push fails is a warning. Until an ARN is given, the trust anchor of a root is that of server.aws
in the configuration.`,
		Example: `  kedge-ca crl
  kedge-ca crl --issuer ca --valid 30d --stdout
  kedge-ca crl --take-list`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("valid") && o.terms.Valid <= 0 {
				return cli.Usagef(cmd, "--valid: %v must be positive", ca.Duration(o.terms.Valid))
			}
			if o.stdout && len(o.issuers) != 1 {
				return cli.Usagef(cmd, "--stdout: name the one list with --issuer")
			}
			if err := o.arns.Check(); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	flags := cmd.Flags()
	flags.StringArrayVar(&o.issuers, "issuer", nil, "make the list of the authority `NAME` only; may be repeated")
	flags.TextVar((*ca.Duration)(&o.terms.Valid), "valid", ca.Duration(0), "`TIME` until the next list is due, such as 72h or 30d; crl.valid of the configuration, or 168h, when not given")
	flags.Lookup("valid").DefValue = ""
	flags.BoolVar(&o.terms.Delta, "delta", false, "make a delta to the last complete list")
	flags.BoolVar(&o.stdout, "stdout", false, "write the PEM to standard output, too")
	flags.BoolVar(&o.terms.Take, "take-list", false, "take what the list to be replaced has and the ledger lacks into the ledger")
	flags.BoolVar(&o.terms.Drop, "drop-list", false, "drop what the list to be replaced has and the ledger lacks: those certificates are not revoked any more")
	flags.StringVar(&o.terms.Why, "why", "", "`TEXT` for the ledger, for --take-list and --drop-list")
	o.confirm.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("stdout", "json")
	cmd.MarkFlagsMutuallyExclusive("take-list", "drop-list")
	flags.BoolVar(&o.awsCLI, "aws-cli", false, "write the command line of the AWS CLI that imports the list, or updates the one that is there")
	flags.StringVar(&o.arns.Anchor, "trust-anchor", "", "`ARN` of the trust anchor that the list is for; kept in aws.yaml of the CA's folder")
	flags.StringVar(&o.arns.CRL, "crl", "", "`ARN` of the list at IAM Roles Anywhere, which import-crl printed; kept in aws.yaml of the CA's folder")
	for _, other := range []string{"json", "stdout", "delta"} {
		cmd.MarkFlagsMutuallyExclusive("aws-cli", other)
	}
	return cmd
}

func runCRL(ctx context.Context, s *store, o *crlOptions) error {
	authorities, warnings, err := s.Service.ToList(ctx, o.issuers)
	o.warnAll(warnings)
	if err != nil {
		return err
	}
	targets, err := o.targets(ctx, s, authorities)
	if err != nil {
		return err
	}
	made, err := s.MakeCRLs(ctx, localca.CRLRequest{Authorities: authorities, Terms: o.terms},
		func(f *issuance.ForgottenError) error { return o.confirm.ask(o.host, certinfo.DropQuestion(f)) },
		func(m *localca.CRL) { o.note(certinfo.CRLNotes(&m.CRL, m.File, m.MayMiss)) })
	if err != nil {
		return err
	}
	if pushed := o.pushMade(ctx, s, made); o.awsCLI || !pushed {
		if err := o.writeImports(targets, made); err != nil {
			return err
		}
	}
	if o.stdout {
		return report.Write(o.Out, made[0].PEM)
	}
	return o.writeJSON(struct {
		CRLs []*localca.CRL `json:"crls"`
	}{made})
}

// targets returns where the lists go at IAM Roles Anywhere. With --aws-cli it fails, before any is
// made, if none of them could be imported.
func (o *crlOptions) targets(ctx context.Context, s *store, authorities []ledger.Authority) ([][]awscli.CRL, error) {
	all, kept, err := s.CRLTargets(ctx, authorities, o.arns)
	if err != nil {
		return nil, err
	}
	if kept != "" {
		o.say("kept the ARN in " + kept)
	}
	if first := authorities[0].Name; o.awsCLI && !slices.ContainsFunc(slices.Concat(all...), awscli.CRL.IsKnown) {
		return nil, &unknownAnchorError{fmt.Sprintf("%q", first), "kedge-ca crl --aws-cli --issuer " + first}
	}
	return all, nil
}

// unknownAnchorError reports that the trust anchor of a CRL is not known.
type unknownAnchorError struct {
	what    string
	command string // to which the ARN is to be given
}

func (e *unknownAnchorError) Error() string {
	return "the trust anchor of " + e.what + " is not known here"
}

// writeImports writes the command lines with --aws-cli, and otherwise the next step, if it is known.
func (o *crlOptions) writeImports(targets [][]awscli.CRL, made []*localca.CRL) error {
	var all []awscli.Import
	for i, m := range made {
		if m.Base != 0 {
			continue
		}
		for _, at := range targets[i] {
			all = append(all, awscli.Import{CRL: at, File: m.File})
		}
	}
	lines, notes, err := awscli.Imports(all, o.awsCLI)
	o.note(notes)
	if err != nil || !o.awsCLI {
		return err
	}
	return report.Write(o.Out, []byte(lines))
}
