package cadir

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"
)

const movedID = "/6b656467-6500-4000-8000-000000000001"

// TestAWS_CheckPlace: another account or region than that of the trust anchor is an error that names both.
func TestAWS_CheckPlace(t *testing.T) {
	t.Parallel()
	if err := new(AWS).CheckPlace("111122223333", "eu-west-1"); err != nil {
		t.Error(err)
	}
	a := &AWS{TrustAnchor: "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor" + movedID}
	if err := a.CheckPlace("111122223333", "us-east-1"); err != nil {
		t.Error(err)
	}
	for _, other := range [][2]string{{"111122223333", "eu-west-1"}, {"444455556666", "us-east-1"}} {
		err := a.CheckPlace(other[0], other[1])
		if _, ok := errors.AsType[*ElsewhereError](err); !ok || !strings.Contains(err.Error(), "in account 111122223333, us-east-1, and this is account "+other[0]+", "+other[1]) {
			t.Errorf("%v: %v", other, err)
		}
	}
}

// TestAWS_SetBuilt: what does not fit the new trust anchor is dropped, and nothing else.
func TestAWS_SetBuilt(t *testing.T) {
	t.Parallel()
	for anchor, want := range map[string]struct{ crls, roles, policies string }{
		"arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor" + movedID: {"ca single", "backup", "backup"},
		"arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor" + movedID: {"single", "", ""},
		"arn:aws:rolesanywhere:us-east-1:444455556666:trust-anchor" + movedID: {"single", "", ""},
	} {
		a := &AWS{
			TrustAnchor:  "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor" + movedID,
			TrustAnchors: map[string]string{"single": "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor" + movedID},
			CRLs:         map[string]string{"ca": "arn:aws:rolesanywhere:us-east-1:111122223333:crl" + movedID, "single": "arn:aws:rolesanywhere:us-east-1:111122223333:alias/crl/single"},
			Roles:        map[string]string{"backup": "arn:aws:iam::111122223333:role/backup"},
			Policies:     map[string][]string{"backup": {"backup"}},
		}
		a.SetBuilt(anchor, "profile")
		crls, roles, policies := slices.Sorted(maps.Keys(a.CRLs)), slices.Sorted(maps.Keys(a.Roles)), slices.Sorted(maps.Keys(a.Policies))
		if a.TrustAnchor != anchor || a.Profile != "profile" || strings.Join(crls, " ") != want.crls || strings.Join(roles, " ") != want.roles || strings.Join(policies, " ") != want.policies {
			t.Errorf("%s: %+v", anchor, a)
		}
	}
}
