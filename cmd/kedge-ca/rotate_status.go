package main

import (
	"context"
	"fmt"
	"io"
	"iter"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type rotateStatusOptions struct {
	caOptions
	moved bool
	limit int
}

func newRotateStatus(h host, run func(context.Context, *rotateStatusOptions) error) *cobra.Command {
	o := &rotateStatusOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show which hosts have moved to the new root, and which have not",
		Long: `Show where the rotation stands, how many hosts have moved to the new root, and which have not:
those of whose names one has its newest valid certificate from elsewhere. --moved shows those
that have, and when. --json and --csv have all of both.`,
		Example: `  kedge-ca rotate status
  kedge-ca rotate status --csv`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.limit < 0 {
				return cli.Usagef(cmd, "--limit: %d is less than nothing", o.limit)
			}
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	cmd.Flags().BoolVar(&o.moved, "moved", false, "show the hosts that have moved, and when")
	cmd.Flags().IntVar(&o.limit, "limit", 20, "how many hosts are shown at most, as a `NUMBER`; 0 for all")
	return cmd
}

func runRotateStatus(ctx context.Context, s *store, o *rotateStatusOptions) error {
	r, err := s.Service.Rotation(ctx)
	if err != nil {
		return err
	}
	root := r.Old
	if r.Next != nil {
		root = *r.Next
	}
	all := s.Service.Workloads(ctx, r, root.Name)
	t, err := s.Service.Tally(ctx, r, root.Name)
	if err != nil {
		return err
	}
	if o.output.json || o.output.csv {
		return certinfo.MovementListing(r, t).Write(o.Out, o.output.format(), s.Service.Movements(ctx, r, root.Name, all))
	}
	return report.WhenWhole(o.Out, func(text io.Writer) error {
		if err := report.WriteFields(text, certinfo.RotationFields(r, t)); err != nil {
			return err
		}
		if o.moved && t.Moved == 0 || !o.moved && t.Remaining == 0 {
			return nil
		}
		list := certinfo.MovementListing(r, t)
		if !o.moved {
			list.Columns = list.Columns[:len(list.Columns)-2]
		}
		return list.Write(text, report.Text, s.Service.Movements(ctx, r, root.Name, o.some(all)))
	})
}

// some returns the requested hosts.
func (o *rotateStatusOptions) some(all iter.Seq2[issuance.Workload, error]) iter.Seq2[issuance.Workload, error] {
	asked := func(yield func(issuance.Workload, error) bool) {
		for w, err := range all {
			if (err != nil || w.Moved == o.moved) && !yield(w, err) {
				return
			}
		}
	}
	return report.Limit(o.limit, asked, func() { o.warn(fmt.Sprintf("only %d are shown; --limit 0 shows all", o.limit)) })
}
