package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type ledgerVerifyOptions struct {
	caOptions
	head string
	file string // empty: the ledger of the CA
}

func newLedgerVerify(h host, run func(context.Context, *ledgerVerifyOptions) error) *cobra.Command {
	o := &ledgerVerifyOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "verify [<backup>]",
		Short: "Find what was changed in the ledger by another hand",
		Long: `Read the whole ledger, or a backup of it, and find every row that was changed, added, taken
out or swapped, and every table, index or trigger that was. Others may go on to write meanwhile.

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
	cmd.Flags().StringVar(&o.head, "head", "", "a head `SEQ:HASH` of an earlier time, which must still be in the ledger")
	return cmd
}

// verified is the output for a ledger without faults.
type verified struct {
	Ledger       string `json:"ledger"`
	Entries      int64  `json:"entries"`
	Certificates int64  `json:"certificates"`
	Head         string `json:"head"`
}

func runLedgerVerify(ctx context.Context, o *ledgerVerifyOptions) (err error) {
	l, s, err := o.open(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	checked, err := l.Verify(ctx, ledger.VerifyOptions{Head: o.head})
	if err != nil {
		return err
	}
	if !checked.OK() {
		for _, fault := range checked.Faults {
			o.warn(fault.String())
		}
		return &ledger.DamagedError{Where: l.Where(), Report: checked}
	}
	if err := o.compareLists(ctx, s); err != nil {
		return err
	}
	o.say(fmt.Sprintf("verified %s: %d entries with %d certificates are as they were written", l.Where(), checked.Entries, checked.Certificates))
	if o.output.json {
		return report.WriteJSON(o.Out, verified{l.Where(), checked.Entries, checked.Certificates, checked.Head})
	}
	return report.Write(o.Out, []byte(checked.Head+"\n"))
}

// open opens a backup, or the ledger of the CA, whose store it returns too.
func (o *ledgerVerifyOptions) open(ctx context.Context) (*ledger.Ledger, *store, error) {
	if o.file != "" {
		l, err := ledger.OpenBackup(ctx, o.file, ledger.Options{Now: o.inputs.Now})
		return l, nil, err
	}
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return nil, nil, err
	}
	return s.Ledger, s, nil
}

// compareLists fails if the last CRL of an authority has what the ledger lacks.
func (o *ledgerVerifyOptions) compareLists(ctx context.Context, s *store) error {
	if s == nil {
		return nil
	}
	all, err := s.Service.Forgotten(ctx)
	if err != nil || len(all) == 0 {
		return err
	}
	for _, one := range all[1:] {
		o.warn(one.Error())
	}
	return all[0]
}
