package main

import (
	"context"

	"kedge/ca"
	"kedge/internal/certinfo"
)

// renewAuthority renews the certificate of a CA.
func (o *renewOptions) renewAuthority(ctx context.Context, s *store) error {
	issued, err := s.RenewAuthority(ctx, o.authority, ca.Renewal{Lifetime: o.lifetime, AllowWarnings: o.allow, Why: o.why}, o.confirm.asker(o.host))
	if err != nil || !o.output.json {
		return err
	}
	return o.writeIssued(nil, func(yield func(issuedJSON, error) bool) {
		yield(issuedJSON{certinfo.OfIssued(issued), s.flags.authorityFiles(o.authority)}, nil)
	})
}
