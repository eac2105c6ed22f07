package localca

import (
	"context"
	"fmt"

	"kedge/ca/ledger"
)

// RestorePlan is a backup, and where the ledger that is made from it is to be.
type RestorePlan struct {
	Backup ledger.BackupInfo

	config Config
	to     string
	warn   []string
}

// PlanRestore reads a backup, and where the ledger is to be. It changes nothing. A backup of another
// CA than that of the files in the folder is an *OtherCAError, unless another is set.
func PlanRestore(ctx context.Context, c Config, file string, another bool) (*RestorePlan, error) {
	r, folder, o := &RestorePlan{config: c}, c.Keys.Folder, ledger.Options{Now: c.Keys.Host.Now}
	settings, err := folder.Settings()
	if err != nil {
		return nil, err
	}
	if r.to, r.warn, err = folder.LedgerPlace(settings, c.Keys.Host.Stdin); err != nil {
		return nil, err
	}
	if r.Backup, err = ledger.ReadBackupInfo(ctx, file, o); err != nil {
		return nil, err
	}
	if another {
		return r, nil
	}
	return r, CheckBackup(ctx, folder, file, o)
}

// Restore makes the ledger: see ledger.Restore. archive is the folder of its segments, that in the CA's folder
// if it is empty. There is a warning if some cannot be read.
func (r *RestorePlan) Restore(ctx context.Context, archive string) error {
	o := ledger.Options{Now: r.config.Keys.Host.Now, AnyClock: r.config.AnyClock}
	report, err := ledger.Restore(ctx, r.Backup.File, r.to, archiveFolder(r.config.Keys.Folder, archive), o)
	if err != nil {
		return err
	}
	if unread := report.Err(r.Backup.File); unread != nil {
		r.config.Warn(unread.Error() + "; what follows from it was not checked: put it back, and verify the ledger: kedge-ca ledger verify")
	}
	for _, warning := range r.warn {
		r.config.Warn(warning)
	}
	return nil
}

// WarnRestored warns of what a ledger that was restored lacks: tokens that are void, and what the
// last list of an authority has. It returns the number of these lists.
func (c *CA) WarnRestored(ctx context.Context) (lists int, err error) {
	n, now := 0, c.config.Keys.Host.Now()
	for t, err := range c.Service.Tokens(ctx) {
		if err != nil {
			return 0, err
		}
		if t.Void && now.Before(t.Expires) {
			n++
		}
	}
	if n > 0 {
		c.config.Warn(fmt.Sprintf("tokens that were made before are void, since the backup does not know how often they were used: %d; make new ones for hosts that have not enrolled", n))
	}
	all, err := c.Service.Forgotten(ctx)
	for _, one := range all {
		c.config.Warn(one.Error())
	}
	return len(all), err
}
