package localca

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"kedge/ca/issuance"
	"kedge/internal/cadir"
)

// TestHostAnchor: the trust anchor nearest to the issuer of the hosts is taken, and the others are returned.
func TestHostAnchor(t *testing.T) {
	t.Parallel()
	x := newTestCA(t)
	x.found()
	c := x.open()
	var arns []string
	for n := range 4 {
		arns = append(arns, fmt.Sprintf("arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/%08d-2222-3333-4444-555555555555", n))
	}
	own, root, server, web := arns[0], arns[1], arns[2], arns[3]
	for _, tt := range []struct {
		known   cadir.AWS
		server  string
		issuers []string
		want    string
		others  []string
	}{
		{},
		{cadir.AWS{}, server, nil, server, nil},
		{cadir.AWS{TrustAnchor: root}, root, nil, root, nil},
		{cadir.AWS{TrustAnchor: root}, server, nil, root, []string{server}},
		{cadir.AWS{TrustAnchor: root, TrustAnchors: map[string]string{"ca": own, "web": web}}, server, nil, own, []string{root, web, server}},
		{cadir.AWS{TrustAnchors: map[string]string{"ca": own}}, "", []string{"ca"}, own, nil},
		{cadir.AWS{TrustAnchors: map[string]string{"ca": own}}, "", []string{"ca", "web"}, "", []string{own}},
		{cadir.AWS{TrustAnchors: map[string]string{"web": web}}, "", []string{"ca"}, "", []string{web}},
	} {
		if err := c.folder.WritePlaces(cadir.PlacesOf(&tt.known)); err != nil {
			t.Fatal(err)
		}
		c.Settings.Server.AWS.TrustAnchorARN = tt.server
		got, err := c.HostAnchor(t.Context(), tt.issuers)
		if err != nil || got.ARN != tt.want || !slices.Equal(got.Others, tt.others) {
			t.Errorf("%+v, %q, %q: %+v, %v", tt.known, tt.server, tt.issuers, got, err)
		}
		var want []string
		if got.ARN != "" {
			want = append(want, got.ARN)
		}
		want = append(want, got.Others...)
		all, err := c.TrustAnchors()
		slices.Sort(want)
		if slices.Sort(all); err != nil || !slices.Equal(all, want) {
			t.Errorf("%+v, %q: all are %q, %v", tt.known, tt.server, all, err)
		}
	}
	_, err := c.HostAnchor(t.Context(), []string{"none"})
	if _, ok := errors.AsType[*issuance.UnknownAuthorityError](err); !ok {
		t.Error(err)
	}
}
