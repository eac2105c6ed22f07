package main

import (
	"context"
	"crypto/x509"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/hostcert"
	"kedge/internal/hostfiles"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type signOptions struct {
	caOptions
	leaf      leafFlags
	name      string
	out       string
	fullChain bool

	csr      string
	names    altNames
	dropSANs bool
}

func newSign(h host, run func(context.Context, *signOptions) error) *cobra.Command {
	o := &signOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "sign <csr> | -",
		Short: "Sign a certificate request of a host that keeps its key to itself",
		Long: `Sign a certificate request (PKCS #10, PEM or DER, from a file or standard input) and write the
certificate to standard output or to a file. The request is read as programs write it, also
in UTF-16, as base64 alone or as part of a JSON document.

Of the request only the common name, the key and the subject alternative names are taken, as
far as the profile allows them; the rest is left out and listed. A subject alternative name that
is not allowed is an error, or with --drop-sans is left out and listed, too: IAM Roles Anywhere
needs none. With --name nothing of the subject is taken. The request must be signed with its own
key. Each run issues: a request that is signed twice gets two certificates.`,
		Example: `  kedge-ca sign web-03.csr --out web-03.pem
  kedge-ca sign web-03.csr --name vcenter --drop-sans --out vcenter.pem
  kedge-ca sign - --host rack7 --full-chain < web-03.csr > web-03.fullchain.pem`,
		Args: exactlyOne("give the file of the request, or - for standard input: kedge-ca sign FILE", "sign one request at a time"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			o.csr = args[0]
			if o.csr == "-" && o.store.password == "-" {
				return cli.Usagef(cmd, "--key-password-from: standard input has the request already; take fd:N, env:NAME or a file")
			}
			if o.names, err = o.leaf.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	o.leaf.add(cmd)
	cmd.Flags().StringVar(&o.name, "name", "", "`NAME` to issue for, instead of the request's common name")
	cmd.Flags().BoolVar(&o.dropSANs, "drop-sans", false, "leave out the request's subject alternative names that are not allowed")
	cmd.Flags().StringVar(&o.out, "out", "", "`FILE` to write the certificate to; it must not exist")
	cmd.Flags().BoolVar(&o.fullChain, "full-chain", false, "write the intermediates after the certificate")
	return cmd
}

func runSign(ctx context.Context, o *signOptions) (err error) {
	if err := checkOutput(o.out); err != nil {
		return err
	}
	csr, err := o.readCSR()
	if err != nil {
		return err
	}
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	profile, err := s.Settings.Profile(o.leaf.profile)
	if err != nil {
		return err
	}
	request, dropped, err := hostcert.FromCSR(profile, csr, ca.CSROptions{Name: o.name, DropSANs: o.dropSANs}, o.leaf.request("", o.names))
	if err != nil {
		return fmt.Errorf("%s: %w", csrName(o.csr), err)
	}
	i, err := s.Issuer(ctx, o.leaf.issuer)
	if err != nil {
		return err
	}
	leaf, err := i.Prepare(profile, request)
	if err != nil {
		return err
	}
	result, err := leaf.Issue(ctx)
	if err != nil {
		return err
	}
	s.CloseEarly()
	return o.report(result.Issued, i.Authority(), append(dropped, hostcert.EndedWarnings(*result)...))
}

// readCSR reads and parses the request; its signature is not verified yet.
func (o *signOptions) readCSR() (*x509.CertificateRequest, error) {
	data, err := cadir.ReadInput(o.csr, o.inputs.Stdin)
	if err != nil {
		return nil, err
	}
	csr, err := ca.ParseCSR(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", csrName(o.csr), err)
	}
	return csr, nil
}

func csrName(path string) string {
	if path == "-" {
		return "standard input"
	}
	return path
}

func (o *signOptions) report(record ca.Issued, authority *ca.Authority, warnings []string) error {
	cert := record.Certificate
	all := []*x509.Certificate{cert}
	if o.fullChain {
		all = append(all, authority.Chain()...)
	}
	if err := localca.WriteIssued(o.out, all...); err != nil {
		return err
	}
	data, where := hostfiles.CertificatePEM(all...), ""
	if o.out != "" {
		where = ": " + o.out
	}
	o.say("issued " + certinfo.InWords(cert.Subject.CommonName, cert) + where)
	o.warnAll(warnings)
	o.warnAll(hostcert.ShortWarnings("it", record, o.leaf.lifetime))
	switch {
	case o.output.json:
		return report.WriteJSON(o.Out, struct {
			Certificate certinfo.Certificate `json:"certificate"`
			PEM         string               `json:"pem"`
			File        string               `json:"file,omitempty"`
			Warnings    []string             `json:"warnings,omitempty"`
		}{certinfo.OfIssued(record), string(data), o.out, warnings})
	case o.out == "":
		if err := report.Write(o.Out, data); err != nil {
			return &localca.UnwrittenError{Serial: ca.SerialHex(cert), Err: err}
		}
	}
	return nil
}
