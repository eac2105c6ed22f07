package main

import (
	"context"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
)

type whoOptions struct {
	caOptions
	text    string
	archive archiveFlag
}

func newWho(h host, run func(context.Context, *whoOptions) error) *cobra.Command {
	o := &whoOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "who <name>",
		Short: "Find the certificate and host behind a name in CloudTrail",
		Long: `Find the certificates and hosts behind a name, as CloudTrail, openssl or a person writes it:
a session name, source identity, ARN or principal id of an assumed role, a distinguished name
in any usual order, a serial in hex (with or without colons) or decimal, a SHA-256
fingerprint, a certificate file, a common name, host or subject alternative name. All that
are found are listed, each with what it was found by; what was archived comes last.`,
		Example: `  kedge-ca who CN=web-01
  kedge-ca who arn:aws:sts::111122223333:assumed-role/web/web-01`,
		Args: exactlyOne("give what is to be found: kedge-ca who NAME", "one name, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.text = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.addList(cmd)
	o.archive.add(cmd)
	return cmd
}

func runWho(ctx context.Context, s *store, o *whoOptions) error {
	found, incomplete, err := s.Who(ctx, o.text, o.archive.dir)
	if err != nil {
		return err
	}
	format := o.output.format()
	if err := certinfo.FoundListing().Write(o.Out, format, certinfo.AllFound(found, format, o.inputs.Now())); err != nil {
		return err
	}
	return incomplete
}
