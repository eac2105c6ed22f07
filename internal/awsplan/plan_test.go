package awsplan

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"
)

const account = "111122223333"

func newRoot(t *testing.T, name string) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func trust(anchor string) (string, error) { return `{"Anchor":"` + anchor + `"}`, nil }

// pair is what is wanted, and an account in which all of it is there.
type pair struct {
	w *Wanted
	f *Found
}

func newPair(root *x509.Certificate) pair {
	owner := OwnerOf(root)
	anchor := "arn:aws:rolesanywhere:eu-west-1:" + account + ":trust-anchor/1"
	document, _ := trust(anchor)
	w := &Wanted{
		Owners: []Owner{owner}, Anchor: Anchor{Name: "kedge", Certificates: []*x509.Certificate{root}}, Profile: Profile{Name: "kedge", Duration: time.Hour},
		Roles: []Role{{Name: "backup", Path: "/", Trust: trust, MaxSession: time.Hour}},
	}
	f := &Found{
		Partition: "aws", Account: account, Region: "eu-west-1",
		Anchors:  []FoundAnchor{{ARN: anchor, Name: "kedge", Enabled: true, Certificates: w.Anchor.Certificates, Tags: map[string]string{TagKey: owner.Tag(KindAnchor, "kedge")}}},
		Roles:    []FoundRole{{ARN: "arn:aws:iam::" + account + ":role/backup", Name: "backup", Path: "/", Trust: document, MaxSession: time.Hour, Tags: map[string]string{TagKey: owner.Tag(KindRole, "backup")}}},
		Profiles: []FoundProfile{{ARN: "profile-1", Name: "kedge", Enabled: true, Duration: time.Hour, Roles: []string{"arn:aws:iam::" + account + ":role/backup"}, Tags: map[string]string{TagKey: owner.Tag(KindProfile, "kedge")}}},
	}
	return pair{w, f}
}

// TestNew_conflicts: what is in the way is named by its ARN, and there is no plan.
func TestNew_conflicts(t *testing.T) {
	t.Parallel()
	root, other := newRoot(t, "Root"), newRoot(t, "Other")
	for name, tt := range map[string]struct {
		change func(p pair)
		reason Reason
		want   string
	}{
		"role of somebody":      {func(p pair) { p.f.Roles[0].Tags = nil }, Foreign, "arn:aws:iam::111122223333:role/backup is not of this CA, since it has no tag kedge-ca"},
		"role of another CA":    {func(p pair) { p.f.Roles[0].Tags = map[string]string{TagKey: OwnerOf(other).Tag(KindRole, "backup")} }, OtherCA, "role/backup is of another CA"},
		"tag of another role":   {func(p pair) { p.f.Roles[0].Tags = map[string]string{TagKey: OwnerOf(root).Tag(KindRole, "web")} }, Misplaced, "role/backup has the tag kedge-ca of another object"},
		"tag of a role":         {func(p pair) { p.f.Anchors[0].Tags = map[string]string{TagKey: OwnerOf(root).Tag(KindRole, "backup")} }, Misplaced, "trust-anchor/1 has the tag"},
		"two trust anchors":     {func(p pair) { p.f.Anchors = append(p.f.Anchors, p.f.Anchors[0]); p.f.Anchors[1].ARN = "anchor-2" }, Twice, "trust-anchor/1 and anchor-2"},
		"two profiles":          {func(p pair) { p.f.Profiles = append(p.f.Profiles, p.f.Profiles[0]); p.f.Profiles[1].ARN = "profile-2" }, Twice, "profile-1 and profile-2"},
		"anchor of another CA":  {func(p pair) { p.f.Anchors[0].Certificates = []*x509.Certificate{other} }, OtherCerts, `trust-anchor/1 has the tag kedge-ca of this CA's trust anchor, but certificates of another CA: the certificate "CN=Other"`},
		"anchor without any":    {func(p pair) { p.f.Anchors[0].Certificates = nil }, OtherCerts, "its source is another"},
		"anchor with something": {func(p pair) { p.f.Anchors[0].Certificates, p.f.Anchors[0].Unreadable = nil, true }, OtherCerts, "cannot be read"},
		"path":                  {func(p pair) { p.f.Roles[0].Path = "/a/" }, OtherPath, "its path is /a/ and not /"},
	} {
		p := newPair(root)
		tt.change(p)
		_, err := New(p.w, p.f)
		if e, ok := errors.AsType[*ConflictError](err); !ok || e.Reason != tt.reason || !strings.Contains(e.Error(), tt.want) {
			t.Errorf("%s: %v, want %s: %s", name, err, tt.reason, tt.want)
		}
	}
}

// TestNew_left: what is not of the CA, or more than planned, is no step; a person is told.
func TestNew_left(t *testing.T) {
	t.Parallel()
	root, next := newRoot(t, "Root"), newRoot(t, "Next")
	for name, tt := range map[string]struct {
		change func(p pair)
		want   string
		steps  int
	}{
		"as planned":             {func(pair) {}, "", 0},
		"anchor by hand":         {func(p pair) { p.f.Anchors[0].Tags = nil }, "trust-anchor/1, kedge, has the certificate of this CA, but was not made by", 2},
		"another anchor":         {func(p pair) { p.f.Anchors[0].Tags[TagKey] = OwnerOf(root).Tag(KindAnchor, "old") }, "is another trust anchor of this CA", 2},
		"another one's profile":  {func(p pair) { p.f.Profiles = append(p.f.Profiles, FoundProfile{ARN: "profile-2", Name: "kedge"}) }, "profile-2 has the name kedge as well", 0},
		"policy":                 {func(p pair) { p.f.Roles[0].Attached = []string{"arn:x"} }, "role/backup has the policy arn:x", 0},
		"policy of its own":      {func(p pair) { p.f.Roles[0].Inline = map[string]string{"all": "{}"} }, "role/backup has the policy all", 0},
		"role that is not there": {func(p pair) { p.f.Profiles[0].Roles = append(p.f.Profiles[0].Roles, "role-2") }, "role-2 is in the profile and not in the plan", 1},
		"role that is kept":      {func(p pair) { p.w.KeepRoles, p.f.Profiles[0].Roles = true, append(p.f.Profiles[0].Roles, "role-2") }, "", 0},
		"boundary":               {func(p pair) { p.f.Roles[0].Boundary = "arn:x" }, "", 0},
		"rotated": {func(p pair) {
			p.w.Owners = []Owner{OwnerOf(next), OwnerOf(root)}
			p.w.Anchor.Certificates = []*x509.Certificate{root, next}
		}, "", 1},
	} {
		p := newPair(root)
		tt.change(p)
		plan, err := New(p.w, p.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		texts := slices.Clone(plan.Notes)
		for _, more := range plan.More {
			texts = append(texts, more.String())
		}
		if all := strings.Join(texts, "\n"); len(plan.Steps) != tt.steps || (all == "") != (tt.want == "") || !strings.Contains(all, tt.want) {
			t.Errorf("%s: %d steps, %q; want %d, %q", name, len(plan.Steps), all, tt.steps, tt.want)
		}
	}
}

// TestNew_disabled: what somebody has disabled is enabled only once a person agrees, and not where the trust anchor
// alone is planned.
func TestNew_disabled(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		change      func(p pair)
		steps       int
		text, noted string
	}{
		"enabled":     {func(pair) {}, 0, "", ""},
		"anchor":      {func(p pair) { p.f.Anchors[0].Enabled = false }, 1, "somebody has disabled arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/1, and", ""},
		"profile":     {func(p pair) { p.f.Profiles[0].Enabled = false }, 1, "somebody has disabled profile-1, and", ""},
		"anchor only": {func(p pair) { p.f.Anchors[0].Enabled, p.w.OnlyAnchor = false, true }, 0, "", "trust-anchor/1, kedge, is disabled, and stays so"},
	} {
		p := newPair(newRoot(t, "Root"))
		tt.change(p)
		plan, err := New(p.w, p.f)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		text := ""
		if err := plan.Unattended(); err != nil {
			text = err.Error()
		}
		if notes := strings.Join(plan.Notes, "\n"); len(plan.Steps) != tt.steps || !strings.HasPrefix(text, tt.text) || (text == "") != (tt.text == "") || !strings.Contains(notes, tt.noted) {
			t.Errorf("%s: %d steps, %q, %q", name, len(plan.Steps), text, notes)
		}
	}
}

// TestEscapeAbove: it is the same document, with no later character.
func TestEscapeAbove(t *testing.T) {
	t.Parallel()
	const text = `{"Ł": "ÿ\\ü\u2028 😀"}`
	for last, want := range map[rune]string{MaxDocumentRune: `{"\u0141": "ÿ\\ü\u2028 \ud83d\ude00"}`, 0x7f: `{"\u0141": "\u00ff\\\u00fc\u2028 \ud83d\ude00"}`} {
		if got := EscapeAbove(text, last); got != want || !SameDocument(got, text) {
			t.Errorf("%U: %s, want %s", last, got, want)
		}
	}
}

// TestSameDocument: the form does not count, and each word does.
func TestSameDocument(t *testing.T) {
	t.Parallel()
	const document = `{"Statement":[{"Action":["a","b"],"Resource":"*"}]}`
	for other, want := range map[string]bool{
		`{ "Statement": {"Resource": ["*"], "Action": ["b", "a", "b"]} }`: true,
		`{"Statement":[{"Action":["a"],"Resource":"*"}]}`:                 false,
		`{"Statement":[{"Action":["a","B"],"Resource":"*"}]}`:             false,
		`{"Statement":[{"Action":["a","b"],"Resource":"*"},{}]}`:          false,
		`x`: false,
	} {
		if got := SameDocument(document, other); got != want {
			t.Errorf("%s: %v", other, got)
		}
	}
	if !SameDocument("x", "x") {
		t.Error("a text that is no JSON differs from itself")
	}
}

// TestNotifications: they come late enough that a host which renews in time is never reported.
func TestNotifications(t *testing.T) {
	t.Parallel()
	for lifetime, want := range map[time.Duration]int{time.Hour: 0, 5 * day: 0, 6 * day: 1, 30 * day: 5, 400 * day: 45} {
		if got := Notifications(lifetime, 10*365*day); got[1].Days != want || got[0].Days != 180 {
			t.Errorf("%v: %+v", lifetime, got)
		}
	}
}

// TestDiffLines: what stays, goes and comes, in its order.
func TestDiffLines(t *testing.T) {
	t.Parallel()
	got := diffLines([]string{"a", "b", "c", "d"}, []string{"a", "x", "c", "e", "d"})
	if want := []string{"  a", "- b", "+ x", "  c", "+ e", "  d"}; !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
