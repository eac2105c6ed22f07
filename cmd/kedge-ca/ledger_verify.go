package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type ledgerVerifyOptions struct {
	caOptions
	head string
	file string // empty: the ledger of the CA

	archive archiveFlag
}

func newLedgerVerify(h host, run func(context.Context, *ledgerVerifyOptions) error) *cobra.Command {
	o := &ledgerVerifyOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "verify [<backup>]",
		Short: "Find what was changed in the ledger by another hand",
		Long: `Read the whole ledger, or a backup of it, and find every row that was changed, added, taken
out or swapped, and every table, index or trigger that was. Others may go on to write meanwhile.
The segments of its archive are read as well: each that is missing or was changed is found.

The head is written to standard output. Kept where those who can write the ledger cannot
write, and given back with --head, it also shows whether the end of the ledger, or all of it,
was replaced. The last lists in crl/ are compared with the ledger: a revocation that the ledger
lacks is an error.`,
		Example: `  kedge-ca ledger verify
  kedge-ca ledger verify --json`,
		Args: atMostOne("verify one backup at a time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.file = args[0]
			}
			if _, _, err := ledger.ParseHead(o.head); o.head != "" && err != nil {
				return cli.Usagef(cmd, "--head: %q is not SEQ:HASH, as kedge-ca ledger verify writes it", o.head)
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.archive.add(cmd)
	cmd.Flags().StringVar(&o.head, "head", "", "a head `SEQ:HASH` of an earlier time, which must still be in the ledger")
	return cmd
}

func runLedgerVerify(ctx context.Context, o *ledgerVerifyOptions) error {
	verified, err := o.verify(ctx)
	if err != nil {
		return err
	}
	text := fmt.Sprintf("verified %s: %d entries with %s are as they were written", verified.Ledger, verified.Entries, report.Count(int(verified.Certificates), "certificate"))
	if verified.Segments > 0 {
		text += fmt.Sprintf(", %d of them in %s", verified.Archived, report.Count(int(verified.Segments), "segment"))
	}
	o.say(text)
	if o.output.json {
		return report.WriteJSON(o.Out, verified)
	}
	return report.Write(o.Out, []byte(verified.Head+"\n"))
}

// verify verifies a backup, or the ledger of the CA.
func (o *ledgerVerifyOptions) verify(ctx context.Context) (verified *localca.Verified, err error) {
	if o.file != "" {
		return localca.VerifyBackup(ctx, o.file, o.store.local(o.host), ledger.VerifyOptions{Head: o.head, Archive: o.archive.dir})
	}
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return nil, err
	}
	defer s.close(&err)
	return s.Verify(ctx, ledger.VerifyOptions{Head: o.head, Archive: o.archive.dir})
}
