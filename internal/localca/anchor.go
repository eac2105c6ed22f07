package localca

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
)

// TrustAnchors returns the ARNs of this CA's trust anchors: those in its folder, and the one that the
// configuration names for hosts, which can be of another region or account.
func (c *CA) TrustAnchors() ([]string, error) {
	known, err := c.folder.Places()
	if err != nil {
		return nil, err
	}
	return c.allAnchors(known), nil
}

func (c *CA) allAnchors(known *cadir.Places) []string {
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
// then the one that the configuration names for hosts. Of several places it is the first that has one.
func (c *CA) HostAnchor(ctx context.Context, issuers []string) (HostAnchor, error) {
	known, err := c.folder.Places()
	if err != nil {
		return HostAnchor{}, err
	}
	return c.hostAnchor(ctx, issuers, known, known.All)
}

// hostAnchor is HostAnchor in some of the places that are known.
func (c *CA) hostAnchor(ctx context.Context, issuers []string, known *cadir.Places, in []*cadir.AWS) (HostAnchor, error) {
	path, err := c.pathOf(ctx, issuers)
	if err != nil {
		return HostAnchor{}, err
	}
	var above, roots string
	for _, at := range in {
		above, roots = cmp.Or(above, anchorAbove(at, path)), cmp.Or(roots, at.TrustAnchor)
	}
	chosen := HostAnchor{ARN: cmp.Or(above, roots, c.Settings.Server.AWS.TrustAnchorARN)}
	for _, other := range c.allAnchors(known) {
		if other != chosen.ARN && !slices.Contains(chosen.Others, other) {
			chosen.Others = append(chosen.Others, other)
		}
	}
	return chosen, nil
}

// pathOf returns the one authority and those above it; none, if there are several, or none that issues.
func (c *CA) pathOf(ctx context.Context, issuers []string) ([]ledger.Authority, error) {
	if len(issuers) > 1 {
		return nil, nil
	}
	path, err := c.Service.Path(ctx, cmp.Or(issuers...))
	if len(issuers) == 0 && errors.Is(err, issuance.ErrNoAuthority) {
		return nil, nil
	}
	return path, err
}

// anchorAbove returns the trust anchor that holds the first authority of a path that has one of its own; empty: none has.
func anchorAbove(at *cadir.AWS, path []ledger.Authority) string {
	for _, authority := range path {
		if arn := at.TrustAnchors[authority.Name]; arn != "" {
			return arn
		}
	}
	return ""
}
