package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
)

type ledgerImportOptions struct {
	caOptions
	past   pastFlags
	issuer string
	why    string

	archive archiveFlag
}

func newLedgerImport(h host, run func(context.Context, *ledgerImportOptions) error) *cobra.Command {
	o := &ledgerImportOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "import [PATH...]",
		Short: "Take in what the CA issued and revoked before its ledger was there",
		Long: `Take certificates and revocations of another program into the ledger of a CA that init --adopt
took over, or of one that lost its ledger. Each PATH is
  a certificate, or several in one file, in PEM or DER
  the index.txt of "openssl ca": the certificates beside it and in newcerts come with it
  a CRL
  a folder with any of these, such as the pki of easy-rsa; all folders in it are read too
The key of the CA must have signed each, or it is not taken. What is revoked stays so, also where
only its serial number is known, and lists go on with the number after the last.

What cannot be taken is named, and does not stop the rest. The same again takes in what is new;
what "ledger archive" has moved into segments is known, too.
No key is read.`,
		Example: `  kedge-ca ledger import pki --nothing-missing
  kedge-ca ledger import --crl old.crl`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.past.Sources.Paths = args; !o.past.Any() {
				return cli.Usagef(cmd, "name what is to be taken in, PATH or --crl FILE, or say --nothing-missing")
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.past.add(cmd)
	o.archive.add(cmd)
	cmd.Flags().StringVar(&o.issuer, "issuer", rootName, "`NAME` of the authority that issued it")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger, such as where it comes from")
	return cmd
}

func runLedgerImport(ctx context.Context, s *store, o *ledgerImportOptions) error {
	request := o.past.request(o.host, o.issuer, o.why)
	request.Archive = o.archive.dir
	taken, err := s.ImportPast(ctx, request)
	if err != nil {
		return err
	}
	if taken.MayMiss {
		o.warn(fmt.Sprintf("until you say that nothing is missing, kedge-ca warns that lists of %s may lack revocations: kedge-ca ledger import --nothing-missing", o.issuer))
	}
	return o.writeJSON(taken)
}
