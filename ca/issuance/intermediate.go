package issuance

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/dn"
)

// Parent returns the authority that signs an intermediate: the one with a name, or the root above
// the issuing one when the name is empty. A retired one is a *RetiredError.
func (s *Service) Parent(ctx context.Context, name string) (ledger.Authority, error) {
	path, err := s.Path(ctx, name)
	if err != nil {
		return ledger.Authority{}, err
	}
	above := path[0]
	if name == "" {
		above = path[len(path)-1]
	}
	if above.State == ledger.Retired {
		return above, &RetiredError{Name: above.Name}
	}
	return above, nil
}

// AddIntermediate makes an authority of a certificate that IssueCA returned: a has its name, its
// certificate and the name of its parent. It becomes the issuing one, unless keepIssuer is set, or
// its root is being rotated in or out. A name that another process has taken is a *TakenError.
func (s *Service) AddIntermediate(ctx context.Context, a ledger.Authority, keepIssuer bool) (ledger.Authority, error) {
	for {
		added, err := s.addIntermediate(ctx, a, keepIssuer)
		if _, changed := errors.AsType[*ledger.ChangedError](err); !changed {
			return added, err
		}
	} // retried as long as other processes change the authorities: each time one of them succeeds
}

func (s *Service) addIntermediate(ctx context.Context, a ledger.Authority, keepIssuer bool) (ledger.Authority, error) {
	if err := s.CheckNewName(ctx, a.Name); err != nil { // also since the caller asked
		return a, err
	}
	above, err := s.Parent(ctx, a.Parent)
	if err != nil {
		return a, err
	}
	r, err := s.Rotation(ctx)
	if err != nil {
		return a, err
	}
	a.State = above.State
	a.Issuing = !keepIssuer && a.State == ledger.Active && !r.leaving(above.Name)
	return a, s.ledger.SetAuthoritiesSince(ctx, r.all, a)
}

// leaving reports whether an authority is below the root that is being rotated out. If it became
// active, the rotation would be reversed and its end would retire the new root.
func (r *Rotation) leaving(name string) bool {
	return r.Phase() == PhaseSwitched && r.rootOf(name) == r.Old.Name
}

// UnknownRootError reports that a root does not belong to this CA, which has another.
type UnknownRootError struct{ Subject, Current string }

func (e *UnknownRootError) Error() string {
	return fmt.Sprintf("the root %q is not one of this CA, whose root is %q", e.Subject, e.Current)
}

// TakeIn is an authority whose key is here and whose certificate was issued elsewhere.
type TakeIn struct {
	Name       string
	Path       []*x509.Certificate // its certificate and those above it, the root last
	KeepIssuer bool                // if it is new, it does not become the issuing one
	Why        string              // recorded in the ledger
}

// TakeIn records the authorities of a path in the ledger, from the root down, or renews those that
// are known. It returns those that have a new certificate, the first of the path last; with an
// error it returns those that were changed before.
//
// The caller must have checked that the key belongs to the path, with ca.New. Typed errors:
// *UnknownRootError, *TakenError.
func (s *Service) TakeIn(ctx context.Context, t TakeIn) (changed []ledger.Authority, err error) {
	var above ledger.Authority
	for _, cert := range slices.Backward(t.Path[1:]) {
		a, known, err := s.authorityOf(ctx, cert)
		if err != nil {
			return changed, err
		}
		switch {
		case known && !cert.NotAfter.After(a.Certificate.NotAfter):
			above = a
			continue
		case known: // renewed elsewhere
			a.Certificate = cert
		default:
			if a, err = s.foreign(ctx, cert, above); err != nil {
				return changed, err
			}
		}
		if err := s.recordForeign(ctx, ca.Issued{Certificate: cert, Issuer: above.Certificate, Why: t.Why}); err != nil {
			return changed, err
		}
		if err := s.setAuthorities(ctx, a); err != nil {
			return changed, err
		}
		above = a
		changed = append(changed, a)
	}
	own, err := s.takeInOwn(ctx, t, above)
	if err != nil {
		return changed, err
	}
	return append(changed, own), nil
}

// takeInOwn records the authority whose key is here. One with the same name must have the same key:
// then it is renewed.
func (s *Service) takeInOwn(ctx context.Context, t TakeIn, above ledger.Authority) (ledger.Authority, error) {
	cert := t.Path[0]
	a, known, err := s.Known(ctx, t.Name)
	if err != nil {
		return a, err
	}
	issued := ca.Issued{Certificate: cert, Issuer: above.Certificate, Why: t.Why}
	switch {
	case !known:
		r, err := s.Rotation(ctx)
		if err != nil {
			return a, err
		}
		a = ledger.Authority{Name: t.Name, State: above.State}
		a.Issuing = !t.KeepIssuer && a.State == ledger.Active && !r.leaving(above.Name)
	case !ca.SameKey(a.Certificate.PublicKey, cert.PublicKey):
		return a, &TakenError{a.Name}
	case !a.Certificate.Equal(cert):
		issued.Replaces = a.Fingerprint
	}
	a.Certificate, a.Parent = cert, above.Name
	if err := s.recordForeign(ctx, issued); err != nil {
		return a, err
	}
	return a, s.setAuthorities(ctx, a)
}

// foreign names an authority whose key is elsewhere. A ledger without a root accepts any; another
// root is added by rotation only, since hosts must not lose their trust anchor.
func (s *Service) foreign(ctx context.Context, cert *x509.Certificate, above ledger.Authority) (ledger.Authority, error) {
	all, err := s.ledger.Authorities(ctx)
	if err != nil {
		return ledger.Authority{}, err
	}
	a := ledger.Authority{Certificate: cert, Parent: above.Name, State: above.State}
	if above.Name == "" {
		a.Name, a.State = RootName, ledger.Active
		if len(all) > 0 {
			return a, &UnknownRootError{cert.Subject.String(), all[0].Certificate.Subject.String()}
		}
		return a, nil
	}
	base := dn.FileName(cert.Subject.CommonName)
	a.Name = base
	for n := 2; slices.ContainsFunc(all, func(b ledger.Authority) bool { return b.Name == a.Name }); n++ {
		a.Name = fmt.Sprintf("%s-%d", base, n)
	}
	return a, nil
}
