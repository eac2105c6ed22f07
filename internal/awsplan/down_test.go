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

// TestDown_roleElsewhere: a role that hosts get by another trust anchor stays: roles are of the whole account, and aws
// down is of one region.
func TestDown_roleElsewhere(t *testing.T) {
	t.Parallel()
	const (
		here  = "arn:aws:rolesanywhere:eu-west-1:" + account + ":trust-anchor/1"
		gone  = "arn:aws:rolesanywhere:eu-west-1:" + account + ":trust-anchor/gone"
		hand  = "arn:aws:rolesanywhere:eu-west-1:" + account + ":trust-anchor/hand"
		there = "arn:aws:rolesanywhere:us-east-1:" + account + ":trust-anchor/1"
		other = "arn:aws:rolesanywhere:eu-west-1:444455556666:trust-anchor/1"
	)
	condition := func(arns string) string {
		return `{"Statement":[{"Effect":"Allow","Principal":{"Service":"rolesanywhere.amazonaws.com"},"Condition":{"ArnLike":{"aws:sourcearn":` + arns + `}}}]}`
	}
	root := newRoot(t, "Root")
	for trust, want := range map[string]string{ // of the note; none: the role is deleted
		condition(`"` + here + `"`):                             "",
		condition(`"` + gone + `"`):                             "",
		condition(`["` + here + `","` + gone + `"]`):            "",
		condition(`"` + there + `"`):                            there,
		condition(`["` + here + `","` + there + `"]`):           there,
		condition(`"` + other + `"`):                            other,
		condition(`"` + hand + `"`):                             hand,
		condition(`"arn:aws:rolesanywhere:eu-west-1:*"`):        "eu-west-1:*",
		condition(`"` + here[:len(here)-1] + `*"`):              "trust-anchor/*",
		condition(`"*"`):                                        "by *, ",
		strings.ReplaceAll(condition(`"`+there+`"`), "/", `\/`): there,
	} {
		p := newPair(root)
		p.f.Roles[0].Trust = trust
		p.f.Anchors = append(p.f.Anchors, FoundAnchor{ARN: hand, Certificates: p.f.Anchors[0].Certificates})
		plan := Down(p.w.Owners, nil, p.f)
		notes := strings.Join(plan.Notes, "\n")
		if deleted := slices.Contains(changesOf(plan), "DeleteRole"); deleted != (want == "") || !strings.Contains(notes, want) || deleted != (notes == "") {
			t.Errorf("%s: deleted: %v; %q", trust, deleted, notes)
		}
	}
}
