package issuance

import (
	"bytes"
	"slices"
	"testing"
	"time"

	"kedge/ca"
)

// due names the authorities whose list is due.
func (x *testCA) due() (names []string) {
	x.t.Helper()
	all, err := x.DueLists(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	for _, a := range all {
		names = append(names, a.Name)
	}
	return names
}

// TestDueLists: a list is due when there is none, when half of its time has passed, and when something
// was revoked or released; not when its key is elsewhere, or its authority has expired.
func TestDueLists(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("sub", RootName)
	x.intermediate("elsewhere", RootName)
	delete(x.keys, "elsewhere")
	both := []string{"ca", "sub"}
	step := func(what string, want ...string) {
		t.Helper()
		if got := x.due(); !slices.Equal(got, want) {
			t.Errorf("%s: %q are due, want %q", what, got, want)
		}
		for _, name := range x.due() {
			x.publish(name)
		}
		if got := x.due(); len(got) != 0 {
			t.Errorf("%s: %q are due again", what, got)
		}
	}
	step("at first", both...)
	x.leafBy("sub", "web-01", 20*time.Hour)
	x.leafBy(RootName, "web-02", 20*time.Hour)
	step("after certificates were issued")
	x.now = x.now.Add(29 * time.Minute)
	step("before half of their time")
	x.revoke(ca.CertificateHold, "web-01")
	step("after a revocation", "sub")
	x.now = x.now.Add(time.Minute)
	step("after half of the time of one", "ca")
	held, err := x.ToRelease(t.Context(), x.selectors("web-01"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Release(t.Context(), held.Certificates, ""); err != nil {
		t.Fatal(err)
	}
	step("after a release", "sub")
	x.now = x.now.Add(2 * time.Hour)
	step("after their end", both...)
	x.now = x.now.Add(4 * 3650 * 24 * time.Hour)
	step("after the end of the authorities")
	x.verified()
}

// TestStaleLists: those that have ended, where the key is here.
func TestStaleLists(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("sub", RootName)
	stale := func() []string {
		t.Helper()
		names, err := x.StaleLists(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return names
	}
	if got := stale(); len(got) != 0 {
		t.Errorf("without lists: %q", got)
	}
	x.publish(RootName)
	x.now = x.now.Add(30 * time.Minute)
	x.publish("sub")
	if got := stale(); len(got) != 0 {
		t.Errorf("in their time: %q", got)
	}
	x.now = x.now.Add(30 * time.Minute)
	if got := stale(); !slices.Equal(got, []string{"ca"}) {
		t.Errorf("one has ended: %q", got)
	}
	x.now = x.now.Add(time.Hour)
	delete(x.keys, RootName)
	if got := stale(); !slices.Equal(got, []string{"sub"}) {
		t.Errorf("of one the key is elsewhere: %q", got)
	}
}

// TestPublishedList: every service on a ledger has the same bytes.
func TestPublishedList(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	path, err := x.Path(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.PublishedList(t.Context(), path[0]); !isNotFound(err) {
		t.Errorf("before there is one: %v", err)
	}
	for range 2 {
		made := x.publish(RootName)
		for _, s := range []*Service{x.Service, x.another()} {
			if got, err := s.PublishedList(t.Context(), path[0]); err != nil || !bytes.Equal(got, made.DER) {
				t.Errorf("%d bytes, %v", len(got), err)
			}
		}
	}
}

// TestPublished: leaves name where the list and the certificate of their issuer are, if they are
// published; those of a profile with its own list name that.
func TestPublished(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("sub", RootName)
	at := func(authority string) ca.Published {
		return ca.Published{CRL: []string{"http://pki/crl/" + authority + ".crl"}, Certificate: []string{"http://pki/ca/" + authority + ".cer"}}
	}
	own := ca.DefaultProfileConfig()
	own.CRLURLs = []string{"http://own/list.crl"}
	none := ca.DefaultProfileConfig()
	none.CRLURLs = []string{}
	for _, tt := range []struct {
		name      string
		published func(string) ca.Published
		issuer    string
		config    ca.ProfileConfig
		crl, cer  string
	}{
		{"not published", nil, RootName, ca.DefaultProfileConfig(), "", ""},
		{"by the root", at, RootName, ca.DefaultProfileConfig(), "http://pki/crl/ca.crl", "http://pki/ca/ca.cer"},
		{"by another", at, "sub", ca.DefaultProfileConfig(), "http://pki/crl/sub.crl", "http://pki/ca/sub.cer"},
		{"a list of its own", at, RootName, own, "http://own/list.crl", "http://pki/ca/ca.cer"},
		{"no list", at, RootName, none, "", "http://pki/ca/ca.cer"},
		{"a list of its own and none published", nil, RootName, own, "http://own/list.crl", ""},
	} {
		x.SetPublished(tt.published)
		profile, err := ca.NewProfile("p", tt.config)
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := x.Issuer(t.Context(), tt.issuer)
		if err != nil {
			t.Fatal(err)
		}
		leaf, err := issuer.Prepare(profile, ca.Request{Name: "web " + tt.name, Public: newKey(t).Public()})
		if err != nil {
			t.Fatal(err)
		}
		issued, err := leaf.Issue(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		renewed, err := issuer.Renew(t.Context(), Renewal{Old: x.inLedger(issued.Certificate), Renewal: ca.Renewal{Profile: profile, Public: newKey(t).Public()}})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range []*Issued{issued, renewed} {
			crl, cer := c.Certificate.CRLDistributionPoints, c.Certificate.IssuingCertificateURL
			if first(crl) != tt.crl || first(cer) != tt.cer || len(crl) > 1 || len(cer) > 1 {
				t.Errorf("%s: %q, %q", tt.name, crl, cer)
			}
		}
	}
}

func first(all []string) string {
	if len(all) == 0 {
		return ""
	}
	return all[0]
}
