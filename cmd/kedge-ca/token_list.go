package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
)

type tokenListOptions struct {
	caOptions
	all bool
}

func newTokenList(h host, run func(context.Context, *tokenListOptions) error) *cobra.Command {
	o := &tokenListOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "list",
		Short: "List the tokens that can be used",
		Long: `List the tokens that can be used, in the order in which they were made; with --all also those that
were used as often as they can be, have expired or were revoked, and those that a restore of the
ledger made void. Their secrets are not in the ledger.`,
		Example: `  kedge-ca token list
  kedge-ca token list --all --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.addList(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "list those too that cannot be used any more")
	return cmd
}

func runTokenList(ctx context.Context, s *store, o *tokenListOptions) error {
	return certinfo.TokenListing().Write(o.Out, o.output.format(), certinfo.Tokens(s.Service.Tokens(ctx), o.all, o.inputs.Now()))
}
