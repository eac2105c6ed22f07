package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cabackup"
	"kedge/internal/cli"
	"kedge/internal/report"
	"kedge/internal/safefile"
)

type backupOptions struct {
	caOptions
	archive archiveFlag
	to      []string // public keys
	toFile  string   // with public keys
	output  string   // file or folder; empty: standard output

	recipients cabackup.Recipients
}

func newBackup(h host, run func(context.Context, *backupOptions) error) *cobra.Command {
	o := &backupOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "backup --recipient <key> [--output <file>]",
		Short: "Back up the whole CA, encrypted, while others use it",
		Long: `Write a backup of the CA, encrypted to public keys of age (https://age-encryption.org). The host of
the CA needs no secret key for it; whoever has the secret key of one of them can decrypt the backup.

It contains the ledger at one moment, from PostgreSQL too; the segments of its archive; the lists;
and of the folder kedge-ca.yaml, aws.yaml, and the certificates, keys and requests of all authorities.
A key in a file is in it as it is: one without a password is warned of. Keys in hardware and in AWS
KMS are not in it, nor is the password of any key: keep those elsewhere. Other files in the folder are named.

The file, mode 0600, appears when it is whole and verified: what is encrypted is also unpacked into a
scratch folder (in TMPDIR, which needs the room of the ledger twice and of its archive once, and
without --output that of the backup as well), and the
ledger there is verified as by ledger verify. In an existing folder, it is kedge-ca-TIME.age.
Nothing is overwritten or removed.`,
		Example: `  kedge-ca backup --recipients-file backup-keys.txt --output ca.age
  kedge-ca backup --recipients-file backup-keys.txt > ca-2.age`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			switch {
			case len(o.to) == 0 && o.toFile == "":
				return cli.Usagef(cmd, "give --recipient or --recipients-file: who can decrypt the backup")
			case o.output == "" && o.caOptions.output.json:
				return cli.Usagef(cmd, "--json: the backup itself goes to standard output; give --output")
			case o.output == "" && cli.IsTerminal(o.Out):
				return cli.Usagef(cmd, "standard output is a terminal; give --output")
			}
			return run(cmd.Context(), o)
		},
	}
	o.add(cmd)
	o.archive.add(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.to, "recipient", nil, "public `KEY` of age, age1…, to which the backup is encrypted; may be repeated")
	flags.StringVar(&o.toFile, "recipients-file", "", "`FILE` with such keys, one in a line; nobody else may be able to change it")
	flags.StringVar(&o.output, "output", "", "`PATH` of the backup, or of a folder for it; standard output when not given")
	cmd.AddCommand(newBackupCheck(h, runBackupCheck), newBackupRestore(h, runBackupRestore))
	return cmd
}

const maxKeys = 1 << 20 // bytes of a file with keys of age

func runBackup(ctx context.Context, s *store, o *backupOptions) error {
	if err := o.readRecipients(); err != nil {
		return err
	}
	source := cabackup.Source{CA: s.CA, Config: o.store.local(o.host), Segments: o.archive.dir, Version: cli.Version()}
	if o.output == "" {
		m, err := cabackup.Stream(ctx, source, o.recipients, o.Out)
		if err != nil {
			return err
		}
		return o.sayBackup("standard output", m)
	}
	path := o.output
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		path = filepath.Join(path, "kedge-ca-"+o.inputs.Now().UTC().Format("20060102T150405Z")+".age")
	}
	m, err := cabackup.Create(ctx, source, o.recipients, path)
	if err != nil {
		return err
	}
	return o.sayBackup(path, m)
}

func (o *backupOptions) readRecipients() error {
	for _, key := range o.to {
		if err := o.recipients.Add("--recipient", strings.TrimSpace(key)); err != nil {
			return err
		}
	}
	if o.toFile == "" {
		return nil
	}
	data, err := safefile.Read(o.toFile, maxKeys)
	if err != nil {
		return err
	}
	return o.recipients.AddFile(o.toFile, data)
}

func (o *backupOptions) sayBackup(path string, m *cabackup.Manifest) error {
	for _, a := range m.Authorities {
		o.warnOfKey(a)
	}
	if len(m.NotIncluded) > 0 {
		o.warn("not in the backup are these files of the folder; back up those that are needed: " + report.FirstOf(m.NotIncluded, 10, len(m.NotIncluded)))
	}
	o.say(fmt.Sprintf("wrote %s: the ledger up to entry %d, and %s, verified", path, m.Entries, report.Count(len(m.Files)-1, "other file")))
	return o.writeJSON(struct {
		File string `json:"file"`
		*cabackup.Manifest
	}{path, m})
}

func (o *backupOptions) warnOfKey(a cabackup.Authority) {
	switch a.Key {
	case cabackup.Plain:
		o.warn(fmt.Sprintf("the key of %q has no password: whoever decrypts the backup can issue certificates", a.Name))
	case cabackup.Elsewhere:
		o.warn(fmt.Sprintf("the key of %q is not in the backup, since it is elsewhere: %s", a.Name, a.KeyURI))
	case cabackup.Unreadable:
		o.warn(fmt.Sprintf("the key of %q is in the backup, and cannot be used without its hardware, or is damaged", a.Name))
	}
}
