package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
)

type hostsOptions struct {
	caOptions
	late bool
}

func newHosts(h host, run func(context.Context, *hostsOptions) error) *cobra.Command {
	o := &hostsOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "hosts",
		Short: "List the hosts that have a name, those that are late or copied first",
		Long: `List the names that hosts hold, with the newest certificate of each, the proof by which it was
issued, and alarms: that another key tried to renew an older certificate of the host ("kedge-ca
resolve" decides which goes on), and that it is denied further certificates. A host holds its name
after its certificate has expired, until "kedge-ca decommission".

First come the hosts whose certificate has expired or nearly so, which should have renewed it: when
is said under expiry.warn: in the configuration. The others follow, the first to expire first.`,
		Example: `  kedge-ca hosts
  kedge-ca hosts --late --json`,
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.addList(cmd)
	cmd.Flags().BoolVar(&o.late, "late", false, "list only those that should have renewed their certificate")
	return cmd
}

func runHosts(ctx context.Context, s *store, o *hostsOptions) error {
	return certinfo.HostListing().Write(o.Out, o.output.format(), certinfo.Hosts(s.Service.Hosts(ctx), o.late))
}
