package main

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cli"
)

type revokeOptions struct {
	host
	store     storeFlags
	output    outputFlags
	confirm   confirmFlag
	selectors selectorFlags
	reason    ca.Reason
	why       string
}

func newRevoke(h host, run func(context.Context, *revokeOptions) error) *cobra.Command {
	o := &revokeOptions{host: h}
	var reason string
	cmd := &cobra.Command{
		Use:   "revoke [<name>...]",
		Short: "Revoke certificates",
		Long: `Revoke certificates, all of those named or none. A name is read as by "kedge-ca who"; what
of it has expired or is revoked already is left out. The certificate of a CA, or more than
one certificate, needs a yes on the terminal or --yes.

It counts once the list that "kedge-ca crl" makes is imported. Sessions that were given out
before live on until they end.

Reasons: unspecified, key-compromise, ca-compromise, affiliation-changed, superseded,
cessation-of-operation, certificate-hold (the one that "kedge-ca unrevoke" takes back),
privilege-withdrawn, aa-compromise.`,
		Example: `  kedge-ca revoke web-01 --reason key-compromise --why "disk was stolen"
  kedge-ca revoke --host db-01 --host db-02 --yes`,
		Args: cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.reason, err = ca.ParseReason(reason); err != nil {
				return cli.Usagef(cmd, "--reason: %w", err)
			}
			if o.reason == ca.RemoveFromCRL {
				return cli.Usagef(cmd, "--reason: %s is for lists alone; kedge-ca unrevoke ends a hold", o.reason)
			}
			if err := o.selectors.set(args); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	o.output.add(cmd)
	o.confirm.add(cmd)
	o.selectors.add(cmd)
	cmd.Flags().StringVar(&reason, "reason", ca.Unspecified.String(), "`REASON` of RFC 5280")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runRevoke(ctx context.Context, o *revokeOptions) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	chosen, err := s.choose(ctx, &o.selectors, o.usable)
	if err != nil {
		return err
	}
	if question := o.question(chosen.certs); question != "" {
		if err := o.confirm.ask(o.host, question); err != nil {
			return err
		}
	}
	r := ledger.Revocation{Reason: o.reason, At: o.inputs.Now(), Why: o.why}
	if err := s.ledger.Revoke(ctx, fingerprints(chosen.certs), r); err != nil {
		return err
	}
	lists, err := s.issuers(ctx, chosen.certs)
	if err != nil {
		return err
	}
	if err := s.reportChanged(ctx, "revoked", chosen, o.output); err != nil {
		return err
	}
	s.warnOfIntermediates(lists)
	s.sayNext(lists)
	return nil
}

// usable says why a certificate cannot be revoked, in the words of the ledger where it knows.
func (o *revokeOptions) usable(c *ledger.Certificate) error {
	now := o.inputs.Now()
	switch state := c.State(now); {
	case c.Kind == ledger.Root:
		return &rootRevocationError{c.Subject}
	case state == ledger.Revoked, state == ledger.Held && o.reason == ca.CertificateHold:
		return &ledger.RevokedError{Fingerprint: c.Fingerprint, Subject: c.Subject, At: *c.RevokedAt, Reason: c.Reason}
	case now.After(c.NotAfter):
		return fmt.Errorf("the certificate %q (serial %s) expired on %s: nobody accepts it any more", c.Subject, c.Serial, rfc3339(c.NotAfter))
	}
	return nil
}

// rootRevocationError says that a root was to be revoked, whose own list nobody would ask.
type rootRevocationError struct{ subject string }

func (e *rootRevocationError) Error() string {
	return fmt.Sprintf("%q is a root: no list revokes it", e.subject)
}

// question is what must be agreed to; nothing for one leaf.
func (o *revokeOptions) question(certs []ledger.Certificate) string {
	const shown = 5
	var names []string
	authorities := 0
	for i, c := range certs {
		if c.Kind != ledger.Leaf {
			authorities++
		}
		if i < shown {
			names = append(names, fmt.Sprintf("%q (serial %s)", c.Subject, c.Serial))
		}
	}
	list := strings.Join(names, ", ")
	if more := len(certs) - shown; more > 0 {
		list += fmt.Sprintf(" and %d more", more)
	}
	switch {
	case authorities > 0:
		return fmt.Sprintf("revoke %s, with %d of a CA, below which no host gets a session any more?", list, authorities)
	case len(certs) > 1:
		return fmt.Sprintf("revoke %d certificates: %s?", len(certs), list)
	}
	return ""
}

// sayNext tells what is left to be done until a revocation, or the end of a hold, counts.
func (s *store) sayNext(lists []ledger.Authority) {
	command := "it counts once the list is imported: make it with kedge-ca crl"
	for _, a := range lists {
		command += " --issuer " + a.Name
	}
	s.host.say(command)
}

// issuers returns the authorities of the ledger that issued certificates.
func (s *store) issuers(ctx context.Context, certs []ledger.Certificate) ([]ledger.Authority, error) {
	all, err := s.ledger.Authorities(ctx)
	return slices.DeleteFunc(all, func(a ledger.Authority) bool {
		return !slices.ContainsFunc(certs, func(c ledger.Certificate) bool { return c.IssuerKeyID == keyID(a) })
	}), err
}

// warnOfIntermediates tells whose lists do not reach Roles Anywhere.
//
// Source: IAM Roles Anywhere User Guide, "Revocation": a list must be signed by a CA that the
// trust anchor holds.
func (s *store) warnOfIntermediates(lists []ledger.Authority) {
	for _, a := range lists {
		if kindOf(a.Certificate) == ledger.Intermediate {
			s.host.warn(fmt.Sprintf("the list of the intermediate %q can be imported only where its certificate is itself registered as a trust anchor; elsewhere revoke the intermediate, or wait until the certificate expires", a.Name))
		}
	}
}
