package issuance

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// hashOf is ca.KeyHash of a key without a certificate.
func hashOf(t *testing.T, public crypto.PublicKey) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(der)
	return sum[:]
}

// hostsNow lists the hosts, as "name state".
func (x *testCA) hostsNow() (names []string, all []Host) {
	x.t.Helper()
	for h, err := range x.Hosts(x.t.Context()) {
		if err != nil {
			x.t.Fatal(err)
		}
		names, all = append(names, h.CommonName+" "+h.State), append(all, h)
	}
	return names, all
}

// TestHosts: those that are late come first, whatever their lifetime, and each comes once.
func TestHosts(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	if names, _ := x.hostsNow(); len(names) != 0 {
		t.Errorf("without hosts: %v", names)
	}
	const day = 24 * time.Hour
	x.leaf("long", 30*day)
	x.leaf("gone", day)
	x.now = x.now.Add(26 * day)
	x.leaf("fresh", day)
	x.leaf("revoked", 3*day)
	x.revoke(ca.KeyCompromise, "revoked")
	x.leaf("brief", time.Hour)
	names, all := x.hostsNow()
	if want := []string{"gone expired", "long overdue", "brief valid", "fresh valid", "revoked revoked"}; !slices.Equal(names, want) {
		t.Errorf("got %q, want %q", names, want)
	}
	for _, h := range all {
		if h.Due.Before(h.NotBefore) || !h.Due.Before(h.NotAfter) || h.Denied != nil || h.Clones != nil || h.Late() != (h.CommonName == "gone" || h.CommonName == "long") {
			t.Errorf("%+v", h)
		}
	}
	if _, err := x.Decommission(t.Context(), "gone", ""); err != nil {
		t.Fatal(err)
	}
	if names, _ := x.hostsNow(); slices.Contains(names, "gone expired") || len(names) != 4 {
		t.Errorf("after one was taken out of service: %q", names)
	}
}

// TestHosts_alarms: the host whose certificate somebody else wanted to renew has an alarm, with that
// key and address, and so has one that is denied; other hosts have none, nor has a new holder of the
// name.
func TestHosts_alarms(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	ctx := t.Context()
	issuer, err := x.Issuer(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	first := x.leaf("web-01", time.Hour)
	x.leaf("web-02", time.Hour/2) // it expires first, and the copied one comes before it
	renew := func(from string) ([]byte, error) {
		key := newKey(t)
		_, err := issuer.Renew(ctx, Renewal{
			Old: x.inLedger(first), Renewal: ca.Renewal{Profile: ca.DefaultProfile(), Public: key.Public()},
			Enrollment: &ca.Enrollment{Proof: ca.ProofRenewal, Address: netip.MustParseAddr(from), KeyPlace: ca.KeyInFile},
		})
		return hashOf(t, key.Public()), err
	}
	if _, err := renew("192.0.2.1"); err != nil {
		t.Fatal(err)
	}
	thief, err := renew("198.51.100.7")
	if _, ok := errors.AsType[*ledger.CloneError](err); !ok {
		t.Fatal(err)
	}
	if err := x.DenyRenewal(ctx, "web-02", "moved"); err != nil {
		t.Fatal(err)
	}
	_, all := x.hostsNow()
	if len(all) != 2 || len(all[0].Clones) != 1 || all[0].Denied != nil || all[1].Clones != nil || all[1].Denied == nil || all[1].Denied.Why != "moved" {
		t.Fatalf("%+v", all)
	}
	if c := all[0].Clones[0]; !bytes.Equal(c.Key, thief) || fmt.Sprint(c.Address) != "198.51.100.7" || !c.At.Equal(x.now) {
		t.Errorf("%+v", c)
	}
	if e := all[0].Enrollment; e == nil || e.Proof != ca.ProofRenewal || fmt.Sprint(e.Address) != "192.0.2.1" {
		t.Errorf("%+v", all[0])
	}
	if needs := x.needs(); !strings.Contains(needs, "another key wanted to renew a certificate of web-01, ") {
		t.Errorf("status: %s", needs)
	}
	if _, err := x.Decommission(ctx, "web-01", ""); err != nil {
		t.Fatal(err)
	}
	x.leaf("web-01", time.Hour)
	if needs := x.needs(); strings.Contains(needs, "another key") {
		t.Errorf("status after that: %s", needs)
	}
	if _, all := x.hostsNow(); len(all) != 2 || all[0].Clones != nil {
		t.Errorf("a new holder has the alarm of the one before: %+v", all)
	}
}

// TestHosts_seen: when a host was last seen, and when it was told to renew; a contact of the one that
// had the name before does not count.
func TestHosts_seen(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	x.leaf("operator", 20*time.Hour)
	if _, err := x.enroll(x.token(1, "web-01"), "web-01", newKey(t)); err != nil { // for an hour
		t.Fatal(err)
	}
	issued := x.now
	for _, tt := range []struct {
		name      string
		contact   time.Duration // after the issue
		renew     time.Duration
		seen, due time.Duration
	}{
		{"by its certificate", 0, 0, 0, 38*time.Minute + 20*time.Second},
		{"the holder before", -2 * time.Minute, time.Hour, 0, 38*time.Minute + 20*time.Second},
		{"the request for the certificate", -time.Second, 30 * time.Minute, -time.Second, 30 * time.Minute},
		{"later", 5 * time.Minute, 35 * time.Minute, 5 * time.Minute, 35 * time.Minute},
	} {
		if tt.renew != 0 {
			all := []ledger.Contact{{Name: "web-01", At: issued.Add(tt.contact), RenewAt: issued.Add(tt.renew), Version: "1.2.3"}}
			if err := x.AddContacts(t.Context(), all); err != nil {
				t.Fatal(err)
			}
		}
		_, all := x.hostsNow()
		if len(all) != 2 || all[0].CommonName != "web-01" {
			t.Fatalf("%+v", all)
		}
		if h := all[0]; h.Seen.Sub(issued) != tt.seen || h.Due.Sub(issued).Round(time.Second) != tt.due {
			t.Errorf("%s: seen %v, due %v", tt.name, h.Seen.Sub(issued), h.Due.Sub(issued))
		}
		if h := all[1]; !h.Seen.IsZero() {
			t.Errorf("one that the operator issued was seen at %v", h.Seen)
		}
	}
}

// needs returns what Status wants done.
func (x *testCA) needs() string {
	x.t.Helper()
	status, err := x.Status(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	return strings.Join(status.Needs, "\n")
}

// TestServerCertificate: it is recorded, is no host, and its names are not given to hosts, nor those
// of hosts to servers.
func TestServerCertificate(t *testing.T) {
	t.Parallel()
	x := newCA(t)
	ctx := t.Context()
	key := newKey(t)
	issued, err := x.ServerCertificate(ctx, "", key.Public(), []string{"CA.example.com", "192.0.2.9"})
	if err != nil {
		t.Fatal(err)
	}
	if c := x.inLedger(issued.Certificate); c.Kind != ledger.Server || c.Lineage != 0 || c.Host != "CA.example.com" || !ca.IsServer(issued.Certificate) {
		t.Errorf("recorded as %+v", c)
	}
	if names, _ := x.hostsNow(); len(names) != 0 {
		t.Errorf("it is a host: %v", names)
	}
	if _, err := x.ServerCertificate(ctx, "", newKey(t).Public(), []string{"ca.example.com"}); err != nil {
		t.Errorf("the next one: %v", err)
	}
	issuer, err := x.Issuer(ctx, "")
	if err != nil {
		t.Fatal(err)
	}
	leaf := func(r ca.Request) error { // Why has the extended key usages
		r.Name, r.Public = cmp.Or(r.Name, "web"), newKey(t).Public()
		p, err := ca.NewProfile("p", ca.ProfileConfig{SAN: ca.SANConfig{DNS: []string{"**"}, IP: []string{"0.0.0.0/0"}}, ExtKeyUsage: strings.Fields(r.Why), AllowWarnings: ca.Allowable()})
		if err != nil {
			t.Fatal(err)
		}
		l, err := issuer.Prepare(p, r)
		if err == nil {
			_, err = l.Issue(ctx)
		}
		return err
	}
	for _, tt := range []struct {
		r        ca.Request
		reserved bool
	}{
		{ca.Request{DNS: []string{"ca.example.com"}}, true},
		{ca.Request{DNS: []string{"web.example.com", "Ca.Example.Com"}}, true},
		{ca.Request{IPs: []netip.Addr{netip.MustParseAddr("192.0.2.9")}}, true},
		{ca.Request{IPs: []netip.Addr{netip.MustParseAddr("::ffff:192.0.2.9")}}, true},
		{ca.Request{Name: "CA.example.com", Why: "client_auth server_auth"}, true}, // openssl takes the common name for a host's
		{ca.Request{Name: "ca.example.com", Why: ""}, true},
		{ca.Request{Name: "ca.example.com", Why: "client_auth"}, false},
		{ca.Request{DNS: []string{"web.ca.example.com"}, Why: "client_auth server_auth"}, false},
		{ca.Request{IPs: []netip.Addr{netip.MustParseAddr("192.0.2.10")}}, false},
	} {
		if err := leaf(tt.r); is[*ledger.ReservedNameError](err) != tt.reserved || !tt.reserved && err != nil {
			t.Errorf("%+v: %v", tt.r, err)
		}
	}
	for _, name := range []string{"web.ca.example.com", "WEB.CA.example.com", "192.0.2.10"} {
		if _, err := x.ServerCertificate(ctx, "", newKey(t).Public(), []string{"other.example.com", name}); !is[*ledger.ReservedNameError](err) {
			t.Errorf("a server with the name %s: %v", name, err)
		}
	}
	if _, err := x.ServerCertificate(ctx, "", newKey(t).Public(), nil); err == nil {
		t.Error("without names")
	}
	x.verified()
}
