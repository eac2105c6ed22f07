package issuance

import (
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
)

func TestStatus(t *testing.T) {
	t.Parallel()
	empty, err := newEmpty(t).Status(t.Context())
	if err != nil || len(empty.Needs) != 1 || !strings.HasPrefix(empty.Needs[0], "there is no authority in the ledger") {
		t.Errorf("empty: %+v, %v", empty, err)
	}
	x := newCA(t)
	x.leaf("web-01", time.Hour)
	x.leaf("web-02", 20*time.Hour)
	x.leaf("web-03", 20*time.Hour)
	x.leaf("web-04", 20*time.Hour)
	status := x.status()
	if len(status.Needs) != 0 || status.Rotation != PhaseNone || len(status.Authorities) != 1 || !status.Authorities[0].KeyHere || !strings.HasPrefix(status.Head, "6:") {
		t.Errorf("%+v", status)
	}
	x.now = x.now.Add(2 * time.Hour)
	x.revoke(ca.KeyCompromise, "web-02")
	x.revoke(ca.CertificateHold, "web-03")
	status = x.status()
	if want := (Counts{Total: 5, Valid: 2, Expired: 1, Revoked: 2, Held: 1}); status.Certificates != want {
		t.Errorf("%+v, want %+v", status.Certificates, want)
	}
	if a := status.Authorities[0]; a.Revoked != 2 || a.Unlisted != 2 || a.CRL != nil || len(status.Needs) != 2 { // web-01 has expired
		t.Errorf("no list: %+v, %q", a, status.Needs)
	}
	x.publish(RootName)
	if a := x.status().Authorities[0]; a.Unlisted != 0 || a.CRL == nil || a.CRL.Entries != 2 {
		t.Errorf("listed: %+v", a)
	}
	x.now = x.now.Add(time.Minute)
	x.revoke(ca.KeyCompromise, "web-04")
	delete(x.lists, RootName)
	if a := x.status().Authorities[0]; a.Unlisted != 1 {
		t.Errorf("without the file, what was revoked since counts: %+v", a)
	}
	delete(x.keys, RootName)
	if needs := x.status().Needs; !slices.ContainsFunc(needs, func(n string) bool { return strings.HasPrefix(n, "the key of ca, which issues, is not here") }) {
		t.Errorf("no key: %q", needs)
	}
}

// TestStatus_revoked: an authority below a revoked one issues nothing that a relying party accepts.
func TestStatus_revoked(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.intermediate("issuing-1", RootName)
	x.intermediate("issuing-2", "issuing-1")
	x.revoke(ca.CACompromise, "issuing-1")
	status := x.status()
	for _, a := range status.Authorities {
		if a.CertificateRevoked != (a.Name != RootName) {
			t.Errorf("%+v", a)
		}
	}
	if !slices.ContainsFunc(status.Needs, func(n string) bool {
		return strings.HasPrefix(n, "the certificate of issuing-2, which issues, or one above it is revoked")
	}) {
		t.Errorf("%q", status.Needs)
	}
}

func (x *testCA) status() *Status {
	x.t.Helper()
	status, err := x.Status(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	return status
}
