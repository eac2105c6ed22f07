package main

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/signer"
)

type initOptions struct {
	host
	store      storeFlags
	commonName string
	days       int
	noPassword bool
}

func newInit(h host, run func(context.Context, *initOptions) error) *cobra.Command {
	o := &initOptions{host: h}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a root CA: a P-256 key, encrypted, and its certificate",
		Long: `Make a root CA in a folder: ca.key, a P-256 key encrypted with a password (mode 0600), and
ca.pem, the certificate to register as a trust anchor. Nothing that is there is overwritten.`,
		Example: `  kedge-ca init
  kedge-ca init --dir /srv/ca --name "Example Workloads" --key-password-from /run/secrets/ca`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if o.days < 1 || o.days > 100*366 {
				return cli.Usagef(cmd, "--days: %d is not between 1 and %d", o.days, 100*366)
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.add(cmd)
	cmd.Flags().StringVar(&o.commonName, "name", "kedge CA", "common `NAME` of the CA")
	cmd.Flags().IntVar(&o.days, "days", 3650, "`NUMBER` of days that the CA is valid")
	cmd.Flags().BoolVar(&o.noPassword, "no-password", false, "leave the CA's key in the clear: whoever reads the file owns every role that trusts this CA")
	cmd.MarkFlagsMutuallyExclusive("no-password", "key-password-from")
	return cmd
}

func runInit(ctx context.Context, o *initOptions) error {
	if wrong, ok := errors.AsType[*folderError](folder("dir", o.store.dir)); ok && !wrong.absent {
		return wrong
	}
	if err := vacant(o.store.keyPath(), o.store.certPath()); err != nil {
		return err
	}
	keys, err := o.store.keys()
	if err != nil {
		return err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	prepared, err := ca.PrepareRoot(key, ca.CAConfig{
		Subject: pkix.Name{CommonName: o.commonName}, Lifetime: time.Duration(o.days) * 24 * time.Hour, MaxPathLen: -1,
	}, o.inputs.Now())
	if err != nil {
		return err
	}
	password, err := o.newPassword(keys)
	if err != nil {
		return err
	}
	defer clear(password)
	if err := os.MkdirAll(o.store.dir, 0o700); err != nil {
		return err
	}
	cert, err := prepared.Issue(ctx, ca.Unrecorded{})
	if err != nil {
		return err
	}
	if err := o.store.create(cert, key, password); err != nil {
		return err
	}
	o.say(fmt.Sprintf("made the CA %q, valid until %s", o.commonName, cert.NotAfter.UTC().Format(time.DateOnly)))
	if o.noPassword {
		o.say(o.store.keyPath() + " is its key: keep it safe")
		o.warn(o.store.keyPath() + " is not encrypted: whoever reads it can become every role that trusts this CA")
	} else {
		o.say(o.store.keyPath() + " is its key: keep it and its password safe, and apart")
	}
	o.say(o.store.certPath() + " is its certificate: register it at IAM Roles Anywhere as a trust anchor")
	for _, warning := range keys.Warnings() {
		o.warn(warning)
	}
	return nil
}

// newPassword returns the password to encrypt with, or nil with --no-password. On the
// terminal it is asked twice: a slip would lose the CA.
func (o *initOptions) newPassword(keys *config.Keys) ([]byte, error) {
	if o.noPassword {
		return nil, nil
	}
	_, read, err := keys.PrivateKey(o.inputs)
	if err != nil {
		return nil, err
	}
	password, err := read()
	if errors.Is(err, signer.ErrPasswordRequired) {
		return nil, fmt.Errorf("a password is needed to encrypt %s, and %w", o.store.keyPath(), cli.ErrNoTerminal)
	}
	if err != nil {
		return nil, fmt.Errorf("password for %s: %w", o.store.keyPath(), err)
	}
	if o.store.password == "" || o.store.password == "prompt" {
		again, err := o.inputs.Ask("The same again")
		if err != nil {
			return nil, err
		}
		defer clear(again)
		if !bytes.Equal(password, again) {
			return nil, errors.New("the two passwords differ; nothing was made")
		}
	}
	if len(password) == 0 {
		return nil, errors.New("the password is empty; nothing was made (--no-password leaves the key in the clear)")
	}
	return password, nil
}
