package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/config"
)

// rootName is what the ledger calls the root; its files are ca.key and ca.pem.
const rootName = issuance.RootName

// storeFlags say where the CA is and how its keys are opened.
type storeFlags struct {
	dir      string
	config   string
	password string
	hardware config.KeyFlags // what of it is for keys in hardware

	once cadir.Passwords // of references that can be read only once
}

func (f *storeFlags) add(cmd *cobra.Command) {
	f.addFolder(cmd)
	cmd.Flags().StringVar(&f.password, "key-password-from", "", "where the password, PIN or auth value of the CA's key is, as `REF`: PATH, fd:N, env:NAME, - (standard input) or prompt; asked on the terminal when not given")
	cmd.Flags().StringVar(&f.hardware.Library, "pkcs11-lib", "", "PKCS#11 module, `PATH` or name, for this run; what the key's URI says when not given, else p11-kit-proxy")
	cmd.Flags().BoolVar(&f.hardware.ReusePIN, "reuse-pin", false, "keep the PIN in memory, for keys that want it at each use")
	cmd.Flags().StringVar(&f.hardware.TPMPassword, "tpm-key-password", "", "auth `VALUE` of a TPM key, visible to every user of this machine")
	cmd.Flags().BoolVar(&f.hardware.NoTPMPassword, "no-tpm-key-password", false, "the TPM key has no auth value, whatever its file says")
	cmd.MarkFlagsMutuallyExclusive("tpm-key-password", "no-tpm-key-password")
}

// addFolder is for commands that open no key.
func (f *storeFlags) addFolder(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "ca", "`PATH` of the CA's folder, with ca.pem and ca.key")
	cmd.Flags().StringVar(&f.config, "config", "", "`FILE` with the configuration; kedge-ca.yaml in the CA's folder when not given")
}

// store is an open CA: its configuration, its ledger, and the authorities that were asked
// for. It belongs to one goroutine; its ledger and authorities can be shared.
type store struct {
	host     host
	flags    *storeFlags
	settings *cadir.Settings
	ledger   *ledger.Ledger
	service  *issuance.Service
	checked  map[string]bool // authorities whose NAME.pem was compared with the ledger
	keys     []*cadir.Key    // of those opened
	closing  chan error      // not nil: the ledger is being closed
}

// openStore opens a CA to change it. Keys are opened when an authority is asked for.
func openStore(ctx context.Context, h host, f *storeFlags) (*store, error) {
	return f.open(ctx, h, ledger.Options{})
}

// readStore opens a CA to look at it. Any number can, while another process issues.
func readStore(ctx context.Context, h host, f *storeFlags) (*store, error) {
	return f.open(ctx, h, ledger.Options{ReadOnly: true})
}

func (f *storeFlags) open(ctx context.Context, h host, o ledger.Options) (*store, error) {
	if wrong, ok := errors.AsType[*folderError](folder("dir", f.dir)); ok && !wrong.absent {
		return nil, wrong
	}
	s, err := f.folder().Settings()
	if err != nil {
		return nil, err
	}
	where, warnings, err := f.folder().LedgerPlace(s, h.inputs.Stdin)
	if err != nil {
		return nil, err
	}
	o.Now, o.AnyClock = h.inputs.Now, h.anyClock
	l, err := openLedger(ctx, where, o)
	if missing, ok := errors.AsType[*ledger.MissingError](err); ok {
		return nil, f.withoutLedger(missing)
	}
	if err != nil {
		return nil, err
	}
	for _, warning := range warnings {
		h.warn(warning)
	}
	opened := &store{host: h, flags: f, settings: s, ledger: l, checked: map[string]bool{}}
	opened.service, err = issuance.New(issuance.Config{Ledger: l, Now: h.inputs.Now, Keys: storeKeys{opened}, Certificate: cadir.ReadCertificate, LastList: f.lastList, Expiry: expiryOf(s)})
	if err != nil {
		return nil, errors.Join(err, l.Close())
	}
	return opened, nil
}

// openLedger opens a ledger. One of an older schema is brought to the newest by opening it to
// write, also for a command that only reads, or no command that reads would work after an upgrade.
func openLedger(ctx context.Context, where string, o ledger.Options) (*ledger.Ledger, error) {
	l, err := ledger.Open(ctx, where, o)
	older, ok := errors.AsType[*ledger.OlderSchemaError](err)
	if !ok {
		return l, err
	}
	write := o
	write.ReadOnly = false
	writing, err := ledger.Open(ctx, where, write)
	if err == nil {
		err = writing.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("%w; to bring it there: %w", older, err)
	}
	return ledger.Open(ctx, where, o)
}

// withoutLedger says whether there is no CA at all, or one that lost its ledger.
func (f *storeFlags) withoutLedger(missing *ledger.MissingError) error {
	for _, path := range []string{f.keyPath(rootName), f.uriPath(rootName), f.certPath(rootName)} {
		if _, err := os.Lstat(path); !errors.Is(err, fs.ErrNotExist) {
			return missing
		}
	}
	_, err := os.Open(f.certPath(rootName))
	return &cadir.UnusableError{Err: err, Absent: true}
}

// closeEarly begins to close the ledger, which takes as long as writing a few files does: for
// when nothing more is asked of it. close still has to be called.
func (s *store) closeEarly() {
	s.closing = make(chan error, 1)
	go func() { s.closing <- s.ledger.Close() }()
}

// close ends the work with the ledger. Its error is joined to err, since what was not
// written was not done.
func (s *store) close(err *error) {
	if s.closing == nil {
		s.closeEarly()
	}
	for _, key := range s.keys {
		*err = errors.Join(*err, key.Close())
	}
	*err = errors.Join(*err, <-s.closing)
}

// folderError says that a flag names no folder.
type folderError struct {
	flag, path string
	absent     bool // nothing is there
}

func (e *folderError) Error() string {
	if e.absent {
		return fmt.Sprintf("--%s: the folder %s does not exist", e.flag, e.path)
	}
	return fmt.Sprintf("--%s: %s is not a folder", e.flag, e.path)
}

// folder returns a *folderError when the value of a flag is no folder.
func folder(flag, path string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.IsDir() {
		return &folderError{flag: flag, path: path, absent: err != nil}
	}
	return nil // or a trouble that the next call names
}

// place checks, before anything is issued, that --out names a file that can be made: none
// when it is empty.
func place(out string) error {
	if out == "" {
		return nil
	}
	if err := folder("out", filepath.Dir(out)); err != nil {
		return err
	}
	return atomicfile.Vacant(out)
}
