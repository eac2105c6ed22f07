package issuance

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// RotationError says that a step of a rotation needs one that is under way, or one that has
// come further.
type RotationError struct{ text string }

func (e *RotationError) Error() string { return e.text }

// changedSince is the error for a plan whose state is no longer the ledger's.
func changedSince() error {
	return &RotationError{"another process has changed the authorities in the meantime"}
}

func notStarted() error { return &RotationError{"no rotation is under way"} }

// AmbiguousError says that several authorities below a root may be meant.
type AmbiguousError struct {
	Root  string
	Names []string
}

func (e *AmbiguousError) Error() string {
	return fmt.Sprintf("several intermediates are below %q", e.Root)
}

// StartPlan describes what the start of a rotation would do.
type StartPlan struct {
	Old     ledger.Authority
	Name    string            // of the new root
	Started *ledger.Authority // the new root, when the rotation was started before; nil otherwise
}

// PlanStart returns what the start of a rotation would do. While another has been switched and is
// not finished, the error is a *RotationError.
func (s *Service) PlanStart(ctx context.Context) (*StartPlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	if r.Phase() == PhaseSwitched {
		return nil, &RotationError{fmt.Sprintf("the rotation from %q to %q is not finished yet", r.Old.Name, r.Next.Name)}
	}
	return &StartPlan{Old: r.Old, Name: r.newRootName(), Started: r.Next}, nil
}

// RootOptions are the differences of a new root from the old one; of the zero value, its name
// alone.
type RootOptions struct {
	CommonName    string        // empty: the old one's, with a number
	Lifetime      time.Duration // 0: as long as the old one
	AllowWarnings []string      // lint rules that it may break
	Why           string        // for the ledger
}

// Config returns what a new root is to be like: the organization, path length and name
// constraints of the old one.
func (p *StartPlan) Config(o RootOptions) (ca.AuthorityConfig, error) {
	old := p.Old.Certificate
	config, err := ca.ConfigOf(old)
	if err != nil {
		return config, err
	}
	config.Subject.CommonName = cmp.Or(o.CommonName, nextCommonName(old.Subject.CommonName, rootNumber(p.Name)))
	if config.Subject.CommonName == old.Subject.CommonName {
		return config, fmt.Errorf("the new root cannot be called %q as the old one: nobody could tell their certificates and lists apart", old.Subject.CommonName)
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

// Start begins a rotation to a root that is recorded. When another process has begun one since
// the plan was made, to another root, the error is a *RotationError.
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
	return next, s.setAuthority(ctx, next)
}

// NotRootError says that a certificate that was to be a root is issued by another.
type NotRootError struct{ Subject, Issuer string }

func (e *NotRootError) Error() string {
	return fmt.Sprintf("%q is not a root: it is issued by %q", e.Subject, e.Issuer)
}

// KnownRootError says that a root belongs to the CA already.
type KnownRootError struct{ Name string }

func (e *KnownRootError) Error() string {
	return fmt.Sprintf("it is the root %q of this CA already", e.Name)
}

// RecordRoot records a root whose key is elsewhere, before Start. Besides *NotRootError and
// *KnownRootError, errors are those of ca.LintForeign, whose warnings stop nothing.
func (s *Service) RecordRoot(ctx context.Context, cert *x509.Certificate, why string) error {
	if !isRoot(cert) {
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
	return s.recordForeign(ctx, cert, why)
}

// SwitchPlan describes what the switch of a rotation would do.
type SwitchPlan struct {
	To       ledger.Authority // issues then
	Old, New string           // the roots
	Again    bool             // one below the new root issues already
	rotation *Rotation
}

// PlanSwitch returns what the switch of a rotation would do, to an authority below the new root, or
// to the only intermediate there, or to the root itself, when the name is empty. Typed
// errors: *RotationError, *UnknownAuthorityError, *AmbiguousError, *NoKeyError
// and *RevokedAuthorityError.
func (s *Service) PlanSwitch(ctx context.Context, name string) (*SwitchPlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	if r.Next == nil {
		return nil, notStarted()
	}
	to, err := r.switchTarget(name)
	if err != nil {
		return nil, err
	}
	here, err := s.keys.Has(to.Name)
	if err == nil && !here {
		err = &NoKeyError{to.Name}
	}
	if err != nil {
		return nil, err
	}
	path, err := s.Path(ctx, to.Name)
	if err != nil {
		return nil, err
	}
	plan := &SwitchPlan{To: to, Old: r.Old.Name, New: r.Next.Name, Again: r.Phase() == PhaseSwitched, rotation: r}
	return plan, s.NotRevoked(ctx, path)
}

// switchTarget is the authority that is to issue.
func (r *Rotation) switchTarget(name string) (ledger.Authority, error) {
	var usable []ledger.Authority
	for _, a := range r.below(r.Next.Name) {
		if a.State != ledger.Retired {
			usable = append(usable, a)
		}
	}
	var names []string
	for _, a := range usable {
		if names = append(names, a.Name); a.Name == name {
			return a, nil
		}
	}
	switch {
	case name != "":
		return ledger.Authority{}, fmt.Errorf("%q is not below the new root %q: %w", name, r.Next.Name, &UnknownAuthorityError{name, names})
	case r.Phase() == PhaseSwitched:
		return r.Issuing, nil
	case len(usable) <= 2:
		return usable[0], nil // the root comes last
	}
	return ledger.Authority{}, &AmbiguousError{r.Next.Name, names}
}

// Switch makes an authority below the new root issue. That is the one entry that counts; the
// states that follow from it are set after. When the authorities have changed since the plan was
// made, the error is a *RotationError.
func (s *Service) Switch(ctx context.Context, p *SwitchPlan) error {
	if err := s.unchanged(ctx, p.rotation); err != nil {
		return err
	}
	to := p.To
	if !to.Issuing || to.State != ledger.Active {
		to.Issuing, to.State = true, ledger.Active
		if err := s.setAuthority(ctx, to); err != nil {
			return err
		}
	}
	for _, a := range p.rotation.below(p.New) {
		if a.State != ledger.Next || a.Name == to.Name {
			continue
		}
		a.State, a.Issuing = ledger.Active, false
		if err := s.setAuthority(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// RetirePlan describes what the end of a rotation would do.
type RetirePlan struct {
	Root     string // is retired, with all below it
	Stays    string // the root that stays
	Done     bool   // it was done before
	Needed   Tally  // by hosts that have no certificate below the root that stays
	rotation *Rotation
}

// PlanFinish returns what the finish of a rotation would do: the old root is retired. Before the
// switch the error is a *RotationError.
func (s *Service) PlanFinish(ctx context.Context) (*RetirePlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	switch r.Phase() {
	case PhaseNone:
		if rootNumber(r.Old.Name) <= r.lastRetired() || r.lastRetired() == 0 {
			return nil, notStarted()
		}
		return &RetirePlan{Stays: r.Old.Name, Done: true}, nil
	case PhaseStarted:
		return nil, &RotationError{fmt.Sprintf("%q still issues; the rotation to %q has not come to the switch", r.Issuing.Name, r.Next.Name)}
	}
	return s.planRetire(ctx, r, r.Old.Name, r.Next.Name)
}

// PlanAbort returns what the abort of a rotation would do: the new root is retired. After the switch
// the error is a *RotationError.
func (s *Service) PlanAbort(ctx context.Context) (*RetirePlan, error) {
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	switch r.Phase() {
	case PhaseNone:
		if rootNumber(r.Old.Name) >= r.lastRetired() {
			return nil, notStarted()
		}
		return &RetirePlan{Stays: r.Old.Name, Done: true}, nil
	case PhaseSwitched:
		return nil, &RotationError{fmt.Sprintf("%q issues already; the rotation to it can only be finished", r.Issuing.Name)}
	}
	return s.planRetire(ctx, r, r.Next.Name, r.Old.Name)
}

func (s *Service) planRetire(ctx context.Context, r *Rotation, root, stays string) (*RetirePlan, error) {
	needed, err := s.Tally(ctx, r, stays)
	return &RetirePlan{Root: root, Stays: stays, Needed: needed, rotation: r}, err
}

// Retire ends a rotation. It takes a root and all below out of use, the root last: until then
// the step can be run again. The root that stays is active then, also after a switch that was
// interrupted. When the authorities have changed since the plan was made, the error is a
// *RotationError.
func (s *Service) Retire(ctx context.Context, p *RetirePlan) error {
	if p.Done {
		return nil
	}
	if err := s.unchanged(ctx, p.rotation); err != nil {
		return err
	}
	for _, a := range p.rotation.Roots() {
		if a.Name == p.Stays && a.State != ledger.Active {
			a.State = ledger.Active
			if err := s.setAuthority(ctx, a); err != nil {
				return err
			}
		}
	}
	for _, a := range p.rotation.below(p.Root) {
		if a.State == ledger.Retired {
			continue
		}
		a.State, a.Issuing = ledger.Retired, false
		if err := s.setAuthority(ctx, a); err != nil {
			return err
		}
	}
	return nil
}

// unchanged refuses to act on a state that has changed: the person who confirmed the plan saw another.
func (s *Service) unchanged(ctx context.Context, r *Rotation) error {
	now, err := s.Rotation(ctx)
	if err != nil {
		return err
	}
	if !slices.EqualFunc(now.all, r.all, func(a, b ledger.Authority) bool {
		return a.Name == b.Name && a.State == b.State && a.Issuing == b.Issuing && a.Parent == b.Parent && a.Certificate.Equal(b.Certificate)
	}) {
		return changedSince()
	}
	return nil
}
