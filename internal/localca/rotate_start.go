package localca

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
)

// RotationStart specifies to which root a rotation leads.
type RotationStart struct {
	Root issuance.RootOptions // of a root that is made; AllowWarnings and Why are for Foreign too
	// Key returns the request for its key. oldType is the type of the old root's key.
	Key     func(oldType string) (cadir.KeyRequest, error)
	Foreign string // file of a root whose key is elsewhere, instead of one that is made
}

// StartRotation makes a root, or takes in a foreign one, and starts the rotation to it. A rotation
// that is started already stays as it is.
func (c *CA) StartRotation(ctx context.Context, o RotationStart) error {
	o.Root.Why = cmp.Or(o.Root.Why, "rotation")
	plan, err := c.Service.PlanStart(ctx)
	if err != nil {
		return err
	}
	if next := plan.Started; next != nil {
		if err := c.CheckCopy(next.Name, next.Certificate); err != nil {
			return err
		}
		c.done("the rotation to %q is started already", next.Name)
		return nil
	}
	var cert *x509.Certificate
	if o.Foreign != "" {
		cert, err = c.foreignRoot(ctx, o)
	} else {
		cert, err = c.newRoot(ctx, plan, o)
	}
	if err != nil {
		return err
	}
	next, err := c.Service.Start(ctx, plan, cert)
	if err != nil {
		return err
	}
	if err := c.WriteCopies(next); err != nil {
		return err
	}
	c.tellStarted(plan.Old, next)
	return nil
}

// newRoot creates a root like the old one.
func (c *CA) newRoot(ctx context.Context, plan *issuance.StartPlan, o RotationStart) (cert *x509.Certificate, err error) {
	config, err := plan.Config(o.Root)
	if err != nil {
		return nil, err
	}
	request, err := o.Key(ca.KeyType(plan.Old.Certificate.PublicKey))
	if err != nil {
		return nil, err
	}
	if err := atomicfile.Vacant(c.folder.CertificatePath(plan.Name)); err != nil {
		return nil, err
	}
	request.Authority = plan.Name
	key, err := c.config.Keys.New(ctx, request)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	prepared, err := ca.PrepareRoot(key, config, c.now())
	if err != nil {
		return nil, err
	}
	cert, err = c.IssueCA(ctx, key, prepared)
	if err != nil {
		return nil, err
	}
	c.done("made the root %q, valid until %s", cert.Subject.CommonName, until(cert))
	c.config.tellKey(key)
	return cert, nil
}

// foreignRoot records a root whose key is elsewhere.
func (c *CA) foreignRoot(ctx context.Context, o RotationStart) (*x509.Certificate, error) {
	cert, err := cadir.ReadCertificate(o.Foreign)
	if err != nil {
		return nil, err
	}
	err = c.Service.RecordRoot(ctx, cert, o.Root.Why)
	if _, ok := errors.AsType[*issuance.NotRootError](err); ok {
		return nil, fmt.Errorf("%s is not a root: %q is issued by %q", o.Foreign, cert.Subject, cert.Issuer)
	}
	if known, ok := errors.AsType[*issuance.KnownRootError](err); ok {
		return nil, fmt.Errorf("%s is the root %q of this CA already", o.Foreign, known.Name)
	}
	if err != nil {
		return nil, err
	}
	warnings, err := Foreign{File: o.Foreign, Name: "NAME", Path: []*x509.Certificate{cert}}.Lint(o.Root.AllowWarnings, c.now())
	if err != nil {
		return nil, err
	}
	c.config.warnAll(warnings)
	c.done("took in the root %q, valid until %s", cert.Subject.CommonName, until(cert))
	return cert, nil
}

// tellStarted reports what to do next.
func (c *CA) tellStarted(old, next ledger.Authority) {
	if _, err := issuance.AnchorPEM(old, next); err != nil {
		c.config.Warn(fmt.Sprintf("%v; register the new one as a trust anchor of its own: kedge-ca bundle --authority %s", err, next.Name))
	} else {
		c.done("update the trust anchor at AWS with \"kedge-ca bundle\", which has %q and %q now; then: kedge-ca rotate switch", old.Name, next.Name)
	}
	if old.Certificate.Subject.CommonName != next.Certificate.Subject.CommonName {
		c.done("policies that compare aws:PrincipalTag/x509Issuer/CN must allow %q too", next.Certificate.Subject.CommonName)
	}
}

// until is the day on which a certificate ends.
func until(cert *x509.Certificate) string { return cert.NotAfter.UTC().Format(time.DateOnly) }
