package ledger

import (
	"bytes"
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// A request is kept as it came first, in no entry, until it expires.
func TestFile(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		l, c, _ := createAt(t, where)
		before := entriesOf(t, l)
		r := requestOf(t, "web", newKey(t))
		first := filed(t, l, r)
		if !first.New || !first.At.Equal(noon) || !first.Expires.Equal(noon.Add(24*time.Hour)) {
			t.Errorf("filed as %+v", first)
		}
		c.set(noon.Add(time.Hour))
		r.Address, r.KeyPlace = netip.MustParseAddr("::1"), "file" // whoever sends it again
		again := filed(t, l, r)
		if again.New || !again.At.Equal(first.At) || again.Address != first.Address || again.KeyPlace != first.KeyPlace || !slices.Equal(again.SANs, first.SANs) {
			t.Errorf("again %+v; first %+v", again, first)
		}
		other := requestOf(t, "web", newKey(t), func(r *Request) { r.SANs, r.Address = nil, netip.Addr{} })
		filed(t, l, other)
		if got := waits(t, l); !slices.Equal(got, []string{idOf(r), idOf(other)}) {
			t.Errorf("%q wait", got)
		}
		c.set(noon.Add(24*time.Hour + time.Microsecond))
		if got := waits(t, l); !slices.Equal(got, []string{idOf(other)}) {
			t.Errorf("%q wait after a day", got)
		}
		if anew := filed(t, l, r); !anew.New || !anew.At.Equal(c.get()) {
			t.Errorf("asked again after its end: %+v", anew)
		}
		if n := entriesOf(t, l); n != before {
			t.Errorf("%d entries", n-before)
		}
		verified(t, l)
	})
}

// What is no request is refused, and so is one for a denied name.
func TestFile_refuses(t *testing.T) {
	l, _, _ := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	key := newKey(t)
	madeToken(t, l, 1)
	if err := l.DenyRenewal(t.Context(), "web", ""); err != nil {
		t.Fatal(err)
	}
	for what, change := range map[string]func(*Request){
		"no ID":         func(r *Request) { r.ID = nil },
		"a cut ID":      func(r *Request) { r.ID = r.ID[1:] },
		"no key":        func(r *Request) { r.KeyHash = nil },
		"no name":       func(r *Request) { r.Name = "" },
		"no profile":    func(r *Request) { r.Profile = "" },
		"two lines":     func(r *Request) { r.SANs = []string{"DNS:a\nDNS:b"} },
		"NUL":           func(r *Request) { r.SANs = []string{"URI:\x00"} },
		"no text":       func(r *Request) { r.Name = "\xff" },
		"too many":      func(r *Request) { r.SANs = []string{strings.Repeat("a", maxRequestTexts)} },
		"a denied name": func(*Request) {},
	} {
		if _, err := l.File(t.Context(), requestOf(t, "web", key, change), time.Hour); err == nil || (what == "a denied name") != (why(err) == "denied") {
			t.Errorf("%s: %v", what, err)
		}
	}
	if got := waits(t, l); len(got) != 0 {
		t.Errorf("%q wait", got)
	}
}

// Of one address, or one network of IPv6, only so many wait; what was decided or has expired makes room.
func TestFile_limits(t *testing.T) {
	l, c, _ := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	key := newKey(t)
	n := 0
	ask := func(from string) (Request, error) {
		n++
		return l.File(t.Context(), requestOf(t, fmt.Sprintf("host-%d", n), key, func(r *Request) { r.Address, _ = netip.ParseAddr(from) }), time.Hour)
	}
	for _, sources := range [][]string{{"10.0.0.9", "::ffff:10.0.0.9"}, {"2001:db8::1", "2001:db8::ffff:1", "2001:db8::ffff:ffff:ffff:ffff"}, {""}} {
		for i := range maxWaitingOfSource {
			if _, err := ask(sources[i%len(sources)]); err != nil {
				t.Fatalf("%q, %d: %v", sources, i, err)
			}
		}
		for _, from := range sources {
			if _, err := ask(from); why(err) != "too many" {
				t.Errorf("%q: %v", from, err)
			}
		}
	}
	for _, from := range []string{"10.0.0.8", "2001:db8:0:1::1"} {
		if _, err := ask(from); err != nil {
			t.Errorf("%q: %v", from, err)
		}
	}
	for i, from := range []string{"10.0.0.9", "2001:db8::1"} {
		id := idOf(requestOf(t, fmt.Sprintf("host-%d", 1+i*(maxWaitingOfSource+2)), key))
		if _, err := l.DenyRequest(t.Context(), id, approving(byte(i+1), noon)); err != nil {
			t.Fatal(err)
		}
		if _, err := ask(from); err != nil {
			t.Errorf("%q, after one was denied: %v", from, err)
		}
		if _, err := ask(from); why(err) != "too many" {
			t.Errorf("%q, one more: %v", from, err)
		}
	}
	c.set(noon.Add(time.Hour + time.Microsecond))
	if _, err := ask("10.0.0.9"); err != nil || len(waits(t, l)) != 1 {
		t.Errorf("after their end: %v, %d wait", err, len(waits(t, l)))
	}
	verified(t, l)
}

// In all only so many wait, from whatever addresses.
func TestFile_all(t *testing.T) {
	l, _, _ := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	tx, err := l.db.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := range maxWaiting {
		id := append(bytes.Repeat([]byte{1}, 30), byte(i>>8), byte(i))
		r := Request{ID: id, Name: "web", Profile: "workload", KeyHash: id, Address: netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)}), At: noon, Expires: noon.Add(time.Hour)}
		if _, err := tx.ExecContext(t.Context(), insertRequest, r.values()...); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if _, err := l.File(t.Context(), requestOf(t, "web", newKey(t)), time.Hour); why(err) != "too many" {
		t.Errorf("%v", err)
	}
}

// Two who file the same request at the same time wait as one.
func TestFile_together(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		l, _, _ := createAt(t, where)
		r := requestOf(t, "web", newKey(t))
		results := make(chan bool, 8)
		for range cap(results) {
			go func() {
				got, err := l.File(t.Context(), r, time.Hour)
				results <- err == nil && got.New
			}()
		}
		isNew := 0
		for range cap(results) {
			if <-results {
				isNew++
			}
		}
		if isNew != 1 || len(waits(t, l)) != 1 {
			t.Errorf("%d are new, %d wait", isNew, len(waits(t, l)))
		}
	})
}
