package cadir

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// ElsewhereError reports that the trust anchor that aws.yaml has for the roots is in another account or region than the
// one that is to be changed.
type ElsewhereError struct {
	Kept            ARN    // the trust anchor in aws.yaml
	Account, Region string // that are to be changed
}

func (e *ElsewhereError) Error() string {
	return fmt.Sprintf("aws.yaml of the CA's folder has the trust anchor %s, in account %s, %s, and this is account %s, %s: nothing was changed", e.Kept.Text, e.Kept.Account, e.Kept.Region, e.Account, e.Region)
}

// CheckPlace returns an *ElsewhereError if the trust anchor of the roots is known, and is not in an account and region.
func (a *AWS) CheckPlace(account, region string) error {
	if a.TrustAnchor == "" {
		return nil
	}
	kept, err := ParseARN(a.TrustAnchor, TrustAnchorARN)
	if err != nil {
		return err
	}
	if kept.Account != account || kept.Region != region {
		return &ElsewhereError{Kept: kept, Account: account, Region: region}
	}
	return nil
}

// SetBuilt sets the trust anchor of the roots, and the profile that gives hosts the roles. What does not fit them is
// dropped: the roles of another account, those whose trust anchor was elsewhere, and lists that are elsewhere.
func (a *AWS) SetBuilt(anchor, profile string) {
	moved := a.TrustAnchor != "" && whereIs(a.TrustAnchor) != whereIs(anchor)
	a.TrustAnchor, a.Profile = anchor, profile
	maps.DeleteFunc(a.Roles, func(name, role string) bool {
		gone := moved || whereIs(role).account != whereIs(anchor).account
		if gone {
			delete(a.Policies, name)
		}
		return gone
	})
	maps.DeleteFunc(a.CRLs, func(authority, list string) bool {
		return whereIs(list) != whereIs(cmp.Or(a.TrustAnchors[authority], anchor))
	})
}

// AddUntried adds the ARNs of roles that are to be tried. Those of roles that are not kept are removed.
func (a *AWS) AddUntried(roles []string) {
	kept := slices.Collect(maps.Values(a.Roles))
	all := slices.Compact(slices.Sorted(slices.Values(slices.Concat(a.Untried, roles))))
	a.Untried = slices.DeleteFunc(all, func(role string) bool { return !slices.Contains(kept, role) })
}

// SetTried removes a role from those that are to be tried.
func (a *AWS) SetTried(role string) {
	a.Untried = slices.DeleteFunc(a.Untried, func(other string) bool { return other == role })
}

// whereabouts are the account and region of something at AWS; roles have no region.
type whereabouts struct{ account, region string }

// whereIs is about an ARN that was read from aws.yaml, or that AWS has returned.
func whereIs(arn string) whereabouts {
	parts := append(strings.SplitN(arn, ":", 6), make([]string, 5)...)
	return whereabouts{account: parts[4], region: parts[3]}
}
