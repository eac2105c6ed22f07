package main

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type serverCertOptions struct {
	caOptions
	issuer  string
	names   cli.Names
	out     string
	replace bool
}

func newServerCert(h host, run func(context.Context, *serverCertOptions) error) *cobra.Command {
	o := &serverCertOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "server-cert",
		Short: "Make a key and a certificate for a proxy in front of the CA",
		Long: `Make a key and the certificate by which hosts know a proxy in front of "kedge-ca serve", which
itself needs none, and write both into one file, with mode 0600: the key, the certificate, and those
of its issuers up to the root, whose key tokens name. nginx and HAProxy read such a file as it is.

It is a server's certificate alone: it has no subject, and AWS takes it for nobody's identity. It is
valid for 30 days; run the same with --replace again before, such as from cron each week.`,
		Example: `  kedge-ca server-cert --dns ca.example.com --out proxy.pem`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(o.names.DNS)+len(o.names.IPs) == 0:
				return cli.Usagef(cmd, "%w", errors.New("give a name of the server with --dns or --ip"))
			case o.out == "":
				return cli.Usagef(cmd, "%w", errors.New("give the file to write with --out"))
			}
			if err := config.CheckFolder("out", filepath.Dir(o.out)); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.issuer, "issuer", "", "`NAME` of the authority that issues; the ledger's issuing one when not given")
	o.names.AddHost(flags)
	flags.StringVar(&o.out, "out", "", "`FILE` to write")
	flags.BoolVar(&o.replace, "replace", false, "replace the file, at once for those who read it")
	return cmd
}

func runServerCert(ctx context.Context, s *store, o *serverCertOptions) error {
	issued, err := s.MakeServerFile(ctx, localca.ServerFile{Authority: o.issuer, Names: slices.Concat(o.names.DNS, o.names.IPs), Path: o.out, Replace: o.replace})
	if err != nil {
		return err
	}
	o.say(fmt.Sprintf("issued the certificate of the server %s until %s: %s", strings.Join(ca.HostNames(issued.Certificate), ", "), report.Time(issued.Certificate.NotAfter), o.out))
	return o.writeJSON(struct {
		Certificate certinfo.Certificate `json:"certificate"`
		File        string               `json:"file"`
	}{certinfo.OfIssued(issued.Issued), o.out})
}
