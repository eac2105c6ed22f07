package main

import (
	"context"
	"errors"
	"path/filepath"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/awskms"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/localca"
)

// rootName is the name of the root in the ledger; its files are ca.key and ca.pem.
const rootName = issuance.RootName

// storeFlags say where the CA is and how to open its keys.
type storeFlags struct {
	dir      string
	config   string
	password string
	hardware config.KeyFlags // for keys in hardware

	once cadir.Passwords // of references that can be read only once
	kms  *awskms.Client  // of all keys in AWS KMS
}

func (f *storeFlags) add(cmd *cobra.Command) {
	f.addFolder(cmd)
	cli.AddPasswordFrom(cmd.Flags(), &f.password, "password, PIN or auth value of the CA's key")
	cli.AddPKCS11Library(cmd.Flags(), &f.hardware.Library)
	cli.AddReusePIN(cmd.Flags(), &f.hardware.ReusePIN)
	cli.AddTPMPassword(cmd.Flags(), &f.hardware.TPMPassword, &f.hardware.NoTPMPassword)
	cmd.MarkFlagsMutuallyExclusive("tpm-key-password", "no-tpm-key-password")
}

// addFolder is for commands that open no key.
func (f *storeFlags) addFolder(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "ca", "`PATH` of the CA's folder, with ca.pem and ca.key")
	cmd.Flags().StringVar(&f.config, "config", "", "`FILE` with the configuration; kedge-ca.yaml in the CA's folder when not given")
}

// store is an open CA, with the host of the command.
type store struct {
	*localca.CA
	host  host
	flags *storeFlags
}

// openStore opens a CA to change it. Keys are opened when an authority is used.
func openStore(ctx context.Context, h host, f *storeFlags) (*store, error) {
	return f.open(ctx, h, ledger.Options{})
}

// readStore opens a CA to read it. Several processes can, while another one issues.
func readStore(ctx context.Context, h host, f *storeFlags) (*store, error) {
	return f.open(ctx, h, ledger.Options{ReadOnly: true})
}

func (f *storeFlags) open(ctx context.Context, h host, o ledger.Options) (*store, error) {
	if err := config.CheckNewFolder("dir", f.dir); err != nil {
		return nil, err
	}
	opened, err := localca.Open(ctx, f.local(h), o)
	if err != nil {
		return nil, err
	}
	return &store{CA: opened, host: h, flags: f}, nil
}

// local returns the configuration that the flags select.
func (f *storeFlags) local(h host) localca.Config {
	return localca.Config{Keys: f.keys(h), AnyClock: h.anyClock, Warn: h.warn, Done: h.say}
}

// close closes the ledger. Its error is joined to err: what was not written was not done.
func (s *store) close(err *error) { *err = errors.Join(*err, s.Close()) }

// checkOutput checks, before anything is issued, that the file of --out can be created; empty: no file.
func checkOutput(out string) error {
	if out == "" {
		return nil
	}
	if err := config.CheckFolder("out", filepath.Dir(out)); err != nil {
		return err
	}
	return atomicfile.Vacant(out)
}
