package enroll

import (
	"context"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// limit gives the server limits, and proxies.
func (w *world) limit(l Limits, p Proxies) {
	t := w.terms()
	t.Limits, t.Proxies = l, p
	w.server.SetTerms(t)
}

// from sets the address of a connection.
func from(address string) func(*http.Request) {
	return func(r *http.Request) { r.RemoteAddr = address }
}

// forged is a request whose signature is not one of the certificate's key.
func forged(h *machine) enrollapi.RenewRequest {
	request := h.renewRequest(h.name, newKey(h.w.t))
	request.Signature[len(request.Signature)-1] ^= 1
	return request
}

// TestLimitAddress: one address can ask only so often, before anything of a request is checked; the
// answer says when it can ask again, and other addresses are not concerned.
func TestLimitAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.limit(Limits{Address: Rate{PerSecond: 0.5, Burst: 3}}, Proxies{})
	h := w.machine("web-01")
	guess := h.enrollRequest(h.name)
	guess.Token = w.token(nil, "other")
	guess.Token.Secret = enrollapi.NewSecret()
	for i, want := range []string{"token-unknown", "token-unknown", "token-unknown", "address-limit", "address-limit"} {
		if got := w.post(enrollapi.PathEnroll, guess); got.rule != want {
			t.Fatalf("request %d: %s", i, got.record)
		}
	}
	seq := w.seq()
	for path, message := range map[string]any{enrollapi.PathEnroll: h.enrollRequest(h.name), enrollapi.PathRenew: h.renewRequest(h.name, newKey(t)), enrollapi.PathUnenroll: h.unenrollRequest()} {
		got := w.post(path, message)
		if got.status != http.StatusTooManyRequests || got.err.Code != enrollapi.SlowDown || got.rule != "address-limit" || got.header.Get("Retry-After") != "3" || got.err.RetryAfter != 3 {
			t.Errorf("%s: %d %s %v", path, got.status, got.record, got.header)
		}
	}
	if w.seq() != seq || w.used(h.token) != 0 {
		t.Error("what is refused has changed the ledger")
	}
	if got := w.post(enrollapi.PathEnroll, guess, from("10.1.2.4:1")); got.rule != "token-unknown" {
		t.Errorf("another address: %s", got.record)
	}
	if got := w.send("GET", enrollapi.PathHealth, nil); got.status != http.StatusOK {
		t.Errorf("health: %d", got.status)
	}
	w.wait(2 * time.Second)
	if got := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name)); got.rule != "issued" {
		t.Errorf("after the time: %s", got.record)
	}
}

// TestLimitAddress_same: which clients count as one.
func TestLimitAddress_same(t *testing.T) {
	t.Parallel()
	proxy := func(value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set("X-Forwarded-For", value) }
	}
	for _, tt := range []struct {
		name         string
		proxies      Proxies
		first, other func(*http.Request)
		same         bool
	}{
		{"one IPv4 address", Proxies{}, from("192.0.2.1:1"), from("192.0.2.1:2"), true},
		{"two IPv4 addresses", Proxies{}, from("192.0.2.1:1"), from("192.0.2.2:1"), false},
		{"IPv4 in IPv6", Proxies{}, from("192.0.2.1:1"), from("[::ffff:192.0.2.1]:1"), true},
		{"one /64", Proxies{}, from("[2001:db8::1]:1"), from("[2001:db8::ffff:1:2:3]:1"), true},
		{"two /64", Proxies{}, from("[2001:db8::1]:1"), from("[2001:db8:0:1::1]:1"), false},
		{"Unix sockets", Proxies{}, from("@"), from("@"), true},
		{"one proxy that is not listed", Proxies{}, proxy("192.0.2.1"), proxy("192.0.2.2"), true},
		{"two hosts behind a listed proxy", Proxies{Networks: []netip.Prefix{netip.MustParsePrefix(fromAddress + "/32")}}, proxy("192.0.2.1"), proxy("192.0.2.2"), false},
		{"what a host behind a proxy writes", Proxies{Networks: []netip.Prefix{netip.MustParsePrefix(fromAddress + "/32")}}, proxy("198.51.100.1, 192.0.2.1"), proxy("198.51.100.2, 192.0.2.1"), true},
	} {
		w := newWorld(t)
		w.limit(Limits{Address: Rate{PerSecond: 0.001, Burst: 1}}, tt.proxies)
		if got := w.post(enrollapi.PathEnroll, enrollapi.EnrollRequest{}, tt.first); got.rule == "address-limit" {
			t.Fatalf("%s: %s", tt.name, got.record)
		}
		if got := w.post(enrollapi.PathEnroll, enrollapi.EnrollRequest{}, tt.other); (got.rule == "address-limit") != tt.same {
			t.Errorf("%s: %s", tt.name, got.record)
		}
	}
}

// TestLimit_due: renewals that are due are granted, however many come from one address, and cost it
// nothing; no others are.
func TestLimit_due(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var hosts []*machine
	for _, name := range []string{"a", "b", "c", "d", "e", "early"} {
		if name == "early" {
			w.wait(17 * time.Hour)
		}
		hosts = append(hosts, w.machine(name))
	}
	early := hosts[5]
	w.limit(Limits{Address: Rate{PerSecond: 0.001, Burst: 2}, Host: Rate{PerSecond: 0.001, Burst: 1}}, Proxies{})
	for _, h := range hosts[:3] { // more than the burst
		if got := w.post(enrollapi.PathRenew, h.renewRequest(h.name, newKey(t))); got.rule != "issued" {
			t.Fatalf("%s: %s", h.name, got.record)
		}
	}
	for range 2 {
		if got := w.post(enrollapi.PathRenew, early.renewRequest(early.name, newKey(t))); got.rule == "address-limit" {
			t.Fatalf("within the limit: %s", got.record)
		}
	}
	if got := w.post(enrollapi.PathRenew, early.renewRequest(early.name, newKey(t))); got.rule != "address-limit" {
		t.Errorf("not due: %s", got.record)
	}
	replaced := hosts[0]
	if got := w.post(enrollapi.PathRenew, replaced.renewRequest(replaced.name, newKey(t))); got.rule != "address-limit" {
		t.Errorf("renewed already: %s", got.record)
	}
	if got := w.post(enrollapi.PathRenew, hosts[3].renewRequest(hosts[3].name, newKey(t))); got.rule != "issued" {
		t.Errorf("due, over the limit: %s", got.record)
	}
	stolen := hosts[4]
	var rules []string
	for range 5 {
		rules = append(rules, w.post(enrollapi.PathRenew, forged(stolen)).rule)
	}
	if got := strings.Join(rules, " "); got != "signature signature signature address-limit address-limit" {
		t.Errorf("with a certificate and without its key: %s", got)
	}
	w.wait(time.Minute)
	if got := w.post(enrollapi.PathRenew, stolen.renewRequest(stolen.name, newKey(t))); got.rule != "issued" {
		t.Errorf("its host, later: %s", got.record)
	}
	w.verified()
}

// TestLimitHost: one host can ask only so often, whatever its address, and does not use up what
// others can ask.
func TestLimitHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, other := w.machine("web-01"), w.machine("web-02")
	w.limit(Limits{Host: Rate{PerSecond: 0.01, Burst: 2}}, Proxies{})
	for i, want := range []string{"issued", "issued", "host-limit"} {
		key := newKey(t)
		got := w.post(enrollapi.PathRenew, h.renewRequest(h.name, key), from([]string{"192.0.2.1:1", "192.0.2.2:1", "192.0.2.3:1"}[i]))
		if got.rule != want {
			t.Fatalf("renewal %d: %s", i, got.record)
		}
		if want == "issued" {
			h.leaf, h.key = got.certificate(t), key
		} else if got.status != http.StatusTooManyRequests || got.header.Get("Retry-After") != "101" {
			t.Errorf("%d, Retry-After %s", got.status, got.header.Get("Retry-After"))
		}
	}
	if got := w.post(enrollapi.PathUnenroll, h.unenrollRequest()); got.rule != "host-limit" {
		t.Errorf("unenroll: %s", got.record)
	}
	if got := w.post(enrollapi.PathRenew, forged(h)); got.rule != "signature" {
		t.Errorf("somebody else: %s", got.record)
	}
	if got := w.post(enrollapi.PathRenew, other.renewRequest(other.name, newKey(t))); got.rule != "issued" {
		t.Errorf("another host: %s", got.record)
	}
	many := w.token(func(t *ledger.Token) { t.Names, t.Pattern, t.Uses = nil, "new-*", 5 })
	for i, name := range []string{"new-1", "new-2", "new-3", "new-3", "new-3"} { // a token is not a host
		m := &machine{w: w, name: name, key: newKey(t), token: many}
		if i > 2 {
			m.key = other.key
		}
		if got := w.post(enrollapi.PathEnroll, m.enrollRequest(name)); got.rule == "host-limit" {
			t.Errorf("with the token, %d: %s", i, got.record)
		}
	}
	m := &machine{w: w, name: "new-3", key: other.key, token: many}
	if got := w.post(enrollapi.PathEnroll, m.enrollRequest("new-3")); got.rule != "host-limit" {
		t.Errorf("the same key again: %s", got.record)
	}
}

// TestGate: more requests than can be decided together are told to come again, and the hosts of a busy
// server renew further apart.
func TestGate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	const most = 8
	w.limit(Limits{AtOnce: most}, Proxies{})
	gate := &w.server.admission.gate
	gate.enter(most, w.now())
	quiet := w.post(enrollapi.PathRenew, h.renewRequest(h.name, newKey(t)))
	for range most - 1 {
		if !gate.enter(most, w.now()) {
			t.Fatal("there is no room")
		}
	}
	full := w.post(enrollapi.PathEnroll, h.enrollRequest(h.name))
	if full.status != http.StatusServiceUnavailable || full.err.Code != enrollapi.Overloaded || full.rule != "overloaded" || full.header.Get("Retry-After") != "10" || w.used(h.token) != 0 {
		t.Errorf("%d %s", full.status, full.record)
	}
	if n := gate.count(); n != most {
		t.Errorf("%d are inside", n)
	}
	for range most {
		gate.leave()
	}
	busy := w.post(enrollapi.PathRenew, w.machine("web-02").renewRequest("web-02", newKey(t)))
	w.wait(busyTime)
	again := w.post(enrollapi.PathRenew, w.machine("web-03").renewRequest("web-03", newKey(t)))
	gate.enter(most, w.now())
	gate.enter(most, w.now())
	crowded := w.post(enrollapi.PathRenew, w.machine("web-04").renewRequest("web-04", newKey(t)))
	gate.leave()
	gate.leave()
	life := int64(24*time.Hour+time.Minute) / int64(time.Second)
	if spread := quiet.answer.Renew.Before - quiet.answer.Renew.After; spread < life/12-60 || spread > life/12+60 || again.answer.Renew != quiet.answer.Renew {
		t.Errorf("quiet: %+v, and later %+v", quiet.answer.Renew, again.answer.Renew)
	}
	for what, renew := range map[string]enrollapi.Window{"none is left": busy.answer.Renew, "a quarter is taken": crowded.answer.Renew} {
		if renew.Before != quiet.answer.Renew.Before || renew.Before-renew.After < life/4-60 {
			t.Errorf("busy, since of the room %s: %+v", what, renew)
		}
	}
	if n := gate.count(); n != 0 {
		t.Errorf("%d are still inside", n)
	}
}

// TestContacts: what is written down of hosts that got an answer.
func TestContacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h, refused := w.machine("web-01"), w.machine("web-02")
	request := h.renewRequest(h.name, newKey(t))
	request.Version = "1.2.3\x1b[2J " + strings.Repeat("x", 100)
	got := w.post(enrollapi.PathRenew, request)
	w.post(enrollapi.PathRenew, forged(refused))
	ticks := make(chan time.Time)
	done := make(chan struct{})
	ctx, cancel := context.WithCancel(t.Context())
	go func() { w.server.KeepContacts(ctx, ticks); close(done) }()
	cancel() // what is left is written at the end
	<-done
	seen := map[string]*ledger.Contact{}
	for h, err := range w.ledger.Holders(t.Context()) {
		w.must(err)
		seen[h.CommonName] = h.Contact
	}
	k := seen["web-01"]
	if k == nil || seen["web-02"] != nil {
		t.Fatalf("%v", seen)
	}
	if !k.At.Equal(w.now()) || !k.RenewAt.Equal(w.now().Add(time.Duration(got.answer.Renew.After)*time.Second)) || !strings.HasPrefix(k.Version, "1.2.3[2Jxxx") || len(k.Version) > 40 {
		t.Errorf("%+v", k)
	}
	w.verified()
}

// TestDue: when the certificate of a host is due.
func TestDue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	h := w.machine("web-01")
	old := func() ledger.Certificate { return w.leaves("web-01")[0] }
	half := old().NotBefore.Add(h.leaf.NotAfter.Sub(h.leaf.NotBefore) / 2)
	if isDue(old(), half.Add(-time.Second)) || !isDue(old(), half) || !isDue(old(), half.AddDate(1, 0, 0)) {
		t.Error("at its half")
	}
	w.revoke(h.leaf, 0)
	if isDue(old(), half) {
		t.Error("although it is revoked")
	}
}
