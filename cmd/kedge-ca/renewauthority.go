package main

import (
	"context"
	"crypto/sha256"
	"fmt"

	"kedge/ca"
	"kedge/internal/atomicfile"
	"kedge/internal/certinfo"
	"kedge/internal/hostfiles"
	"kedge/internal/report"
)

// renewAuthority renews the certificate of a CA: in the ledger first, then in the file.
func (o *renewOptions) renewAuthority(ctx context.Context, s *store) error {
	path, err := s.Service.Path(ctx, o.authority)
	if err != nil {
		return err
	}
	if err := s.Service.NotRevoked(ctx, path); err != nil {
		return err
	}
	by := path[len(path)-1]
	if len(path) > 1 {
		by = path[1]
	}
	if _, err := s.Authority(ctx, by.Name); err != nil {
		return err
	}
	plan, err := s.Service.PlanAuthorityRenewal(ctx, o.authority, ca.Renewal{Lifetime: o.lifetime, AllowWarnings: o.allow, Why: o.why})
	if err != nil {
		return err
	}
	old := plan.Old
	if plan.Until.Before(old.Certificate.NotAfter) {
		question := fmt.Sprintf("end the authority %q at %s, sooner than now, at %s?", old.Name, report.Time(plan.Until), report.Time(old.Certificate.NotAfter))
		if err := o.confirm.ask(o.host, question); err != nil {
			return err
		}
	}
	at := o.inputs.Now()
	cert, err := s.Service.RenewAuthority(ctx, plan)
	if err != nil {
		return err
	}
	file := s.flags.certPath(old.Name)
	if err := atomicfile.Write(file, hostfiles.CertificatePEM(cert), 0o644); err != nil {
		return err
	}
	o.say("renewed the authority " + certinfo.InWords(old.Name, cert) + ": " + file)
	if plan.Root {
		o.say("register " + file + " at IAM Roles Anywhere, beside or instead of the old one")
	}
	sum := sha256.Sum256(old.Certificate.Raw)
	if !o.output.json {
		return nil
	}
	issued := certinfo.OfIssued(ca.Issued{Certificate: cert, Why: o.why, Replaces: sum[:], At: at})
	return o.writeIssued(nil, func(yield func(issuedJSON, error) bool) {
		yield(issuedJSON{issued, s.flags.authorityFiles(old.Name)}, nil)
	})
}
