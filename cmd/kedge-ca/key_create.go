package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/awskms"
	"kedge/internal/cli"
	"kedge/internal/report"
)

// newKeyCommands groups the commands about keys that a CA can take.
func newKeyCommands(h host) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "key",
		Short:   "Make keys for a CA in AWS KMS",
		Example: `  kedge-ca key create 'awskms:name=kedge-ca;region=eu-central-1'`,
	}
	cmd.AddCommand(newKeyCreate(h, runKeyCreate))
	return cmd
}

type keyCreateOptions struct {
	host
	output  outputFlags
	uri     awskms.URI
	keyType string
}

func newKeyCreate(h host, run func(context.Context, *keyCreateOptions) error) *cobra.Command {
	o := &keyCreateOptions{host: h}
	cmd := &cobra.Command{
		Use:   "create <uri>",
		Short: "Make a key in AWS KMS, which a CA can take with --key",
		Long: `Make a key in AWS KMS that signs, with the alias in the URI, and print what names it: the value
for --key of init, intermediate and rotate start. The key cannot leave KMS.

Credentials, profiles and endpoints are those of the AWS CLI. They need kms:CreateKey,
kms:CreateAlias and kms:GetPublicKey; the CA that uses the key needs kms:GetPublicKey and kms:Sign.

A key in a file is made by init itself; for one in a TPM or on a token: kedge key create.`,
		Example: `  kedge-ca key create 'awskms:name=kedge-ca;region=eu-central-1'
  kedge-ca key create 'awskms:name=issuing;region=eu-central-1;profile=ca' --key-type P-384`,
		Args: exactlyOne("give what to make: kedge-ca key create 'awskms:name=NAME;region=REGION'", "make one key at a time"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if !awskms.IsURI(args[0]) {
				return cli.Usagef(cmd, "the URI does not begin with \"awskms:\"; kedge key create makes keys in TPMs and on tokens")
			}
			if !strings.Contains(args[0], "name=") && !strings.Contains(args[0], "key-id=") {
				return cli.Usagef(cmd, "the new key needs a name: give name=NAME in the URI")
			}
			o.keyType = strings.ToUpper(o.keyType)
			if o.uri, err = awskms.ParseURI(args[0]); err == nil {
				err = awskms.CheckNew(o.uri, o.keyType)
			}
			if err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	cli.AddKeyType(cmd.Flags(), &o.keyType, defaultKeyType, "")
	o.output.add(cmd)
	return cmd
}

func runKeyCreate(ctx context.Context, o *keyCreateOptions) error {
	made, err := awskms.NewClient(awskms.DefaultLimits()).Create(ctx, o.uri, o.keyType)
	if err != nil {
		return err
	}
	if err := o.print(made); err != nil {
		return fmt.Errorf("the key is made, %s, but not told: %w", made, err)
	}
	return nil
}

func (o *keyCreateOptions) print(made awskms.URI) error {
	if o.output.json {
		return report.WriteJSON(o.Out, struct {
			Key  string `json:"key_uri"`
			Type string `json:"key_type"`
		}{made.String(), o.keyType})
	}
	return report.Write(o.Out, []byte(made.String()+"\n"))
}
