package localca

import (
	"context"
	"crypto/sha256"
	"fmt"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// RenewAuthority renews the certificate of an authority: in the ledger first, then in NAME.pem. It
// asks first if the authority would end sooner than it does now.
func (c *CA) RenewAuthority(ctx context.Context, name string, r ca.Renewal, ask Ask) (ca.Issued, error) {
	if err := c.openSigner(ctx, name); err != nil {
		return ca.Issued{}, err
	}
	plan, err := c.Service.PlanAuthorityRenewal(ctx, name, r)
	if err != nil {
		return ca.Issued{}, err
	}
	old := plan.Old
	if plan.Until.Before(old.Certificate.NotAfter) {
		question := fmt.Sprintf("end the authority %q at %s, sooner than now, at %s?", old.Name, report.Time(plan.Until), report.Time(old.Certificate.NotAfter))
		if err := ask(question); err != nil {
			return ca.Issued{}, err
		}
	}
	at := c.now()
	cert, err := c.Service.RenewAuthority(ctx, plan)
	if err != nil {
		return ca.Issued{}, err
	}
	if err := c.WriteCopies(ledger.Authority{Name: old.Name, Certificate: cert}); err != nil {
		return ca.Issued{}, err
	}
	file := c.folder.CertificatePath(old.Name)
	c.done("renewed the authority %q, serial %s, valid until %s: %s", old.Name, ca.SerialHex(cert), report.Time(cert.NotAfter), file)
	if plan.Root {
		c.done("register %s at IAM Roles Anywhere, beside or instead of the old one", file)
	}
	sum := sha256.Sum256(old.Certificate.Raw)
	return ca.Issued{Certificate: cert, Why: r.Why, Replaces: sum[:], At: at}, nil
}

// openSigner opens the authority that signs the certificate of another: its parent, or itself if it is
// a root. Nothing above it may be revoked.
func (c *CA) openSigner(ctx context.Context, name string) error {
	path, err := c.Service.Path(ctx, name)
	if err != nil {
		return err
	}
	if err := c.Service.NotRevoked(ctx, path); err != nil {
		return err
	}
	_, err = c.Authority(ctx, path[min(1, len(path)-1)].Name)
	return err
}
