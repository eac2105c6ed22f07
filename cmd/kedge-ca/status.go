package main

import (
	"bytes"
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type statusOptions struct {
	host
	store  storeFlags
	output outputFlags
	check  bool
}

func newStatus(h host, run func(context.Context, *statusOptions) error) *cobra.Command {
	o := &statusOptions{host: h}
	cmd := &cobra.Command{
		Use:   "status",
		Short: "Show how the CA is, and what needs doing",
		Long: `Show the authorities and until when they are valid, their lists of what is revoked and when
the next is due, how many certificates there are, which leaves have expired or nearly so and have
no successor, whether the root is being rotated, the head of the ledger, and what needs doing. No
key is read. When a leaf is nearly expired the configuration says under expiry: when a quarter of
its life is left, at first.

With --check the exit code is 1 when something needs doing, which is then told on standard
error, and standard output stays empty: for cron and monitoring.`,
		Example: `  kedge-ca status
  kedge-ca status --check`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.store.addFolder(cmd)
	o.output.add(cmd)
	cmd.Flags().BoolVar(&o.check, "check", false, "exit with 1 when something needs doing")
	return cmd
}

func runStatus(ctx context.Context, o *statusOptions) (err error) {
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	status, err := s.service.Status(ctx)
	if err != nil {
		return err
	}
	switch {
	case o.check && len(status.Needs) > 0:
		for _, need := range status.Needs {
			o.warn(need)
		}
		return &needsError{len(status.Needs)}
	case o.output.json:
		return report.WriteJSON(o.Out, status)
	}
	var text bytes.Buffer
	if err := writeStatus(&text, status); err != nil {
		return err
	}
	return report.Write(o.Out, text.Bytes())
}

// needsError says that --check found something to do.
type needsError struct{ n int }

func (e *needsError) Error() string {
	if e.n == 1 {
		return "1 thing needs doing"
	}
	return fmt.Sprintf("%d things need doing", e.n)
}

// describeLeaves is empty when all leaves are looked after.
func describeLeaves(l issuance.LeavesStatus) string {
	if l == (issuance.LeavesStatus{}) {
		return ""
	}
	return fmt.Sprintf("%d expired, %d nearly expired", l.Expired, l.Expiring)
}

func writeStatus(w io.Writer, c *issuance.Status) error {
	t := report.NewTable(w, "AUTHORITY", "STATE", "VALID UNTIL", "KEY", "REVOKED", "LIST", "NEXT LIST")
	for _, a := range c.Authorities {
		state, key, number, next := a.State, "elsewhere", "none", ""
		if a.Issuing {
			state += ", issuing"
		}
		if a.CertificateRevoked {
			state += ", revoked"
		}
		if a.KeyHere {
			key = "here"
		}
		if a.CRL != nil {
			number, next = fmt.Sprint(a.CRL.Number), rfc3339(a.CRL.NextUpdate)
		}
		t.Add(a.Name, state, rfc3339(a.NotAfter), key, fmt.Sprint(a.Revoked), number, next)
	}
	if err := t.Flush(); err != nil {
		return err
	}
	n := c.Certificates
	fmt.Fprintln(w)
	err := report.WriteFields(w, []report.Field{
		{"certificates", fmt.Sprintf("%d: %d valid, %d pending, %d expired, %d revoked (%d on hold)", n.Total, n.Valid, n.Pending, n.Expired, n.Revoked, n.Held)},
		{"without successor", describeLeaves(c.Leaves)},
		{"rotation", c.Rotation},
		{"ledger", c.Ledger},
		{"head", c.Head},
	})
	if err != nil {
		return err
	}
	fmt.Fprintln(w)
	if len(c.Warnings) > 0 {
		fmt.Fprintln(w, "Warnings:")
		for _, warning := range c.Warnings {
			fmt.Fprintln(w, "-", cli.Printable(warning))
		}
		fmt.Fprintln(w)
	}
	if len(c.Needs) == 0 {
		fmt.Fprintln(w, "Nothing needs doing.")
		return nil
	}
	fmt.Fprintln(w, "To do:")
	for _, need := range c.Needs {
		fmt.Fprintln(w, "-", cli.Printable(need))
	}
	return nil
}
