package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/awshosts"
)

type awsHostsOptions struct {
	caOptions
	account accountFlags
	details bool
}

func newAWSHosts(h host, run func(context.Context, *awsHostsOptions) error) *cobra.Command {
	o := &awsHostsOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "hosts",
		Short: "List which hosts AWS has seen, and which it has not",
		Long: `List the hosts of this CA with their last session in an account and a region at AWS, those that need
somebody first:

  unknown   AWS has seen a certificate that the ledger does not have: it is of another CA of the account,
            or was issued past this ledger
  failing   the last request of the host was refused (with --details)
  disabled  somebody has disabled the subject at AWS
  never     a host has a valid certificate, and has made no session yet
  ended     AWS has seen certificates of that name, such as the probe of "kedge-ca aws up", and no host has a
            valid one now
  seen

AWS counts all certificates with the same distinguished name as one, so a host is seen as well if a probe had
its name.`,
		Example: `  kedge-ca aws hosts
  kedge-ca aws hosts --details --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.addList(cmd)
	o.account.add(cmd)
	cmd.Flags().BoolVar(&o.details, "details", false, "ask about the last request of each host, one host a second")
	return cmd
}

func runAWSHosts(ctx context.Context, s *store, o *awsHostsOptions) error {
	account, err := o.account.open(ctx, o.host)
	if err != nil {
		return err
	}
	place, err := s.PlaceOf(ctx, account)
	if err != nil {
		return err
	}
	if err := s.noteOthers(place); err != nil {
		return err
	}
	hosts, err := awshosts.List(ctx, account, s.Service, o.details)
	if err != nil {
		return err
	}
	return awshosts.Listing().Write(o.Out, o.output.format(), awshosts.Records(hosts))
}
