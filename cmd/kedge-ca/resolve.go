package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/certinfo"
	"kedge/internal/cli"
)

type resolveOptions struct {
	caOptions
	confirm confirmFlag
	name    string
	keep    string
	why     string
}

func newResolve(h host, run func(context.Context, *resolveOptions) error) *cobra.Command {
	o := &resolveOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "resolve <name> --keep <serial>",
		Short: "Say which of two hosts with the same certificate goes on",
		Long: `Say which of two hosts goes on with a name, after both had the same key and certificate: one is a
copy of the other, or was restored from a snapshot. (Or there is one host, which enrolls by EST, made
a new key, and still presents its old certificate.) "kedge-ca hosts" shows the alarm, and with --json
the keys, the addresses and the serial numbers. --keep takes that of the certificate which the right
host has:

the newest (serial):
    The host that renewed first goes on. What the other presented is revoked, and it has to enroll
    anew, with a token and a name of its own.

the one that was refused (clones.presented_serial):
    The host that was refused goes on: it gets the next certificate at its next try, by the key that
    it asked with then, and no other key can renew that certificate (where it asked at the CA, with
    "kedge-ca rekey", any key can). What the first one got is revoked. The certificate that is kept
    stays valid until it ends, and both hosts have its key.

If neither host is trusted, revoke what they have, and give the name a new key with "kedge-ca token
NAME --replace". It needs a yes on the terminal or --yes. Revocation counts once the list that
"kedge-ca crl" makes is imported.`,
		Example: `  kedge-ca resolve web-01 --keep $(openssl x509 -in web-01.pem -noout -serial | cut -d= -f2)`,
		Args:    exactlyOne("give the name of the host: kedge-ca resolve NAME --keep SERIAL", "resolve one name at a time, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			if o.name = args[0]; o.keep == "" {
				return cli.Usagef(cmd, "%w", errors.New("give with --keep the serial number of the certificate that the right host has: kedge-ca hosts --json shows both"))
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.confirm.add(cmd)
	cmd.Flags().StringVar(&o.keep, "keep", "", "`SERIAL` of the certificate that the right host has")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger")
	return cmd
}

func runResolve(ctx context.Context, s *store, o *resolveOptions) error {
	if err := o.confirm.ask(o.host, fmt.Sprintf("let the host with serial %s go on as %q, and revoke what the other has?", o.keep, o.name)); err != nil {
		return err
	}
	r, err := s.Service.Resolve(ctx, o.name, o.keep, o.why)
	if err != nil {
		return err
	}
	return o.reportChange(certinfo.Change{Done: "revoked", Changed: &r.Changed}, certinfo.GoesOn(o.name, r)...)
}
