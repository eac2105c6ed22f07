package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
)

type rotateSwitchOptions struct {
	host
	store   storeFlags
	output  outputFlags
	confirm confirmFlag
	to      string
}

func newRotateSwitch(h host, run func(context.Context, *rotateSwitchOptions) error) *cobra.Command {
	o := &rotateSwitchOptions{host: h}
	cmd := &cobra.Command{
		Use:   "switch",
		Short: "Issue from the new root, or from an intermediate below it",
		Long: `Issue from the new root, or from an intermediate below it. It asks, or needs --yes, since the
trust anchor at AWS must have the bundle of both roots before: hosts with new certificates are
refused otherwise. Then renew the certificates of the hosts.`,
		Example: "  kedge-ca rotate switch --yes",
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.store.addFolder(cmd)
	o.output.add(cmd)
	o.confirm.add(cmd)
	cmd.Flags().StringVar(&o.to, "to", "", "`NAME` of the authority that is to issue; the intermediate below the new root if there is one, or the new root")
	return cmd
}

func runRotateSwitch(ctx context.Context, o *rotateSwitchOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	r, err := s.rotation(ctx)
	if err != nil {
		return err
	}
	if r.next == nil {
		return notStarted()
	}
	to, err := o.target(r)
	if err != nil {
		return err
	}
	if err := s.checkKey(to.Name); err != nil {
		return err
	}
	path, err := s.authorityPath(ctx, to.Name)
	if err != nil {
		return err
	}
	if err := s.notRevoked(ctx, path); err != nil {
		return err
	}
	if r.phase() == phaseStarted {
		if err := o.confirm.ask(o.host, fmt.Sprintf("issue from %q (the trust anchor at AWS must have the bundle of %q and %q)?", to.Name, r.old.Name, r.next.Name)); err != nil {
			return err
		}
	}
	if err := s.switchTo(ctx, r, to); err != nil {
		return err
	}
	o.say(fmt.Sprintf("%q issues from now on: renew the certificates of the hosts; kedge-ca rotate status shows who has moved", to.Name))
	return s.reportRotation(ctx, o.output)
}

// target is the authority that is to issue.
func (o *rotateSwitchOptions) target(r *rotation) (ledger.Authority, error) {
	var usable []ledger.Authority
	for _, a := range r.below(r.next.Name) {
		if a.State != ledger.Retired {
			usable = append(usable, a)
		}
	}
	var names []string
	for _, a := range usable {
		if names = append(names, a.Name); a.Name == o.to {
			return a, nil
		}
	}
	switch {
	case o.to != "":
		return ledger.Authority{}, fmt.Errorf("%q is not below the new root %q: %w", o.to, r.next.Name, &issuance.UnknownAuthorityError{Name: o.to, Known: names})
	case r.phase() == phaseSwitched:
		return r.issuing, nil
	case len(usable) <= 2:
		return usable[0], nil // the root comes last
	}
	return ledger.Authority{}, &severalError{root: r.next.Name, names: names}
}

// severalError says that it is not clear which authority is meant.
type severalError struct {
	root  string
	names []string
}

func (e *severalError) Error() string {
	return fmt.Sprintf("several intermediates are below %q; say with --to which is to issue", e.root)
}

// checkKey: an authority cannot issue whose key is elsewhere.
func (s *store) checkKey(name string) error {
	path, there, err := s.flags.keyFile(name)
	if err == nil && !there {
		err = &caError{error: fmt.Errorf("%q cannot issue here: %w", name, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}), noKey: true}
	}
	return err
}

// switchTo makes an authority issue. That is the one entry that counts; the states that
// follow from it are set after.
func (s *store) switchTo(ctx context.Context, r *rotation, to ledger.Authority) error {
	var all error
	if !to.Issuing || to.State != ledger.Active {
		to.Issuing, to.State = true, ledger.Active
		all = s.ledger.SetAuthority(ctx, to)
	}
	for _, a := range r.below(r.next.Name) {
		if a.State != ledger.Next || a.Name == to.Name || all != nil {
			continue
		}
		a.State, a.Issuing = ledger.Active, false
		all = errors.Join(all, s.ledger.SetAuthority(ctx, a))
	}
	return all
}
