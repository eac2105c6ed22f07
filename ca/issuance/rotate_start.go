package issuance

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// StartPlan describes what the start of a rotation would do.
type StartPlan struct {
	Old     ledger.Authority
	Name    string            // of the new root
	Started *ledger.Authority // the new root, if the rotation has started already; else nil

	rotation *Rotation
}

// PlanStart returns what the start of a rotation would do. If another has been switched and is not
// finished, the error is a *RotationError.
func (s *Service) PlanStart(ctx context.Context) (*StartPlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	if r.Phase() == PhaseSwitched {
		return nil, &RotationError{fmt.Sprintf("the rotation from %q to %q is not finished yet", r.Old.Name, r.Next.Name)}
	}
	return &StartPlan{Old: r.Old, Name: r.newRootName(), Started: r.Next, rotation: r}, nil
}

// RootOptions are the differences of a new root from the old one; by default, only its name.
type RootOptions struct {
	CommonName    string        // empty: the old one's, with a number
	Lifetime      time.Duration // 0: as long as the old one
	AllowWarnings []string      // lint rules that it may break
	Why           string        // for the ledger
}

// Config returns the configuration of a new root: the organization, path length and name
// constraints of the old one.
func (p *StartPlan) Config(o RootOptions) (ca.AuthorityConfig, error) {
	old := p.Old.Certificate
	config, err := ca.ConfigOf(old)
	if err != nil {
		return config, err
	}
	config.Subject.CommonName = cmp.Or(o.CommonName, nextCommonName(old.Subject.CommonName, rootNumber(p.Name)))
	if config.Subject.CommonName == old.Subject.CommonName {
		return config, fmt.Errorf("the new root cannot be called %q as the old one: their certificates and lists could not be told apart", old.Subject.CommonName)
	}
	config.AllowWarnings, config.Why = o.AllowWarnings, o.Why
	if o.Lifetime > 0 {
		config.Lifetime = o.Lifetime
	}
	return config, nil
}

// nextCommonName numbers a name: "kedge CA", "kedge CA 2", "kedge CA 3".
func nextCommonName(old string, number int) string {
	base := strings.TrimSuffix(old, fmt.Sprintf(" %d", number-1))
	return fmt.Sprintf("%s %d", base, number)
}

// Start begins a rotation to a root that is recorded. If another process has started one to another
// root since the plan, the error is a *RotationError.
func (s *Service) Start(ctx context.Context, p *StartPlan, root *x509.Certificate) (ledger.Authority, error) {
	now, err := s.PlanStart(ctx)
	if err != nil {
		return ledger.Authority{}, err
	}
	if begun := now.Started; begun != nil && begun.Name == p.Name && begun.Certificate.Equal(root) {
		return *begun, nil
	}
	if now.Started != nil || now.Name != p.Name {
		return ledger.Authority{}, changedSince()
	}
	next := ledger.Authority{Name: p.Name, State: ledger.Next, Certificate: root}
	return next, s.setSince(ctx, now.rotation, next)
}

// NotRootError reports a certificate that should be a root and was issued by another CA.
type NotRootError struct{ Subject, Issuer string }

func (e *NotRootError) Error() string {
	return fmt.Sprintf("%q is not a root: it is issued by %q", e.Subject, e.Issuer)
}

// KnownRootError reports that a root belongs to the CA already.
type KnownRootError struct{ Name string }

func (e *KnownRootError) Error() string {
	return fmt.Sprintf("it is the root %q of this CA already", e.Name)
}

// RecordRoot records a root whose key is elsewhere, before Start. Errors are *NotRootError,
// *KnownRootError and those of ca.LintForeign, whose warnings are no errors.
func (s *Service) RecordRoot(ctx context.Context, cert *x509.Certificate, why string) error {
	if !ca.IsRoot(cert) {
		return &NotRootError{cert.Subject.String(), cert.Issuer.String()}
	}
	if err := CheckValidity(s.now(), cert); err != nil {
		return err
	}
	a, known, err := s.authorityOf(ctx, cert)
	if err == nil && known {
		err = &KnownRootError{a.Name}
	}
	if err != nil {
		return err
	}
	if _, err := ca.LintForeign(cert, nil, s.now()); err != nil {
		return err
	}
	return s.recordForeign(ctx, ca.Issued{Certificate: cert, Why: why})
}
