package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/cli"
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
the next is due, how many certificates there are, whether the root is being rotated, the head
of the ledger, and what needs doing. No key is read.

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
	status, err := s.status(ctx)
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
		return writeJSON(o.Out, status)
	}
	var text bytes.Buffer
	if err := status.write(&text); err != nil {
		return err
	}
	return toOutput(o.Out, text.Bytes())
}

// needsError says that --check found something to do.
type needsError struct{ n int }

func (e *needsError) Error() string {
	if e.n == 1 {
		return "1 thing needs doing"
	}
	return fmt.Sprintf("%d things need doing", e.n)
}

// caStatus is how a CA is.
type caStatus struct {
	Authorities  []authorityStatus `json:"authorities"`
	Certificates certificateCounts `json:"certificates"`
	Rotation     string            `json:"rotation"` // none, started or switched
	Ledger       string            `json:"ledger"`
	Head         string            `json:"head"` // SEQ:HASH
	Needs        []string          `json:"needs"`
}

type authorityStatus struct {
	Name               string     `json:"name"`
	Subject            string     `json:"subject"`
	Kind               string     `json:"kind"`  // root or intermediate
	State              string     `json:"state"` // active, next or retired
	Issuing            bool       `json:"issuing"`
	Parent             string     `json:"parent,omitempty"`
	NotAfter           time.Time  `json:"not_after"`
	KeyHere            bool       `json:"key_here"`
	CertificateRevoked bool       `json:"certificate_revoked"` // its own, or one above it
	Revoked            int        `json:"revoked"`             // and not expired: what its list is to hold
	Unlisted           int        `json:"unlisted"`            // changes that the last list does not have
	CRL                *crlStatus `json:"crl,omitempty"`
}

type crlStatus struct {
	Number     int64     `json:"number"`
	ThisUpdate time.Time `json:"this_update"`
	NextUpdate time.Time `json:"next_update"`
	Entries    int64     `json:"entries"`
	Size       int64     `json:"size"` // bytes of DER
}

// certificateCounts are those of the whole ledger, by state; held are counted as revoked too.
type certificateCounts struct {
	Total   int64 `json:"total"`
	Valid   int64 `json:"valid"`
	Pending int64 `json:"pending"`
	Expired int64 `json:"expired"`
	Revoked int64 `json:"revoked"`
	Held    int64 `json:"held"`
}

func (c *caStatus) write(w io.Writer) error {
	t := table{w: w}
	t.add([]string{"AUTHORITY", "STATE", "VALID UNTIL", "KEY", "REVOKED", "LIST", "NEXT LIST"})
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
		t.add([]string{cli.Printable(a.Name), state, rfc3339(a.NotAfter), key, fmt.Sprint(a.Revoked), number, next})
	}
	t.flush()
	n := c.Certificates
	fmt.Fprintln(w)
	err := writeFields(w, []field{
		{"certificates", fmt.Sprintf("%d: %d valid, %d pending, %d expired, %d revoked (%d on hold)", n.Total, n.Valid, n.Pending, n.Expired, n.Revoked, n.Held)},
		{"rotation", c.Rotation},
		{"ledger", c.Ledger},
		{"head", c.Head},
	})
	if err != nil || t.err != nil {
		return errors.Join(t.err, err)
	}
	fmt.Fprintln(w)
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

// status looks at everything but the keys and the hosts.
func (s *store) status(ctx context.Context) (*caStatus, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	c := &caStatus{Authorities: []authorityStatus{}, Ledger: s.ledger.Where(), Needs: []string{}}
	now := s.host.inputs.Now()
	for _, a := range all {
		one, err := s.authorityStatus(ctx, a, now)
		if err != nil {
			return nil, err
		}
		if one.CertificateRevoked, err = s.isRevoked(ctx, a.Name); err != nil {
			return nil, err
		}
		c.Authorities = append(c.Authorities, *one)
		c.Needs = append(c.Needs, one.needs(a.Certificate.NotBefore, now)...)
	}
	if err := s.rotationStatus(ctx, c); err != nil {
		return nil, err
	}
	if c.Certificates, err = s.count(ctx, now); err != nil {
		return nil, err
	}
	seq, hash, err := s.ledger.Head(ctx)
	c.Head = fmt.Sprintf("%d:%x", seq, hash)
	return c, err
}

func (s *store) authorityStatus(ctx context.Context, a ledger.Authority, now time.Time) (*authorityStatus, error) {
	one := &authorityStatus{Name: a.Name, Subject: a.Certificate.Subject.String(), Kind: kindOf(a.Certificate), State: a.State,
		Issuing: a.Issuing, Parent: a.Parent, NotAfter: a.Certificate.NotAfter.UTC()}
	var err error
	if _, one.KeyHere, err = s.flags.keyFile(a.Name); err != nil {
		return nil, err
	}
	revoked, err := s.ledger.Revoked(ctx, keyID(a), now)
	if err != nil {
		return nil, err
	}
	last, err := s.lastCRL(ctx, a.Name, keyID(a))
	if err != nil {
		return nil, err
	}
	one.Revoked, one.Unlisted = len(revoked), last.unlisted(revoked)
	if r := last.record; r != nil {
		one.CRL = &crlStatus{Number: r.Number, ThisUpdate: r.ThisUpdate, NextUpdate: r.NextUpdate, Entries: r.Entries, Size: r.Size}
	}
	return one, nil
}
