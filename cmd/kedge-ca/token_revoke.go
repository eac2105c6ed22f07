package main

import (
	"context"
	"encoding/hex"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type tokenRevokeOptions struct {
	caOptions
	confirm      confirmFlag
	ids          [][]byte
	certificates bool
	why          string
}

func newTokenRevoke(h host, run func(context.Context, *tokenRevokeOptions) error) *cobra.Command {
	o := &tokenRevokeOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "revoke <id>...",
		Short: "Revoke tokens",
		Long: `Revoke tokens by their IDs, as "kedge-ca token list" shows them, or by their text: nobody can use
them any more. With --certificates, the certificates that hosts got by them are revoked too, and
those that have replaced them; that needs a yes on the terminal or --yes.`,
		Example: `  kedge-ca token revoke $(kedge-ca token web-03)`,
		Args:    atLeastOne("give the ID of a token: kedge-ca token revoke ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			for i, text := range args {
				id, err := localca.ParseTokenID(text)
				if err != nil {
					return cli.Usagef(cmd, "argument %d: %w", i+1, err)
				}
				o.ids = append(o.ids, id)
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.confirm.add(cmd)
	cmd.Flags().BoolVar(&o.certificates, "certificates", false, "revoke also the certificates that hosts got by them")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runTokenRevoke(ctx context.Context, s *store, o *tokenRevokeOptions) error {
	if o.certificates {
		question := fmt.Sprintf("revoke %s and all certificates that hosts got by it?", report.Count(len(o.ids), "token"))
		if err := o.confirm.ask(o.host, question); err != nil {
			return err
		}
	}
	changed, err := s.Service.RevokeTokens(ctx, o.ids, o.certificates, o.why, func(id []byte) {
		o.say("revoked the token " + hex.EncodeToString(id))
	})
	if err != nil {
		return err
	}
	return o.reportChange(certinfo.Change{Done: "revoked", Changed: changed})
}
