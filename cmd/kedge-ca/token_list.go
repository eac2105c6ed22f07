package main

import (
	"context"
	"iter"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
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
	now := o.inputs.Now()
	return certinfo.TokenListing().Write(o.Out, o.output.format(), o.tokens(s.Service.Tokens(ctx), now))
}

// tokens describes tokens, only usable ones unless all are asked for.
func (o *tokenListOptions) tokens(all iter.Seq2[ledger.Token, error], now time.Time) iter.Seq2[certinfo.Token, error] {
	return func(yield func(certinfo.Token, error) bool) {
		for t, err := range all {
			d := certinfo.TokenOf(t, now)
			if err == nil && len(t.Request) != 0 { // an approval, which kedge-ca pending lists
				continue
			}
			if err == nil && d.State != certinfo.TokenUsable && !o.all {
				continue
			}
			if !yield(d, err) || err != nil {
				return
			}
		}
	}
}
