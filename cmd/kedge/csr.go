package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/atomicfile"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/csr"
	"kedge/internal/keys"
	"kedge/internal/role"
)

type csrOptions struct {
	host
	keyFlags
	keys        *config.Keys
	names       csr.Names
	alternative cli.Names
	request     x509.CertificateRequest // the parsed names
	out         string
}

func newCSR(h host, run func(context.Context, *csrOptions) error) *cobra.Command {
	o := &csrOptions{host: h}
	cmd := &cobra.Command{
		Use:   "csr",
		Short: "Print a certificate request for a private key",
		Long: `Prints a certificate request (PKCS #10, PEM) that is signed with the private key, wherever that
is: the CA needs nothing else, and the key stays where it is. "kedge-ca sign" takes it, and so
does any other CA.

AWS names sessions after the common name, which --name gives.`,
		Example: `  kedge csr --private-key web-01.key --key-password-from web-01.password --name web-01 --out web-01.csr
  kedge csr --private-key web-01.tss2.pem --name web-01 --subject O=Example --dns web-01.example.com
  kedge csr --private-key handle:0x81000010 --name web-01
  kedge csr --private-key 'pkcs11:token=kedge;object=web-01' --key-password-from kedge.pin --name web-01`,
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.keys, err = o.check(cmd); err != nil {
				return err
			}
			if err := needAll(cmd, "private-key"); err != nil {
				return err
			}
			o.names.DNS, o.names.URIs, o.names.IPs, o.names.Emails = o.alternative.DNS, o.alternative.URIs, o.alternative.IPs, o.alternative.Emails
			if o.request, err = o.names.Request(); err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.PrivateKey, "private-key", "", "private key: "+inputHelp+"; in a TPM: its TSS2 file, tpm:… or handle:0x81…; on a token: pkcs11:…")
	cli.RefuseEmpty(flags, "private-key")
	o.addAccess(flags)
	flags.StringVar(&o.names.Name, "name", "", "common `NAME`, after which AWS names the sessions")
	flags.StringVar(&o.names.Subject, "subject", "", "more of the subject, as `NAME` of RFC 4514 (OU=Web,O=Example) or of openssl (/O=Example/OU=Web)")
	o.alternative.Add(flags)
	flags.StringVar(&o.out, "out", "", "`FILE` to write the request to; it must not exist")
	return cmd
}

func runCSR(ctx context.Context, o *csrOptions) error {
	key, err := openKey(ctx, o.host, o.keys)
	if err != nil {
		return &role.KeyError{Err: err}
	}
	defer key.Close()
	o.warn(o.keys.Warnings()...)
	if trace := o.trace(o.debug); trace != nil {
		trace("signing the request with %s", key)
	}
	der, err := csr.Sign(o.request, key)
	if err != nil {
		return &role.KeyError{Err: fmt.Errorf("%s: sign the request: %w", key, err)}
	}
	data := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der})
	if o.out != "" {
		if err := atomicfile.Create(o.out, data, 0o644); err != nil {
			return &keys.UnwrittenError{Err: err}
		}
		return nil
	}
	return o.print(data)
}
