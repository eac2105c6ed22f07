package main

import (
	"fmt"

	"kedge/internal/cadir"
)

// resolveAnchor takes the trust anchor that is kept in the CA's folder when none is given, and keeps
// one that is: so that it is updated later, never made a second time. several says that a rotation
// is under way, when there is one already.
func (o *bundleOptions) resolveAnchor(several bool) error {
	folder := o.store.folder()
	known, err := folder.AWS()
	if err != nil {
		return err
	}
	kept := known.Anchor(o.authority)
	switch {
	case o.arn != "" && o.arn != kept:
		known.SetAnchor(o.authority, o.arn)
		if err := folder.WriteAWS(known); err != nil {
			o.warn(fmt.Sprintf("the ARN of the trust anchor is not kept: %v", err))
			return nil
		}
		o.say("kept the ARN of the trust anchor in " + folder.AWSPath())
	case o.anchor.ID == "" && kept != "":
		arn, err := cadir.ParseARN(kept, cadir.TrustAnchorARN)
		if err != nil {
			return err
		}
		if o.anchor.Region != "" && o.anchor.Region != arn.Region {
			return fmt.Errorf("--region: the trust anchor of %s is in %s, not in %s", folder.AWSPath(), arn.Region, o.anchor.Region)
		}
		o.anchor.ID, o.anchor.Region = arn.ID, arn.Region
	case o.anchor.ID == "" && several:
		return &unknownAnchorError{"the root that is being rotated", "kedge-ca bundle --aws-cli"}
	}
	return nil
}
