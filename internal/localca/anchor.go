package localca

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"kedge/ca/issuance"
	"kedge/internal/cadir"
)

// TrustAnchors returns the ARNs of this CA's trust anchors: those in its folder, and the one that the
// configuration names for hosts, which can be of another region or account.
func (c *CA) TrustAnchors() ([]string, error) {
	known, err := c.folder.AWS()
	if err != nil {
		return nil, err
	}
	return c.allAnchors(known), nil
}

// AWS returns the ARNs in the CA's folder.
func (c *CA) AWS() (*cadir.AWS, error) { return c.folder.AWS() }

// WriteAWS replaces the ARNs in the CA's folder.
func (c *CA) WriteAWS(a *cadir.AWS) error { return c.folder.WriteAWS(a) }

// ChangeAWS changes the ARNs in the CA's folder.
func (c *CA) ChangeAWS(change func(*cadir.AWS)) error {
	known, err := c.AWS()
	if err != nil {
		return err
	}
	change(known)
	return c.WriteAWS(known)
}

func (c *CA) allAnchors(known *cadir.AWS) []string {
	all := known.Anchors()
	if arn := c.Settings.Server.AWS.TrustAnchorARN; arn != "" && !slices.Contains(all, arn) {
		all = append(all, arn)
	}
	return all
}

// HostAnchor is the trust anchor that hosts use.
type HostAnchor struct {
	ARN    string   // empty: none is known
	Others []string // of this CA, that were not taken
}

// HostAnchor returns the trust anchor of hosts whose certificates these authorities issue; without any, the
// issuing one. It is that of the single authority or of the nearest one above it, then that of the roots,
// then the one that the configuration names for hosts.
func (c *CA) HostAnchor(ctx context.Context, issuers []string) (HostAnchor, error) {
	known, err := c.folder.AWS()
	if err != nil {
		return HostAnchor{}, err
	}
	arn, err := c.anchorAbove(ctx, known, issuers)
	if err != nil {
		return HostAnchor{}, err
	}
	chosen := HostAnchor{ARN: cmp.Or(arn, known.TrustAnchor, c.Settings.Server.AWS.TrustAnchorARN)}
	for _, other := range c.allAnchors(known) {
		if other != chosen.ARN && !slices.Contains(chosen.Others, other) {
			chosen.Others = append(chosen.Others, other)
		}
	}
	return chosen, nil
}

// anchorAbove returns the trust anchor that holds an authority or the nearest one above it; empty: none has
// one of its own.
func (c *CA) anchorAbove(ctx context.Context, known *cadir.AWS, issuers []string) (string, error) {
	if len(issuers) > 1 {
		return "", nil
	}
	path, err := c.Service.Path(ctx, cmp.Or(issuers...))
	if len(issuers) == 0 && errors.Is(err, issuance.ErrNoAuthority) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	for _, authority := range path {
		if arn := known.TrustAnchors[authority.Name]; arn != "" {
			return arn, nil
		}
	}
	return "", nil
}
