package awsplan

import (
	"crypto/x509"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// changesOf returns the types of the changes of a plan, in their order.
func changesOf(p *Plan) (names []string) {
	for _, step := range p.Steps {
		names = append(names, reflect.TypeOf(step.Change).Name())
	}
	return names
}

// withList adds a revocation list of a trust anchor.
func (p pair) withList(anchor string) {
	p.f.CRLs = append(p.f.CRLs, FoundCRL{ARN: "crl-1", Name: "ca", Anchor: anchor, Tags: map[string]string{TagKey: p.w.Owners[0].Tag(KindCRL, "ca")}})
}

// TestDown_lists: a trust anchor that stays keeps its list, by which revoked hosts are refused.
func TestDown_lists(t *testing.T) {
	t.Parallel()
	root, other := newRoot(t, "Root"), newRoot(t, "Other")
	for name, tt := range map[string]struct {
		change func(p pair)
		list   bool // it goes
	}{
		"both go":              {func(pair) {}, true},
		"anchor by hand":       {func(p pair) { p.f.Anchors[0].Tags = nil }, false},
		"anchor of another CA": {func(p pair) { p.f.Anchors[0].Certificates = []*x509.Certificate{other} }, false},
		"anchor is gone":       {func(p pair) { p.f.Anchors = nil }, true},
		"of none":              {func(p pair) { p.f.CRLs[0].Anchor = "" }, false},
	} {
		p := newPair(root)
		p.withList(p.f.Anchors[0].ARN)
		tt.change(p)
		plan := Down(p.w.Owners, nil, p.f)
		noted := slices.ContainsFunc(plan.Notes, func(text string) bool { return strings.HasPrefix(text, "the revocation list ca, crl-1, stays") })
		if got := slices.Contains(changesOf(plan), "DeleteCRL"); got != tt.list || noted == tt.list {
			t.Errorf("%s: the list goes: %v; %q", name, got, plan.Notes)
		}
	}
}

// TestDown_order: no trust anchor is without its list, whenever it is interrupted.
func TestDown_order(t *testing.T) {
	t.Parallel()
	p := newPair(newRoot(t, "Root"))
	p.withList(p.f.Anchors[0].ARN)
	if got := changesOf(Down(p.w.Owners, nil, p.f)); !slices.Equal(got, []string{"DeleteProfile", "DeleteRole", "DeleteAnchor", "DeleteCRL"}) {
		t.Error(got)
	}
}
