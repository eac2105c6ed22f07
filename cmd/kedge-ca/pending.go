package main

import (
	"context"
	"iter"

	"github.com/spf13/cobra"

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
	listing := certinfo.RequestListing(func() { o.say("no request waits") })
	if err := listing.Write(o.Out, o.output.format(), o.requests(ctx, s)); err != nil {
		return err
	}
	o.say("hosts ask with: " + line)
	return nil
}

// requests describes those that were decided, if they are asked for, and those that wait.
func (o *pendingOptions) requests(ctx context.Context, s *store) iter.Seq2[certinfo.Request, error] {
	return func(yield func(certinfo.Request, error) bool) {
		now := o.inputs.Now()
		for t, err := range s.Service.Tokens(ctx) {
			if !o.all {
				break
			}
			if err == nil && len(t.Request) == 0 {
				continue
			}
			if !yield(certinfo.DecidedRequest(t, now), err) || err != nil {
				return
			}
		}
		for r, err := range s.Service.Requests(ctx) {
			if !yield(certinfo.RequestOf(r), err) || err != nil {
				return
			}
		}
	}
}
