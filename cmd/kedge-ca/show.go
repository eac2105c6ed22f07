package main

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
	"kedge/internal/certinfo"
	"kedge/internal/hostfiles"
	"kedge/internal/report"
)

type showOptions struct {
	caOptions
	text string
	pem  bool
}

func newShow(h host, run func(context.Context, *showOptions) error) *cobra.Command {
	o := &showOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "show <name>",
		Short: "Show all that is known of a certificate",
		Long: `Show all that is known of a certificate, which is named as for "kedge-ca who". Of several,
such as those that renew one another, the last one issued is shown; a probe of "kedge-ca aws up"
only if no other certificate is named so.`,
		Example: `  kedge-ca show web-01
  kedge-ca show web-01 --pem`,
		Args: exactlyOne("give what is to be shown: kedge-ca show NAME", "one name, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.text = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	cmd.Flags().BoolVar(&o.pem, "pem", false, "write the certificate itself, as PEM")
	cmd.MarkFlagsMutuallyExclusive("pem", "json")
	return cmd
}

func runShow(ctx context.Context, s *store, o *showOptions) error {
	last, others, err := s.Service.FindLast(ctx, o.text)
	if err != nil {
		return err
	}
	if err := o.write(last); err != nil {
		return err
	}
	if others > 0 {
		o.warn(fmt.Sprintf("%d more are named so; kedge-ca who lists them", others))
	}
	return nil
}

func (o *showOptions) write(c ledger.Certificate) error {
	d, err := certinfo.DetailsOf(c, o.inputs.Now())
	switch {
	case err != nil:
		return err
	case o.pem:
		return report.Write(o.Out, hostfiles.CertificatePEM(d.Cert))
	case o.output.json:
		return report.WriteJSON(o.Out, d)
	}
	return report.WriteFields(o.Out, d.Fields())
}
