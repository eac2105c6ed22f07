package issuance

import (
	"crypto/x509"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// TestLinks: from the switch on, and for as long as the older root is valid, a link leads from it to
// the new root. It is issued once, while the older root is in use and its key is here.
func TestLinks(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	old := x.open(RootName).Certificate()
	want := func(step string, n int, fails bool) []Link {
		t.Helper()
		links, err := x.Links(t.Context(), "")
		if len(links) != n || (err != nil) != fails {
			t.Fatalf("%s: %d links, %v", step, len(links), err)
		}
		return links
	}
	want("no rotation", 0, false)
	next := x.start()
	want("started", 0, false)
	x.switchTo("")
	key := x.keys[RootName]
	delete(x.keys, RootName)
	x.Service = x.another()
	want("without the key of the old root", 0, true)
	x.keys[RootName] = key
	link := want("switched", 1, false)[0]
	if !ca.SameKey(link.Certificate.PublicKey, next.Certificate.PublicKey) || string(link.Certificate.RawSubject) != string(next.Certificate.RawSubject) || !link.Older.Equal(old) {
		t.Errorf("a link from %q to %q", link.Older.Subject, link.Certificate.Subject)
	}
	leaf := x.leaf("a", time.Hour)
	roots, others, usage := x509.NewCertPool(), x509.NewCertPool(), []x509.ExtKeyUsage{x509.ExtKeyUsageAny}
	roots.AddCert(old)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: x.now, KeyUsages: usage}); err == nil {
		t.Error("the new root is trusted without a link")
	}
	others.AddCert(link.Certificate)
	if _, err := leaf.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: x.now, KeyUsages: usage}); err != nil {
		t.Error(err)
	}
	plan, err := x.PlanFinish(t.Context())
	if err == nil {
		err = x.Retire(t.Context(), plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	x.Service = x.another()
	if again := want("finished", 1, false)[0]; !again.Certificate.Equal(link.Certificate) {
		t.Error("another link was issued")
	}
	x.verified()
}

// TestLinks_late: a root that was retired without a link gets none, and neither does one of a rotation
// that was given up.
func TestLinks_late(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.start()
	plan, err := x.PlanAbort(t.Context())
	if err == nil {
		err = x.Retire(t.Context(), plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	if links, err := x.Links(t.Context(), ""); len(links) != 0 || err != nil {
		t.Errorf("after an abort: %d, %v", len(links), err)
	}
	x.start()
	x.switchTo("")
	if plan, err = x.PlanFinish(t.Context()); err == nil {
		err = x.Retire(t.Context(), plan)
	}
	if err != nil {
		t.Fatal(err)
	}
	if links, err := x.Links(t.Context(), ""); len(links) != 0 || err != nil {
		t.Errorf("after a finish: %d, %v", len(links), err)
	}
}

// TestLinks_revoked: a link that the operator has revoked leads nowhere any more, and is not made anew.
func TestLinks_revoked(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.start()
	x.switchTo("")
	links, err := x.Links(t.Context(), "")
	if len(links) != 1 || err != nil {
		t.Fatal(links, err)
	}
	x.revokeCert(links[0].Certificate, ca.CessationOfOperation)
	for range 2 {
		x.Service = x.another()
		if links, err := x.Links(t.Context(), ""); len(links) != 0 || !isError[*ledger.RevokedKeyError](err) {
			t.Errorf("%d links after it was revoked, %v", len(links), err)
		}
	}
	x.verified()
}
