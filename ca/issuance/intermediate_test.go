package issuance

import (
	"crypto/x509"
	"encoding/hex"
	"errors"
	"io/fs"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

func TestFound_once(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	prepared, err := ca.PrepareRoot(newKey(t), authorityConfig("another"), x.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Found(t.Context(), prepared); !errors.As(err, new(*OccupiedError)) {
		t.Errorf("a second CA: %v", err)
	}
	if err := x.Adopt(t.Context(), newCA(t).open("").Certificate(), ""); !errors.As(err, new(*OccupiedError)) {
		t.Errorf("adopt a second CA: %v", err)
	}
	x.wantStates("refused", "ca active issuing")
}

// TestAdopt_again: an adoption that was interrupted after the record is resumed.
func TestAdopt_again(t *testing.T) {
	t.Parallel()
	root := newCA(t).open("").Certificate()
	x := newEmpty(t)
	if err := x.recordForeign(t.Context(), ca.Issued{Certificate: root}); err != nil {
		t.Fatal(err)
	}
	if err := x.Adopt(t.Context(), root, ""); err != nil {
		t.Fatal(err)
	}
	x.wantStates("adopted", "ca active issuing")
}

// TestIssueCA_once: of many calls for one key, in one service, one issues.
func TestIssueCA_once(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	public := x.key("issuing-1").Public()
	parent := x.open("")
	results := make(chan *x509.Certificate)
	for range 8 {
		go func() {
			prepared, err := parent.PrepareCA(public, authorityConfig("issuing-1"), x.now)
			if err != nil {
				t.Error(err)
			}
			cert, _, err := x.IssueCA(t.Context(), prepared)
			if err != nil {
				t.Error(err)
			}
			results <- cert
		}()
	}
	first := <-results
	for range 7 {
		if cert := <-results; !cert.Equal(first) {
			t.Error("another certificate was issued")
		}
	}
}

func TestCheckNewName(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	for name, want := range map[string]string{
		"": "cannot be that of files", "../x": "cannot be that of files", ".x": "cannot be that of files", "-x": "cannot be that of files", `a\b`: "cannot be that of files",
		"ca": `there is an authority "ca" already`,
	} {
		if err := x.CheckNewName(t.Context(), name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", name, err)
		}
	}
	if err := x.CheckNewName(t.Context(), "issuing-1"); err != nil {
		t.Error(err)
	}
	if err := x.CheckNewName(t.Context(), "ca"); !errors.Is(err, fs.ErrExist) {
		t.Errorf("taken: %v", err)
	}
}

// path is an authority of another CA with those above it.
func (x *testCA) path(name string) []*x509.Certificate {
	x.t.Helper()
	path, err := x.Path(x.t.Context(), name)
	if err != nil {
		x.t.Fatal(err)
	}
	var certs []*x509.Certificate
	for _, a := range path {
		certs = append(certs, a.Certificate)
	}
	return certs
}

// TestTakeIn: the path of an authority that was signed elsewhere makes a CA of an empty ledger,
// and renews its authorities later.
func TestTakeIn(t *testing.T) {
	t.Parallel()
	offline := newCA(t)
	offline.intermediate("policy", RootName)
	offline.intermediate("issuing-1", "policy")
	x := newEmpty(t)
	all, err := x.TakeIn(t.Context(), TakeIn{Name: "online", Path: offline.path("issuing-1")})
	if err != nil || len(all) != 3 || all[0].Name != RootName || all[1].Name != "policy" || all[2].Name != "online" {
		t.Fatalf("%+v, %v", all, err)
	}
	x.wantStates("taken in", "ca active, policy active, online active issuing")
	if all, err = x.TakeIn(t.Context(), TakeIn{Name: "online", Path: offline.path("issuing-1")}); err != nil || len(all) != 1 {
		t.Errorf("again: %+v, %v", all, err)
	}

	offline.now = offline.now.Add(time.Hour)
	x.now = offline.now
	old := offline.path("issuing-1")[0]
	prepared, err := offline.open("policy").PrepareRenewal(ca.Renewal{Old: old}, offline.now)
	if err != nil {
		t.Fatal(err)
	}
	renewed, err := offline.IssueAnotherCA(t.Context(), prepared)
	if err != nil {
		t.Fatal(err)
	}
	path := append([]*x509.Certificate{renewed}, offline.path("policy")...)
	if _, err = x.TakeIn(t.Context(), TakeIn{Name: "online", Path: path}); err != nil {
		t.Fatal(err)
	}
	found, err := x.Find(t.Context(), fingerprint(renewed))
	if err != nil || hex.EncodeToString(found[0].Replaces) != fingerprint(old) {
		t.Errorf("renewed: %+v, %v", found, err)
	}
	x.wantStates("renewed", "ca active, policy active, online active issuing")
}

func TestTakeIn_refuses(t *testing.T) {
	t.Parallel()
	offline, other := newCA(t), newCA(t)
	offline.intermediate("issuing-1", RootName)
	offline.intermediate("issuing-2", RootName)
	other.intermediate("issuing-1", RootName)
	x := newEmpty(t)
	if _, err := x.TakeIn(t.Context(), TakeIn{Name: "issuing-1", Path: offline.path("issuing-1"), KeepIssuer: true}); err != nil {
		t.Fatal(err)
	}
	x.wantStates("keeps the issuer", "ca active, issuing-1 active")
	if _, err := x.TakeIn(t.Context(), TakeIn{Name: "issuing-1", Path: offline.path("issuing-2")}); !errors.As(err, new(*TakenError)) {
		t.Errorf("another key: %v", err)
	}
	if _, err := x.TakeIn(t.Context(), TakeIn{Name: "foreign", Path: other.path("issuing-1")}); !errors.As(err, new(*UnknownRootError)) {
		t.Errorf("another root: %v", err)
	}
	x.wantStates("refused", "ca active, issuing-1 active")
}

// TestAddIntermediate_taken: a name that another process took meanwhile stays with its key.
func TestAddIntermediate_taken(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	a := x.intermediate("issuing-1", RootName)
	other := x.intermediate("issuing-2", RootName)
	other.Name = "issuing-1"
	if _, err := x.AddIntermediate(t.Context(), other, false); !errors.As(err, new(*TakenError)) {
		t.Errorf("taken: %v", err)
	}
	if now, _, err := x.Known(t.Context(), "issuing-1"); err != nil || !now.Certificate.Equal(a.Certificate) {
		t.Errorf("%+v, %v", now, err)
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("issuing-1", RootName)
	x.start()
	roots, err := x.Anchors(t.Context(), "")
	if err != nil || len(roots) != 2 || roots[0].Name != RootName || roots[1].Name != "ca-2" {
		t.Fatalf("%+v, %v", roots, err)
	}
	text, err := AnchorPEM(roots...)
	if err != nil || strings.Count(string(text), "BEGIN CERTIFICATE") != 2 {
		t.Errorf("%s, %v", text, err)
	}
	if one, err := x.Anchors(t.Context(), "issuing-1"); err != nil || len(one) != 1 || one[0].Name != "issuing-1" {
		t.Errorf("named: %+v, %v", one, err)
	}
	var many []ledger.Authority
	for len(many) < 16 {
		many = append(many, roots...)
	}
	_, err = AnchorPEM(many...)
	if tooLarge, ok := errors.AsType[*AnchorSizeError](err); !ok || tooLarge.Size <= MaxAnchorChars || len(tooLarge.Names) != 16 {
		t.Errorf("too large: %v", err)
	}
}

// TestAddIntermediate_leaving: below a root that is on its way out a new authority does not issue,
// which would turn the rotation round.
func TestAddIntermediate_leaving(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	next := x.start()
	x.switchTo("")
	if a := x.intermediate("issuing-1", RootName); a.Issuing {
		t.Error("it issues")
	}
	r, err := x.Rotation(t.Context())
	if err != nil || r.Old.Name != RootName || r.Next == nil || r.Next.Name != next.Name || r.Issuing.Name != next.Name {
		t.Errorf("%+v, %v", r, err)
	}
	if a := x.intermediate("issuing-2", next.Name); !a.Issuing {
		t.Error("one below the new root does not issue")
	}
}
