package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
)

// decideOptions are those of approve and deny.
type decideOptions struct {
	caOptions
	ids      []string
	approval issuance.Approval // of deny, Why alone
}

// Limits of approvals.
const (
	defaultApprovalLifetime = 24 * time.Hour
	maxApprovalLifetime     = 30 * 24 * time.Hour
)

func newApprove(h host, run func(context.Context, *decideOptions) error) *cobra.Command {
	o := &decideOptions{caOptions: caOptions{host: h}, approval: issuance.Approval{Lifetime: defaultApprovalLifetime}}
	cmd := &cobra.Command{
		Use:   "approve <id>...",
		Short: "Approve requests of hosts for their first certificate",
		Long: `Approve requests of hosts, by the first 16 or more characters of their IDs: take them from the host,
where "kedge enroll" shows the ID, so that it is this request and no other. The host gets its
certificate when it asks next, which it must do within --ttl; each after it by renewal, if the profile
allows that. approve asks nothing: the ID is the confirmation.

A name that another key holds needs --replace; that key can then renew no more. "kedge-ca deny" takes
an approval back that was not used.`,
		Example: `  kedge-ca approve 3f9c2ab07d5e8814
  kedge-ca approve 3f9c2ab07d5e8814 --replace --why "new disk"`,
		Args: atLeastOne("give the ID that the host shows: kedge-ca approve ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ids = args
			if d := o.approval.Lifetime; d <= 0 || d > maxApprovalLifetime {
				return cli.Usagef(cmd, "--ttl: %v is not a time up to %v", ca.Duration(d), ca.Duration(maxApprovalLifetime))
			}
			if o.approval.Replace && len(args) > 1 {
				return cli.Usagef(cmd, "--replace: is for one request")
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	flags := cmd.Flags()
	flags.Var((*lifetime)(&o.approval.Lifetime), "ttl", "`TIME` in which the host must ask, such as 15m, 8h or 7d")
	flags.BoolVar(&o.approval.Replace, "replace", false, "give the name to this key: the one that holds it can renew no more")
	flags.StringVar(&o.approval.Why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runApprove(ctx context.Context, s *store, o *decideOptions) error {
	return o.decide(certinfo.Request.Approved, func(id string) (ledger.Token, error) { return s.Service.Approve(ctx, id, o.approval) })
}

func newDeny(h host, run func(context.Context, *decideOptions) error) *cobra.Command {
	o := &decideOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "deny <id>...",
		Short: "Deny requests of hosts for their first certificate",
		Long: `Deny requests of hosts, by the first 16 or more characters of their IDs: "kedge enroll" on the host
ends. A host can ask again with another key, which is another request; "kedge-ca deny-renew" denies
certificates to a name. An approval that its host has not used is taken back.`,
		Example: `  kedge-ca deny 3f9c2ab07d5e8814 --why "nobody knows this machine"`,
		Args:    atLeastOne("give the ID of the request, which kedge-ca pending lists: kedge-ca deny ID"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.ids = args
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.approval.Why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runDeny(ctx context.Context, s *store, o *decideOptions) error {
	return o.decide(certinfo.Request.Denied, func(id string) (ledger.Token, error) { return s.Service.DenyRequest(ctx, id, o.approval.Why) })
}

// decide decides on each request, and reports that in words.
func (o *decideOptions) decide(words func(certinfo.Request) string, decide func(id string) (ledger.Token, error)) error {
	all := certinfo.DecidedRequests{Requests: []certinfo.Request{}}
	for _, id := range o.ids {
		t, err := decide(id)
		if err != nil {
			return err
		}
		d := certinfo.DecidedRequest(t, o.inputs.Now())
		o.say(words(d))
		all.Requests = append(all.Requests, d)
	}
	return o.writeJSON(all)
}
