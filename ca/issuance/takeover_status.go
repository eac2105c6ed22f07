package issuance

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
)

// MayMiss returns the names of the authorities that were created elsewhere, unless the operator has
// stated that the ledger has all they issued and revoked before: their CRLs may lack revocations.
func (s *Service) MayMiss(ctx context.Context) ([]string, error) {
	names, err := s.ledger.MayMiss(ctx)
	return slices.Sorted(maps.Keys(names)), err
}

// takeOverStatus adds what to do about authorities that were created elsewhere, and what their
// certificates lack.
func (s *Service) takeOverStatus(ctx context.Context, c *Status) error {
	missing, err := s.MayMiss(ctx)
	if err != nil {
		return err
	}
	for _, name := range missing {
		c.Needs = append(c.Needs, fmt.Sprintf("what %s issued and revoked before it was taken over may be missing here: kedge-ca ledger import PATH takes it in, and --nothing-missing says that all of it is there", name))
	}
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return err
	}
	for _, a := range all {
		if err := s.foreignWarnings(ctx, a, c); err != nil {
			return err
		}
	}
	return nil
}

// foreignWarnings adds the lint warnings of an authority whose certificate was issued elsewhere.
// Its expiry is among the needs.
func (s *Service) foreignWarnings(ctx context.Context, a ledger.Authority, c *Status) error {
	foreign, err := s.ledger.IsImported(ctx, a.Fingerprint)
	if err != nil || !foreign || a.State == ledger.Retired {
		return err
	}
	path, err := s.Path(ctx, a.Name)
	if err != nil || len(path) == 1 && !ca.IsRoot(a.Certificate) {
		return nil // the certificates above it are unknown
	}
	var issuers []*x509.Certificate
	for _, above := range path[1:] {
		issuers = append(issuers, above.Certificate)
	}
	findings, err := ca.LintForeign(a.Certificate, issuers, s.now())
	if broken, ok := errors.AsType[*ca.LintError](err); ok {
		findings = append(findings, broken.Findings...)
	}
	for _, f := range findings {
		if f.Rule != "in-date" {
			c.Warnings = append(c.Warnings, fmt.Sprintf("the certificate of %s %s (%s)", a.Name, f.Text, f.Rule))
		}
	}
	return nil
}
