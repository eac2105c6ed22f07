package localca

import (
	"context"
	"errors"
	"time"

	"kedge/ca/ledger"
)

// Verified is a ledger without faults. The tags are those of kedge-ca's JSON.
type Verified struct {
	Ledger       string `json:"ledger"`
	Entries      int64  `json:"entries"`
	Certificates int64  `json:"certificates"`
	Head         string `json:"head"`
}

// Verify reads the whole ledger. If it was changed by another hand, or an earlier head, unless that
// is empty, is not in it, the error is a *ledger.DamagedError. If the last list of an authority has
// revocations that the ledger lacks, it is one of issuance.Service.Forgotten. There is a warning for
// each fault and each further list.
func (c *CA) Verify(ctx context.Context, head string) (*Verified, error) {
	v, err := verify(ctx, c.Ledger, head, c.config.Warn)
	if err != nil {
		return nil, err
	}
	all, err := c.Service.Forgotten(ctx)
	if err != nil || len(all) == 0 {
		return v, err
	}
	for _, one := range all[1:] {
		c.config.Warn(one.Error())
	}
	return nil, all[0]
}

// VerifyBackup is Verify for a backup, which has no lists.
func VerifyBackup(ctx context.Context, file, head string, now func() time.Time, warn func(text string)) (_ *Verified, err error) {
	l, err := ledger.OpenBackup(ctx, file, ledger.Options{Now: now})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	return verify(ctx, l, head, warn)
}

func verify(ctx context.Context, l *ledger.Ledger, head string, warn func(text string)) (*Verified, error) {
	checked, err := l.Verify(ctx, ledger.VerifyOptions{Head: head})
	if err != nil {
		return nil, err
	}
	for _, fault := range checked.Faults {
		warn(fault.String())
	}
	if !checked.OK() {
		return nil, &ledger.DamagedError{Where: l.Where(), Report: checked}
	}
	return &Verified{l.Where(), checked.Entries, checked.Certificates, checked.Head}, nil
}
