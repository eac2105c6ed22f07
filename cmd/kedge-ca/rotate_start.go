package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
)

type rotateStartOptions struct {
	caOptions
	key        newKeyFlags
	commonName string
	days       int
	root       string
	why        string
	allow      allowFlag

	kind keyKind
}

func newRotateStart(h host, run func(context.Context, *rotateStartOptions) error) *cobra.Command {
	o := &rotateStartOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "start",
		Short: "Make a new root beside the old one",
		Long: `Make a new root with a new key beside the old one: ca-2.key and ca-2.pem, then ca-3 and so on.
It has the organization, path length and name constraints of the old one, and its type of key
and lifetime unless others are given. It issues nothing before "kedge-ca rotate switch".

With --key, its key is one that is there already, as for init. A root whose key is out of reach
comes with --root.`,
		Example: `  kedge-ca rotate start --no-password
  kedge-ca rotate start --key-type P-384 --days 7300 --key-password-from /run/secrets/ca`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.days < 0 || o.days > maxDays {
				return cli.Usagef(cmd, "--days: %d is not between 1 and %d", o.days, maxDays)
			}
			if o.key.kind != "" || cmd.Flags().Changed("key") {
				if o.kind, err = o.key.keyKind(cmd); err != nil {
					return err
				}
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	o.key.add(cmd)
	kind := cmd.Flags().Lookup("key-type")
	o.key.kind, kind.DefValue = "", "that of the old root"
	cmd.Flags().StringVar(&o.commonName, "name", "", "common `NAME` of the new root; the old one's with a number when not given")
	cmd.Flags().IntVar(&o.days, "days", 0, "`NUMBER` of days that it is valid; as many as the old one when not given")
	cmd.Flags().StringVar(&o.root, "root", "", "`FILE` with the certificate of a root whose key is elsewhere")
	cmd.Flags().StringVar(&o.why, "why", "", "`TEXT` for the ledger: why it is made")
	o.allow.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("no-password", "key-password-from")
	for _, flag := range []string{"name", "days", "key", "key-type", "no-password", "key-password-from"} {
		cmd.MarkFlagsMutuallyExclusive("root", flag)
	}
	return cmd
}

func runRotateStart(ctx context.Context, s *store, o *rotateStartOptions) error {
	err := s.StartRotation(ctx, localca.RotationStart{
		Root:    issuance.RootOptions{CommonName: o.commonName, Lifetime: time.Duration(o.days) * 24 * time.Hour, AllowWarnings: o.allow, Why: o.why},
		Key:     o.keyLike,
		Foreign: o.root,
	})
	if err != nil {
		return err
	}
	return s.reportRotation(ctx, o.output)
}

// keyLike returns the key that the flags name, or one of the old root's type.
func (o *rotateStartOptions) keyLike(old string) (r cadir.KeyRequest, err error) {
	if o.key.kind == "" && o.key.uri == "" {
		o.kind, err = parseKeyKind(old, "seed")
	}
	return o.key.request(o.host, o.store.password, o.kind), err
}
