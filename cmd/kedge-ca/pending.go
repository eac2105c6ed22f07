package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/certinfo"
)

type pendingOptions struct {
	caOptions
	all bool
}

func newPending(h host, run func(context.Context, *pendingOptions) error) *cobra.Command {
	o := &pendingOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "pending",
		Short: "List the requests of hosts that wait for approval",
		Long: `List the requests of hosts that wait for approval, the oldest first: those of "kedge enroll URL", with
a profile whose enroll.proofs has approval. Anybody who reaches the server can send one, with any name.
The host shows the ID too: compare it before "kedge-ca approve".

--all lists those too on which was decided: approved, used, denied, expired, or void since the ledger
was restored. The line to run on a host goes to standard error.`,
		Example: `  kedge-ca pending
  kedge-ca pending --all --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.addList(cmd)
	cmd.Flags().BoolVar(&o.all, "all", false, "list those too on which was decided")
	return cmd
}

func runPending(ctx context.Context, s *store, o *pendingOptions) error {
	line, err := s.EnrollLine(ctx)
	if err != nil {
		return err
	}
	decided := func(func(ledger.Token, error) bool) {}
	if o.all {
		decided = s.Service.Tokens(ctx)
	}
	listing := certinfo.RequestListing(func() { o.say("no request waits") })
	if err := listing.Write(o.Out, o.output.format(), certinfo.Requests(decided, s.Service.Requests(ctx), o.inputs.Now())); err != nil {
		return err
	}
	o.say("hosts ask with: " + line)
	return nil
}
