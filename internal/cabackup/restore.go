package cabackup

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/localca"
)

// restoredLedger is the name of the copy of a ledger in a restored folder whose configuration places the
// ledger outside of it.
const restoredLedger = "ledger-backup.db"

// Restored is a CA's folder that was made from a backup. The tags are those of kedge-ca's JSON.
type Restored struct {
	Dir string `json:"dir"`
	Manifest
	// LedgerBackup is the path of the copy of the ledger, if the configuration places the ledger outside the
	// folder, where nothing was changed. It is for ledger.Restore.
	LedgerBackup string `json:"ledger_backup,omitempty"`
}

// Restore makes the folder of a CA from a backup, which is verified first. The folder must not exist:
// then the error wraps fs.ErrExist. It appears complete; after an error it does not exist. Nothing
// outside is changed. Other errors are those of [Check] and ledger.Restore.
func Restore(ctx context.Context, b Backup, c localca.Config) (_ *Restored, err error) {
	dir := c.Keys.Folder.Dir
	if err := atomicfile.Vacant(dir); err != nil {
		return nil, err
	}
	hidden, err := os.MkdirTemp(filepath.Dir(dir), "."+filepath.Base(dir)+".*") // 0700
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(hidden)) }()
	u, err := b.unpack(ctx, hidden)
	if err != nil {
		return nil, err
	}
	defer u.dir.Close()
	if err := u.writeFolder(); err != nil {
		return nil, err
	}
	left, err := u.restoreLedger(ctx, at(c, hidden))
	if err != nil {
		return nil, about(b.Name, err)
	}
	r := &Restored{Dir: dir, Manifest: u.manifest}
	if left != "" {
		r.LedgerBackup = filepath.Join(dir, left)
	}
	if err := os.Rename(hidden, dir); err != nil {
		return nil, fmt.Errorf("make the folder %s: %w", dir, err)
	}
	return r, atomicfile.MakeFolder(dir, 0o700) // syncs its name
}

// writeFolder writes the files that were only in memory, and sets the modes that they have in the folder of a CA.
func (u *unpacked) writeFolder() error {
	if err := u.dir.MkdirAll(listFolder, 0o755); err != nil {
		return err
	}
	for name, data := range u.private {
		path := filepath.Join(u.dir.Name(), filepath.FromSlash(name))
		if err := atomicfile.Create(path, data, mode(name)); err != nil {
			return err
		}
	}
	for _, name := range u.names {
		if strings.HasSuffix(name, ".pem") {
			if err := u.dir.Chmod(name, mode(name)); err != nil {
				return err
			}
		}
	}
	return nil
}

// mode returns the mode of a file: certificates, requests and lists are for everybody.
func mode(name string) os.FileMode {
	if strings.HasPrefix(name, listFolder+"/") || strings.HasSuffix(name, ".pem") || strings.HasSuffix(name, ".csr") {
		return 0o644
	}
	return 0o600
}

// restoreLedger makes the ledger where the configuration in the folder places it. If that is outside the folder,
// the copy stays, verified, and its name is returned.
func (u *unpacked) restoreLedger(ctx context.Context, c localca.Config) (name string, err error) {
	settings, err := c.Keys.Folder.Settings()
	if err != nil {
		return "", err
	}
	outside := !isInside(settings.Ledger)
	if outside {
		err = u.verifyPart(ctx, c)
	} else {
		err = u.readAuthorities(ctx, c)
	}
	if err != nil {
		return "", err
	}
	file := filepath.Join(u.dir.Name(), restoredLedger)
	if err := os.Rename(filepath.Join(u.dir.Name(), ledgerName), file); err != nil || outside {
		return restoredLedger, err
	}
	if err := u.dir.MkdirAll(filepath.Dir(settings.Ledger), 0o700); err != nil {
		return "", err
	}
	plan, err := localca.PlanRestore(ctx, c, file, false)
	if err == nil {
		err = u.checkHead(plan.Backup.Head)
	}
	if err == nil {
		err = plan.Restore(ctx, "")
	}
	if err != nil {
		return "", inBackup(err)
	}
	return "", os.Remove(file)
}

// isInside reports whether the place of a ledger, as the configuration has it, is in the folder of the CA.
func isInside(place string) bool {
	return !cadir.IsDSN(place) && !strings.HasPrefix(place, "env:") && filepath.IsLocal(place)
}
