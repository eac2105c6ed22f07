package awsplan

import (
	"slices"
	"strings"
	"testing"
)

// TestKept_drift: of a role that is not described, what differs from what was built is named.
func TestKept_drift(t *testing.T) {
	t.Parallel()
	const role = "arn:aws:iam::" + account + ":role/backup"
	for name, tt := range map[string]struct {
		change func(*Kept, pair)
		want   string // empty: nothing differs
	}{
		"as built":        {func(*Kept, pair) {}, ""},
		"described":       {func(_ *Kept, p pair) { p.w.OnlyAnchor, p.f.Roles = false, nil }, ""},
		"another account": {func(_ *Kept, p pair) { p.f.Account, p.f.Roles = "444455556666", nil }, ""},
		"another region":  {func(_ *Kept, p pair) { p.f.Region, p.f.Profiles = "us-east-1", nil }, ""},
		"role gone":       {func(_ *Kept, p pair) { p.f.Roles = nil }, "the role " + role + " is not in the account any more"},
		"another path":    {func(_ *Kept, p pair) { p.f.Roles[0].ARN = "arn:aws:iam::" + account + ":role/x/backup" }, "has the ARN arn:aws:iam::" + account + ":role/x/backup"},
		"no tag":          {func(_ *Kept, p pair) { p.f.Roles[0].Tags = nil }, "is not this CA's role by its tag"},
		"policy gone":     {func(_ *Kept, p pair) { p.f.Roles[0].Inline = nil }, role + " has the policy put no more"},
		"more":            {func(_ *Kept, p pair) { p.f.Roles[0].Attached = []string{"arn:aws:iam::aws:policy/All"} }, role + " has the policy arn:aws:iam::aws:policy/All, which is not planned"},
		"another anchor": {func(_ *Kept, p pair) {
			p.f.Roles[0].Trust, _ = trust("arn:aws:rolesanywhere:eu-west-1:" + account + ":trust-anchor/2")
		}, "trust-anchor/2"},
		"any anchor":        {func(_ *Kept, p pair) { p.f.Roles[0].Trust = `{}` }, "but for: no trust anchor"},
		"profile without":   {func(_ *Kept, p pair) { p.f.Profiles[0].Roles = nil }, "does not list " + role},
		"profile gone":      {func(_ *Kept, p pair) { p.f.Profiles = nil }, "the profile arn:aws:rolesanywhere:eu-west-1:" + account + ":profile/1 is not in the account any more"},
		"without a try":     {func(k *Kept, _ pair) { k.Untried = []string{role} }, "no session of the role " + role + " was made yet"},
		"untried elsewhere": {func(k *Kept, _ pair) { k.Untried = []string{"arn:aws:iam::444455556666:role/backup"} }, ""},
	} {
		p := newPair(newRoot(t, "Root"))
		p.w.OnlyAnchor = true
		p.f.Profiles[0].ARN = "arn:aws:rolesanywhere:eu-west-1:" + account + ":profile/1"
		p.f.Roles[0].Inline = map[string]string{"put": "{}"}
		k := &Kept{Anchor: p.f.Anchors[0].ARN, Profile: p.f.Profiles[0].ARN, Roles: map[string]string{"backup": role}, Policies: map[string][]string{"backup": {"put"}}}
		tt.change(k, p)
		wanted := *p.w
		if p.w.OnlyAnchor {
			wanted.Roles = nil
		}
		needs := k.Drift(&wanted, p.f)
		if len(needs) != min(len(tt.want), 1) || tt.want != "" && !strings.Contains(needs[0], tt.want) {
			t.Errorf("%s: %q", name, needs)
		}
	}
}

// TestCompare: what is in the way of one role does not hide what differs in another, nor does the profile lose it.
func TestCompare(t *testing.T) {
	t.Parallel()
	p := newPair(newRoot(t, "Root"))
	p.f.Roles[0].Tags = nil
	p.w.Roles = append(p.w.Roles, Role{Name: "batch", Path: "/", Trust: trust})
	plan, errs := Compare(p.w, p.f)
	if len(errs) != 1 || !strings.Contains(errs[0].Error(), "the name of the role backup is taken") {
		t.Error(errs)
	}
	if !slices.ContainsFunc(plan.Steps, func(s Step) bool { return s.Name == "batch" }) {
		t.Errorf("%+v", plan.Steps)
	}
	for _, s := range plan.Steps {
		if c, ok := s.Change.(UpdateProfile); ok && !slices.Contains(c.Roles, p.f.Roles[0].ARN) {
			t.Errorf("the profile loses the role: %v", c.Roles)
		}
	}
	if plan, err := New(p.w, p.f); plan != nil || err == nil {
		t.Errorf("%v, %v", plan, err)
	}
}
