package localca

import (
	"cmp"

	"kedge/internal/cadir"
)

// TrustAnchors returns the ARNs of this CA's trust anchors: those in its folder and, until that has one of the
// roots, the one that the configuration names for hosts. The result is not for cadir.Folder.WriteAWS.
func (c *CA) TrustAnchors() (*cadir.AWS, error) {
	known, err := c.folder.AWS()
	if err != nil {
		return nil, err
	}
	known.TrustAnchor = cmp.Or(known.TrustAnchor, c.Settings.Server.AWS.TrustAnchorARN)
	return known, nil
}
