package main

import (
	"context"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cli"
	"kedge/internal/report"
)

type rotateStatusOptions struct {
	host
	store  storeFlags
	output outputFlags
	moved  bool
	limit  int
}

func newRotateStatus(h host, run func(context.Context, *rotateStatusOptions) error) *cobra.Command {
	o := &rotateStatusOptions{host: h}
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
	o.store.addFolder(cmd)
	o.output.addList(cmd)
	cmd.Flags().BoolVar(&o.moved, "moved", false, "show the hosts that have moved, and when")
	cmd.Flags().IntVar(&o.limit, "limit", 20, "how many hosts are shown at most, as a `NUMBER`; 0 for all")
	return cmd
}

func runRotateStatus(ctx context.Context, o *rotateStatusOptions) (err error) {
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	r, err := s.service.Rotation(ctx)
	if err != nil {
		return err
	}
	root := r.Old
	if r.Next != nil {
		root = *r.Next
	}
	all := s.service.Workloads(ctx, r, root.Name)
	t, err := s.service.Tally(ctx, r, root.Name)
	if err != nil {
		return err
	}
	if o.output.json || o.output.csv {
		list := movementListing()
		list.Head = struct {
			rotationJSON
			Moved     int `json:"moved"` // hosts
			Remaining int `json:"remaining"`
		}{describeRotation(r), t.Moved, t.Remaining}
		return list.Write(o.Out, o.output.format(), s.movements(ctx, r, root.Name, all))
	}
	return report.WhenWhole(o.Out, func(text io.Writer) error {
		if err := report.WriteFields(text, rotationFields(r, t)); err != nil {
			return err
		}
		if o.moved && t.Moved == 0 || !o.moved && t.Remaining == 0 {
			return nil
		}
		list := movementListing()
		if !o.moved {
			list.Columns = list.Columns[:len(list.Columns)-2]
		}
		return list.Write(text, report.Text, s.movements(ctx, r, root.Name, o.some(all)))
	})
}

// some takes the hosts that are asked for.
func (o *rotateStatusOptions) some(all iter.Seq2[issuance.Workload, error]) iter.Seq2[issuance.Workload, error] {
	return func(yield func(issuance.Workload, error) bool) {
		n := 0
		for w, err := range all {
			if err == nil && w.Moved != o.moved {
				continue
			}
			if o.limit > 0 && n == o.limit {
				o.warn(fmt.Sprintf("only %d are shown; --limit 0 shows all", n))
				return
			}
			if n++; !yield(w, err) {
				return
			}
		}
	}
}

// rotationFields are what a person sees above the hosts.
func rotationFields(r *issuance.Rotation, t issuance.Tally) []report.Field {
	if r.Next == nil {
		return []report.Field{
			{"phase", "no rotation is under way"}, {"root", describeRoot(r.Old)}, {"issuing", r.Issuing.Name},
			{"hosts", fmt.Sprintf("%d below it, %d elsewhere", t.Moved, t.Remaining)},
		}
	}
	step := `update the trust anchor at AWS with "kedge-ca bundle", then: kedge-ca rotate switch`
	switch {
	case r.Phase() == issuance.PhaseStarted:
	case t.Remaining > 0:
		step = fmt.Sprintf("renew the certificates of the hosts that remain; the last old one ends at %s", rfc3339(t.Until))
	default:
		step = "kedge-ca rotate finish"
	}
	return []report.Field{
		{"phase", r.Phase()}, {"old root", describeRoot(r.Old)}, {"new root", describeRoot(*r.Next)}, {"issuing", r.Issuing.Name},
		{"hosts", fmt.Sprintf("%d moved, %d remaining", t.Moved, t.Remaining)}, {"next step", step},
	}
}

func describeRoot(a ledger.Authority) string {
	return fmt.Sprintf("%s, %s, until %s", a.Name, a.Certificate.Subject, a.Certificate.NotAfter.UTC().Format(time.DateOnly))
}

// movement is a workload, and when it moved.
type movement struct {
	issuance.Workload
	at time.Time // zero if it has not
}

// movements looks up when those moved that have.
func (s *store) movements(ctx context.Context, r *issuance.Rotation, root string, all iter.Seq2[issuance.Workload, error]) iter.Seq2[movement, error] {
	return func(yield func(movement, error) bool) {
		for w, err := range all {
			m := movement{Workload: w}
			if err == nil && w.Moved {
				m.at, err = s.service.MovedAt(ctx, r, root, w)
			}
			if !yield(m, err) || err != nil {
				return
			}
		}
	}
}

func movementListing() report.Listing[movement] {
	columns := []report.Column[movement]{
		{Head: "host", Value: func(m movement) string { return m.Host }},
		{Head: "name", Value: func(m movement) string { return m.CommonName }},
		{Head: "serial", Value: func(m movement) string { return m.Serial }},
		{Head: "authority", Value: func(m movement) string { return m.Authority }},
		{Head: "valid until", Value: func(m movement) string { return rfc3339(m.NotAfter) }},
		{Head: "moved", Value: func(m movement) string { return fmt.Sprint(m.Moved) }},
		{Head: "moved at", Value: func(m movement) string {
			if m.at.IsZero() {
				return ""
			}
			return rfc3339(m.at)
		}},
	}
	lines := slices.Clone(columns)
	for i := range lines {
		if lines[i].Head == "valid until" {
			lines[i].Head = "not_after" // as in JSON
		}
	}
	return report.Listing[movement]{Key: "hosts", JSON: movement.document, Columns: columns, CSV: lines}
}

// movementJSON is a host with one of its names in the JSON document.
type movementJSON struct {
	Host      string     `json:"host"`
	Subject   string     `json:"subject"`
	Serial    string     `json:"serial"` // of its newest valid certificate
	Authority string     `json:"authority"`
	NotAfter  time.Time  `json:"not_after"`
	Moved     bool       `json:"moved"`
	MovedAt   *time.Time `json:"moved_at,omitempty"`
}

func (m movement) document() any {
	d := movementJSON{m.Host, m.Subject, m.Serial, m.Authority, m.NotAfter, m.Moved, nil}
	if m.Moved {
		d.MovedAt = &m.at
	}
	return d
}
