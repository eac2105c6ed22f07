package main

import (
	"context"
	"crypto/x509"
	"slices"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/role"
	"kedge/signer"
	"kedge/signer/keyfile"
)

// newCertificateCommands groups the commands about certificates on tokens.
func newCertificateCommands(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "certificate",
		Short: "Put certificates onto tokens",
	}
	cmd.AddCommand(newCertificateImport(h, runCertificateImport))
	return cmd
}

type certificateImportOptions struct {
	host
	flags config.KeyFlags // PrivateKey is the URI of --pkcs11
	keys  *config.Keys
	json  bool
}

func newCertificateImport(h host, run func(context.Context, *certificateImportOptions) error) *cobra.Command {
	o := &certificateImportOptions{host: h}
	cmd := &cobra.Command{
		Use:   "import",
		Short: "Put a certificate onto a token, beside its private key",
		Long: `Puts a certificate onto the PKCS#11 token that has its private key, and with it the
intermediates in the same file, without a root. The certificate gets the label and the id of
the key. Prints the certificate's URI: the value for --certificate from then on.

The URI must match exactly one private key, and the certificate must be for that one. A
certificate of the key that is there already stays; the newest is the one that is used.`,
		Example: "  kedge certificate import --pkcs11 'pkcs11:token=kedge;object=web-01' --certificate web-01.pem --key-password-from kedge.pin",
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := needAll(cmd, "pkcs11", "certificate"); err != nil {
				return err
			}
			if !keys.IsTokenURI(o.flags.PrivateKey) {
				return cli.Usagef(cmd, "--pkcs11: %q does not begin with \"pkcs11:\"", o.flags.PrivateKey)
			}
			if keys.IsHardwareURI(o.flags.Certificate) {
				return cli.Usagef(cmd, "--certificate: %s is no file", keys.WithoutSecrets(o.flags.Certificate))
			}
			o.keys, err = config.NewKeys(o.flags)
			return usage(cmd, err)
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.StringVar(&o.flags.PrivateKey, "pkcs11", "", "the private key on the token: `URI`, as in pkcs11:token=LABEL;object=NAME")
	flags.StringVar(&o.flags.Certificate, "certificate", "", "the certificate, and its intermediates: "+inputHelp)
	cli.RefuseEmpty(flags, "certificate")
	cli.AddPasswordFrom(flags, &o.flags.PasswordFrom, "PIN of the token")
	cli.AddPKCS11Library(flags, &o.flags.Library)
	cli.AddJSON(flags, &o.json)
	return cmd
}

func runCertificateImport(ctx context.Context, o *certificateImportOptions) error {
	blob, _, err := o.keys.Certificate(o.inputs)
	if err != nil {
		return &role.KeyError{Err: err}
	}
	data, err := blob.Read()
	if err != nil {
		return &role.KeyError{Err: err}
	}
	certs, err := keyfile.ParseCertificates(data, nil)
	if err != nil {
		return &role.KeyError{Err: &signer.FileError{File: blob.Name(), Err: err}}
	}
	leaf := role.FirstLeaf(certs)
	certs = append([]*x509.Certificate{leaf}, slices.DeleteFunc(certs, leaf.Equal)...)
	ctx, stop := interruptible(ctx)
	defer stop()
	uri, err := keys.Import(ctx, o.flags.PrivateKey, certs, o.keys.Options(o.inputs))
	if err != nil {
		return &role.KeyError{Err: err}
	}
	o.warn(o.keys.Warnings()...)
	if !o.json {
		return o.print([]byte(uri + "\n"))
	}
	return o.printJSON(struct {
		Schema      int    `json:"schema"`
		Certificate string `json:"certificate"` // for --certificate
	}{1, uri})
}
