package main

import (
	"context"
	"errors"
	"io"

	"github.com/spf13/cobra"

	"kedge/internal/cabackup"
	"kedge/internal/cadir"
	"kedge/internal/cli"
	"kedge/internal/localca"
	"kedge/internal/report"
	"kedge/internal/safefile"
)

type backupCheckOptions struct {
	host
	output   outputFlags
	identity identityFlag
	file     string
}

// identityFlag is --identity: where the secret key is that decrypts a backup.
type identityFlag struct{ file string }

func (f *identityFlag) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.file, "identity", "", "`FILE` with the secret key of age, as age-keygen writes it, or - for standard input")
}

func (f *identityFlag) check(cmd *cobra.Command, backup string) error {
	switch {
	case f.file == "":
		return cli.Usagef(cmd, "give --identity: the file with the secret key that decrypts the backup")
	case f.file == "-" && backup == "-":
		return cli.Usagef(cmd, "--identity: standard input is the backup already")
	}
	return nil
}

// open opens a backup and reads the secret key for it.
func (f *identityFlag) open(h host, file string) (_ cabackup.Backup, closer func() error, err error) {
	name, data := f.file, []byte(nil)
	if name == "-" {
		name = "standard input"
		data, err = io.ReadAll(io.LimitReader(h.In, maxKeys))
	} else {
		data, err = safefile.ReadRegular(name, maxKeys)
	}
	if err != nil {
		return cabackup.Backup{}, nil, err
	}
	keys, err := cabackup.ParseIdentities(name, data)
	if err != nil {
		return cabackup.Backup{}, nil, err
	}
	if file == "-" {
		return cabackup.Backup{Name: "standard input", Read: h.In, Keys: keys}, func() error { return nil }, nil
	}
	opened, err := safefile.OpenRegular(file)
	if err != nil {
		return cabackup.Backup{}, nil, err
	}
	return cabackup.Backup{Name: file, Read: opened, Keys: keys}, opened.Close, nil
}

func newBackupCheck(h host, run func(context.Context, *backupCheckOptions) error) *cobra.Command {
	o := &backupCheckOptions{host: h}
	cmd := &cobra.Command{
		Use:   "check --identity <file> <backup>",
		Short: "Verify that a backup can be restored, and write what is in it",
		Long: `Decrypt a backup, unpack it into a scratch folder (in TMPDIR), verify the ledger in it as by ledger
verify, and write what is in it. Nothing else is written; keys stay in memory.

age does not sign: anybody with the public key can make such a file. Compare the SHA-256 of the
root with that of the trust anchor.`,
		Example: `  kedge-ca backup check --identity backup-key.txt ca.age
  kedge-ca backup check --identity backup-key.txt - < ca.age`,
		Args: exactlyOne("give the backup: kedge-ca backup check --identity FILE BACKUP", "check one backup at a time"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.file = args[0]
			if err := o.identity.check(cmd, o.file); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.identity.add(cmd)
	o.output.add(cmd)
	return cmd
}

func runBackupCheck(ctx context.Context, o *backupCheckOptions) (err error) {
	b, closer, err := o.identity.open(o.host, o.file)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, closer()) }()
	checked, err := cabackup.Check(ctx, b, o.config())
	if err != nil {
		return err
	}
	o.say("verified " + checked.File + ": it can be restored")
	if o.output.json {
		return report.WriteJSON(o.Out, checked)
	}
	return report.WriteFields(o.Out, checked.Fields())
}

// config is for a CA without a folder.
func (o *backupCheckOptions) config() localca.Config {
	return localca.Config{Keys: &cadir.Keys{Host: o.inputs}, AnyClock: o.anyClock, Warn: o.warn}
}
