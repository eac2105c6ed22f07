package issuance

import (
	"context"
	"crypto/x509"
	"time"

	"kedge/ca"
)

// probeLifetime is the longest lifetime of a probe's certificate.
const probeLifetime = time.Hour

// Probe issues a certificate as a host with that name gets it, for one session at AWS. It is recorded as that of a
// probe: it joins no lineage, and is never renewed. The caller keeps its key in memory only. Errors are those of
// Prepare and of ledger.Ledger.Record; a name to which certificates are denied is a *ledger.DeniedError.
func (i *Issuer) Probe(ctx context.Context, p *ca.Profile, r ca.Request) (*x509.Certificate, error) {
	r.Probe, r.Published = true, i.published()
	r.Lifetime, r.Longest = 0, probeLifetime
	prepared, err := i.authority.PrepareLeaf(p, r, i.service.now())
	if err != nil {
		return nil, err
	}
	return prepared.Issue(ctx, i.service.ledger)
}
