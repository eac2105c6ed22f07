package localca

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// OtherCAError reports that a backup is from another CA than the files in the folder.
type OtherCAError struct{ Backup, Authority, File string }

func (e *OtherCAError) Error() string {
	return fmt.Sprintf("%s is the ledger of another CA: its authority %q does not have the key of %s", e.Backup, e.Authority, e.File)
}

// CheckBackup returns an *OtherCAError if a certificate in the folder is not of the authority that
// has the same name in the backup. Files that are missing, or older or newer than the backup, are
// ignored.
func CheckBackup(ctx context.Context, folder cadir.Folder, backup string, o ledger.Options) error {
	l, err := ledger.OpenBackup(ctx, backup, o)
	if err != nil {
		return err
	}
	all, err := l.Authorities(ctx)
	if err = errors.Join(err, l.Close()); err != nil {
		return err
	}
	for _, a := range all {
		path := folder.CertificatePath(a.Name)
		cert, err := cadir.ReadCertificate(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return err
		}
		if !ca.SameKey(cert.PublicKey, a.Certificate.PublicKey) {
			return &OtherCAError{backup, a.Name, path}
		}
	}
	return nil
}
