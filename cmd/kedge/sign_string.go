package main

import (
	"context"
	"crypto"
	"encoding/hex"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/official"
	"kedge/internal/role"
	"kedge/signer"
)

type signStringOptions struct {
	host
	keyFlags
	keys   *config.Keys
	format string
	digest string
}

func newSignString(h host, run func(context.Context, *signStringOptions) error) *cobra.Command {
	o := &signStringOptions{host: h}
	cmd := &cobra.Command{
		Use:   "sign-string",
		Short: "Sign a fixed string, to show that a private key works",
		Long: `Signs a fixed text followed by the SHA-256 of "IAM RA" and the public key, and prints the
signature: RSA with PKCS#1 v1.5, ECDSA in ASN.1, ML-DSA pure with an empty context. It calls
no service and needs no certificate.`,
		Example: `  kedge sign-string --private-key key.pem --format text
  kedge sign-string --private-key handle:0x81000010
  kedge sign-string --private-key 'pkcs11:token=host;object=kedge'`,
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := o.checkValues(cmd); err != nil {
				return err
			}
			if o.keys, err = o.check(cmd); err != nil {
				return err
			}
			return needOneOf(cmd, "private-key", "certificate")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.addCertificate(flags)
	o.addPrivateKey(flags)
	o.addForeignKeys(flags)
	flags.StringVar(&o.format, "format", "json", "output: json or text (hexadecimal), or bin")
	flags.StringVar(&o.digest, "digest", "SHA256", "SHA256, SHA384 or SHA512; ML-DSA keys use none")
	return cmd
}

func (o *signStringOptions) checkValues(cmd *cobra.Command) error {
	switch o.format {
	case "json", "text", "bin":
	default:
		return cli.Usagef(cmd, "--format must be json, text or bin, not %q", o.format)
	}
	if o.hash() == 0 {
		return cli.Usagef(cmd, "--digest must be SHA256, SHA384 or SHA512, not %q", o.digest)
	}
	return nil
}

func (o *signStringOptions) hash() crypto.Hash {
	switch o.digest {
	case "SHA256":
		return crypto.SHA256
	case "SHA384":
		return crypto.SHA384
	case "SHA512":
		return crypto.SHA512
	}
	return 0
}

func runSignString(ctx context.Context, o *signStringOptions) error {
	key, err := openKey(ctx, o.host, o.keys)
	if err != nil {
		return &role.KeyError{Err: err}
	}
	defer key.Close()
	o.warn(o.keys.Warnings()...)
	if trace := o.trace(o.debug); trace != nil {
		trace("signing %q and the SHA-256 of \"IAM RA\" and the public key with %s", official.Test, key)
	}
	signature, err := official.SignTest(key, o.hash())
	if err != nil {
		return &role.KeyError{Err: &signer.FileError{File: key.String(), Err: err}}
	}
	switch text := hex.EncodeToString(signature); o.format {
	case "bin":
		return o.print(signature)
	case "text":
		return o.print([]byte(text))
	default:
		return o.print([]byte(`"` + text + `"`))
	}
}

// openKey opens the private key alone. SIGINT and SIGTERM end the opening of one in hardware
// properly, as that of a role does.
func openKey(ctx context.Context, h host, k *config.Keys) (*keys.Key, error) {
	ctx, stop := interruptibleIf(ctx, k.InHardware())
	defer stop()
	at, err := k.Reference(h.inputs)
	if err != nil {
		return nil, err
	}
	return at.Open(ctx, k.Options(h.inputs))
}
