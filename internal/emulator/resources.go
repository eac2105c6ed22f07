package emulator

import (
	"cmp"
	"fmt"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/rolesanywhere"
)

// The trust anchors, profiles and CRLs of the configuration, and of the functions below, are those of
// the control plane.

// seedName is the name of the resources of a configuration. Names need not be unique.
const seedName = "kedge"

// ErrBasicConstraints is returned if a trust anchor's certificate is not one of a CA.
var ErrBasicConstraints = rolesanywhere.ErrBasicConstraints

// AnchorError reports which trust anchor is refused.
type AnchorError struct {
	Anchor string // its file, or its ARN if there is no file
	Err    error  // ErrBasicConstraints, or another fault of the certificate or CRL
}

func (e *AnchorError) Error() string { return fmt.Sprintf("trust anchor %s: %v", e.Anchor, e.Err) }

// Unwrap returns the reason.
func (e *AnchorError) Unwrap() error { return e.Err }

// resource returns the trust anchor of the control plane, checked.
func (t TrustAnchor) resource() (*rolesanywhere.TrustAnchor, error) {
	if _, err := arn.Parse(t.ARN, rolesService, "trust-anchor"); err != nil {
		return nil, err
	}
	a := &rolesanywhere.TrustAnchor{
		Base:   rolesanywhere.Base{ARN: t.ARN, Name: seedName, Alias: t.Alias, Enabled: !t.Disabled},
		Source: rolesanywhere.Bundle(t.Certificates),
	}
	if err := a.Validate(); err != nil {
		return nil, &AnchorError{cmp.Or(t.File, t.ARN), err}
	}
	return a, nil
}

// seedAnchor adds a trust anchor of the configuration, with its CRLs.
func (e *Emulator) seedAnchor(t TrustAnchor) error {
	a, err := t.resource()
	if err == nil {
		err = e.resources.SeedTrustAnchor(a, e.config.Now())
	}
	if err != nil {
		return err
	}
	return e.addCRLs(t)
}

func (e *Emulator) addCRLs(t TrustAnchor) error {
	for _, data := range t.CRLs {
		if err := e.resources.SeedCRL(t.ARN, data, e.config.Now()); err != nil {
			return fmt.Errorf("trust anchor %s: %w", cmp.Or(t.File, t.ARN), err)
		}
	}
	return nil
}

// resource returns the profile of the control plane.
func (p Profile) resource() *rolesanywhere.Profile {
	r := &rolesanywhere.Profile{
		Base:     rolesanywhere.Base{ARN: p.ARN, Name: seedName, Alias: p.Alias, Enabled: !p.Disabled},
		RoleARNs: p.RoleARNs, DurationSeconds: int64(p.Duration / time.Second), AcceptRoleSessionName: p.AcceptRoleSessionName,
	}
	r.SetDefaultMappings()
	return r
}

// AddTrustAnchor adds a trust anchor, or replaces the one with the same ARN, with the checks of
// CreateTrustAnchor. It returns the ARN, which is generated if t has none. It is not kept in the state
// folder.
func (e *Emulator) AddTrustAnchor(t TrustAnchor) (string, error) {
	for i := 0; t.ARN == ""; i++ {
		if name := e.config.madeUpARN("trust-anchor", i); e.resources.TrustAnchor(name) == nil {
			t.ARN = name
		}
	}
	a, err := t.resource()
	if err == nil {
		err = e.resources.InstallTrustAnchor(a, e.config.Now())
	}
	if err == nil {
		err = e.addCRLs(t)
	}
	if err != nil {
		return "", err
	}
	return t.ARN, nil
}

// PutProfile adds a profile, or replaces the one with the same ARN. It is not kept in the state folder.
func (e *Emulator) PutProfile(p Profile) error {
	p = e.config.profileDefaults(p, 0)
	if err := p.validate(); err != nil {
		return err
	}
	return e.resources.InstallProfile(p.resource(), e.config.Now())
}

// ImportCRL adds a CRL, PEM or DER, to a trust anchor: at most 300,000 bytes as uploaded, two per
// anchor, signed by the anchor's own CA (guide, "revocation"). It applies to sessions that are
// created from now on. Without an ARN it is added to each anchor whose CA signed it. It returns the
// ARNs of the anchors to which it was added, also with an error.
func (e *Emulator) ImportCRL(anchorARN string, data []byte) ([]string, error) {
	targets := []string{anchorARN}
	if anchorARN == "" {
		var err error
		if targets, err = e.resources.Signers(data); err != nil {
			return nil, err
		}
	}
	for i, name := range targets {
		if err := e.resources.AddCRL(name, data, e.config.Now()); err != nil {
			return targets[:i], fmt.Errorf("trust anchor %s: %w", name, err)
		}
	}
	return targets, nil
}
