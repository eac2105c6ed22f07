package localca

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/awscli"
	"kedge/internal/cadir"
)

// CRL is a certificate revocation list and its files. The tags are those of kedge-ca's JSON.
type CRL struct {
	issuance.CRL
	File    string `json:"file"`
	DERFile string `json:"der_file"`

	// MayMiss is set if the list may lack what its authority revoked before it was taken over.
	MayMiss bool `json:"-"`
}

// CRLRequest specifies which lists to make.
type CRLRequest struct {
	Authorities []ledger.Authority  // see issuance.Service.ToList
	Terms       issuance.CRLRequest // for each list; if Valid is 0, that of the configuration applies
}

// MakeCRLs makes the lists of authorities, writes their files, and calls made after each. It opens the
// keys of all before it makes the first. With Terms.Drop it calls agree before too, with each list whose
// revocations would end, and makes none if that returns an error. Other errors are an *UnlistedError for
// a key that cannot be opened, and those of issuance.Service.PublishCRL.
func (c *CA) MakeCRLs(ctx context.Context, r CRLRequest, agree func(*issuance.ForgottenError) error, made func(*CRL)) ([]*CRL, error) {
	r.Terms.Valid = cmp.Or(r.Terms.Valid, time.Duration(c.Settings.CRL.Valid))
	if err := c.OpenAll(ctx, r.Authorities); err != nil {
		return nil, err
	}
	if err := c.folder.MakeCRLFolder(); err != nil {
		return nil, err
	}
	if err := c.agreeToDrop(ctx, r, agree); err != nil {
		return nil, err
	}
	missing, err := c.Service.MayMiss(ctx)
	if err != nil {
		return nil, err
	}
	var all []*CRL
	for _, a := range r.Authorities {
		list, err := c.makeCRL(ctx, a.Name, r.Terms)
		if err != nil {
			return nil, err
		}
		list.MayMiss = slices.Contains(missing, a.Name)
		made(list)
		all = append(all, list)
	}
	return all, nil
}

// agreeToDrop calls agree with each list whose revocations would end.
func (c *CA) agreeToDrop(ctx context.Context, r CRLRequest, agree func(*issuance.ForgottenError) error) error {
	if !r.Terms.Drop {
		return nil
	}
	all, err := c.Service.ToDrop(ctx, r.Authorities)
	if err != nil {
		return err
	}
	for _, forgotten := range all {
		if err := agree(forgotten); err != nil {
			return err
		}
	}
	return nil
}

func (c *CA) makeCRL(ctx context.Context, authority string, r issuance.CRLRequest) (*CRL, error) {
	var files cadir.CRLFiles
	r.Authority = authority
	m, err := c.Service.PublishCRL(ctx, r, func(m *issuance.CRL) (err error) {
		files, err = c.folder.WriteCRL(m.Authority, m.Base != 0, m.DER, m.PEM)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &CRL{CRL: *m, File: files.PEM, DERFile: files.DER}, nil
}

// ARNs are what a user gives about a list at IAM Roles Anywhere. What is empty is read from the CA's folder.
type ARNs struct {
	Anchor string // of the trust anchor
	CRL    string // of the list, for one authority
}

// Check refuses invalid ARNs. Errors name the flags of kedge-ca crl.
func (a ARNs) Check() error {
	if a.Anchor != "" {
		if _, err := cadir.ParseARN(a.Anchor, cadir.TrustAnchorARN); err != nil {
			return fmt.Errorf("--trust-anchor: %w", err)
		}
	}
	if a.CRL != "" {
		if _, err := cadir.ParseReference(a.CRL, cadir.CRLARN); err != nil {
			return fmt.Errorf("--crl: %w", err)
		}
	}
	return nil
}

// CRLTargets returns where the lists of authorities go at IAM Roles Anywhere, for each authority in all places where that
// is known, or one that is not known. It is by the ARNs in the CA's folder and those given, which are stored there unless
// one does not fit. kept is then the path of the file. The list of a root goes to the trust anchor that the configuration
// names for hosts, too, unless another one is known in its place.
func (c *CA) CRLTargets(ctx context.Context, authorities []ledger.Authority, given ARNs) (all [][]awscli.CRL, kept string, err error) {
	if given != (ARNs{}) {
		unlock, err := c.folder.LockAWS(ctx)
		if err != nil {
			return nil, "", err
		}
		defer unlock()
	}
	known, err := c.folder.Places()
	if err != nil {
		return nil, "", err
	}
	first, one := authorities[0], len(authorities) == 1
	if given.CRL != "" {
		if !one {
			return nil, "", errors.New("--crl is the ARN of one list; name its authority with --issuer")
		}
		known.SetCRL(first.Name, given.CRL)
	}
	if given.Anchor != "" {
		owner := "" // the roots
		if one && first.Parent != "" {
			owner = first.Name
		}
		known.SetAnchor(owner, given.Anchor)
	}
	for _, a := range authorities {
		lists, err := c.crlsOf(a, known)
		if err != nil {
			return nil, "", err
		}
		all = append(all, lists)
	}
	if given == (ARNs{}) {
		return all, "", nil
	}
	return all, c.folder.AWSPath(), c.folder.WritePlaces(known)
}

// crlsOf returns the lists of an authority, one for each place where it is known.
func (c *CA) crlsOf(a ledger.Authority, known *cadir.Places) (all []awscli.CRL, err error) {
	isRoot, anchored := a.Parent == "", false
	places := known.All
	if configured := c.Settings.Server.AWS.TrustAnchorARN; isRoot && configured != "" && known.At(cadir.PlaceOf(configured)).TrustAnchor == "" {
		at := *known.At(cadir.PlaceOf(configured))
		at.TrustAnchor = configured
		places = append(slices.DeleteFunc(slices.Clone(places), func(other *cadir.AWS) bool { return other.Place() == at.Place() }), &at)
	}
	for _, at := range places {
		list, err := awscli.FindCRL(at, a.Name, isRoot)
		if err != nil {
			return nil, err
		}
		if list.IsKnown() {
			all, anchored = append(all, list), anchored || list.Anchor().Text != ""
		}
	}
	for _, list := range all {
		if anchored && list.Anchor().Text == "" {
			return nil, fmt.Errorf("a list of %q and its trust anchor are in different accounts or regions: there is no trust anchor for %s; remove it under crls in %s if that has it", a.Name, list.ARN(), c.folder.AWSPath())
		}
	}
	if len(all) == 0 {
		list, err := awscli.FindCRL(new(cadir.AWS), a.Name, isRoot)
		return []awscli.CRL{list}, err
	}
	return all, nil
}
