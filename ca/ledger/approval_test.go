package ledger

import (
	"bytes"
	"cmp"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/internal/testenv"
)

// requestOf returns a request of a key for a name.
func requestOf(t *testing.T, name string, key *ecdsa.PrivateKey, more ...func(*Request)) Request {
	t.Helper()
	hash := sha256.Sum256(publicDER(t, key))
	id := sha256.Sum256(append([]byte(name), hash[:]...))
	r := Request{ID: id[:], Name: name, SANs: []string{"DNS:" + name + ".example.com"}, Profile: "workload", KeyHash: hash[:], KeyPlace: ca.KeyInTPM, Address: netip.MustParseAddr("10.0.0.9")}
	for _, change := range more {
		change(&r)
	}
	return r
}

func idOf(r Request) string { return hex.EncodeToString(r.ID) }

// filed files a request, for a day.
func filed(t *testing.T, l *Ledger, r Request) Request {
	t.Helper()
	got, err := l.File(t.Context(), r, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// approving is how requests are decided in tests: each approval is known by one byte.
func approving(id byte, at time.Time) Approving {
	return Approving{ID: bytes.Repeat([]byte{id}, TokenIDSize), At: at, Expires: at.Add(time.Hour), Why: "known"}
}

// approved files a request and approves it.
func approved(t *testing.T, l *Ledger, r Request, id byte) Token {
	t.Helper()
	filed(t, l, r)
	token, err := l.Approve(t.Context(), idOf(r), approving(id, noon))
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// byApproval is the proof of a host whose request was approved.
func byApproval(token Token) *ca.Enrollment {
	return &ca.Enrollment{Proof: ca.ProofApproval, Token: token.ID, Request: token.Request, Address: netip.MustParseAddr("10.0.0.9"), KeyPlace: ca.KeyInTPM}
}

// waits returns the IDs of the requests that wait.
func waits(t *testing.T, l *Ledger) (ids []string) {
	t.Helper()
	for r, err := range l.Requests(t.Context()) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, idOf(r))
	}
	return ids
}

// Each condition of an approval, each refusal without a trace.
func TestEnroll_approval(t *testing.T) {
	key, other := newKey(t), newKey(t)
	later := func(d time.Duration) func(*testing.T, *Ledger, *clock) {
		return func(_ *testing.T, _ *Ledger, c *clock) { c.set(noon.Add(d)) }
	}
	tests := []struct {
		what    string
		proof   func(*ca.Enrollment)
		before  func(*testing.T, *Ledger, *clock)
		key     *ecdsa.PrivateKey
		name    string
		profile string
		want    string
	}{
		{what: "approved", want: "<nil>"},
		{what: "from another address", proof: func(e *ca.Enrollment) { e.Address = netip.MustParseAddr("::1") }, want: "<nil>"},
		{what: "no request", proof: func(e *ca.Enrollment) { e.Request = nil }, want: "has another secret"},
		{what: "another request", proof: func(e *ca.Enrollment) { e.Request = bytes.Repeat([]byte{1}, 32) }, want: "has another secret"},
		{what: "as if it were a token without a secret", proof: func(e *ca.Enrollment) { e.Proof = ca.ProofToken }, want: "has another secret"},
		{what: "as if it were a token", proof: func(e *ca.Enrollment) { e.Proof, e.Secret = ca.ProofToken, e.Request }, want: "has another secret"},
		{what: "another ID", proof: func(e *ca.Enrollment) { e.Token = bytes.Repeat([]byte{9}, TokenIDSize) }, want: "is not in the ledger"},
		{what: "a token without its secret", proof: func(e *ca.Enrollment) { e.Token, e.Request = newToken(2).ID, nil }, want: "has another secret"},
		{what: "a token by the hash of its secret", proof: func(e *ca.Enrollment) { e.Token, e.Request = newToken(2).ID, newToken(2).SecretHash }, want: "has another secret"},
		{what: "another key", key: other, want: "is for another key"},
		{what: "another name", name: "db", want: "is for other names"},
		{what: "another profile", profile: "admin", want: "is for another profile"},
		{what: "denied since", before: func(t *testing.T, l *Ledger, _ *clock) {
			if _, err := l.DenyRequest(t.Context(), idOf(requestOf(t, "web", key)), approving(3, noon)); err != nil {
				t.Fatal(err)
			}
		}, want: "was revoked"},
		{what: "void", before: func(t *testing.T, l *Ledger, _ *clock) { voided(t, l) }, want: "was made before the ledger was restored, and is void"},
		{what: "at its end", before: later(time.Hour), want: "<nil>"},
		{what: "after its end", before: later(time.Hour + time.Microsecond), want: "has expired"},
		{what: "the name is denied", before: func(t *testing.T, l *Ledger, _ *clock) {
			if err := l.DenyRenewal(t.Context(), "web", ""); err != nil {
				t.Fatal(err)
			}
		}, want: "denied"},
		{what: "decommissioned", before: func(t *testing.T, l *Ledger, _ *clock) {
			if _, err := l.Decommission(t.Context(), "web", ""); err != nil {
				t.Fatal(err)
			}
		}, want: "was revoked"},
	}
	l, c, root := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	for _, tt := range tests {
		token := approved(t, l, requestOf(t, "web", key), 1)
		madeToken(t, l, 2)
		if tt.before != nil {
			tt.before(t, l, c)
		}
		e := byApproval(token)
		if tt.proof != nil {
			tt.proof(e)
		}
		if tt.key == nil {
			tt.key = key
		}
		before := entriesOf(t, l)
		_, err := attempt(t, l, root, ca.Issued{Certificate: root.leafOf(cmp.Or(tt.name, "web"), tt.key), Profile: cmp.Or(tt.profile, "workload"), Enrollment: e})
		if got := why(err); got != tt.want {
			t.Errorf("%s: %s; want %s", tt.what, got, tt.want)
		}
		if tokenErr, ok := errors.AsType[*TokenError](err); ok && tokenErr.Approval != (e.Proof == ca.ProofApproval) {
			t.Errorf("%s: %v", tt.what, err)
		}
		now, _ := l.Token(t.Context(), token.ID)
		if added := entriesOf(t, l) - before; added != int64(now.Used) || (err == nil) != (added == 1) {
			t.Errorf("%s: %d entries, %d uses", tt.what, added, now.Used)
		}
		c.set(noon)
		if err == nil {
			verified(t, l)
		}
		anew(t, l)
	}
}

// What comes of the answer to a text that should name a request, and of each decision after another.
func TestApprove(t *testing.T) {
	key := newKey(t)
	similar := func(r *Request) { // from the 19th digit on it is another
		r.ID = bytes.Clone(requestOf(t, "web", key).ID)
		r.ID[9] ^= 0xff
	}
	id := idOf(requestOf(t, "web", key))
	type step = func(*testing.T, *Ledger, *authority)
	decide := func(deny bool, id byte) step {
		return func(t *testing.T, l *Ledger, _ *authority) {
			decide := l.Approve
			if deny {
				decide = l.DenyRequest
			}
			if _, err := decide(t.Context(), idOf(requestOf(t, "web", key)), approving(id, noon)); err != nil {
				t.Fatal(err)
			}
		}
	}
	use := func(t *testing.T, l *Ledger, root *authority) {
		token, err := l.Decision(t.Context(), requestOf(t, "web", key).ID)
		if err != nil {
			t.Fatal(err)
		}
		if err := enroll(t, l, root, byApproval(token), root.leafOf("web", key)); err != nil {
			t.Fatal(err)
		}
	}
	tests := []struct {
		what         string
		text         string // empty: the ID
		before       []step
		after        time.Duration
		approve, dny string // what the two decisions come to
	}{
		{what: "it waits", approve: "<nil>", dny: "<nil>"},
		{what: "16 characters", text: id[:16], approve: "<nil>", dny: "<nil>"},
		{what: "17 characters", text: id[:17], approve: "<nil>", dny: "<nil>"},
		{what: "63 characters", text: id[:63], approve: "<nil>", dny: "<nil>"},
		{what: "upper case", text: strings.ToUpper(id[:20]), approve: "<nil>", dny: "<nil>"},
		{what: "15 characters", text: id[:15], approve: "request ID", dny: "request ID"},
		{what: "nothing", text: " ", approve: "request ID", dny: "request ID"},
		{what: "65 characters", text: id + "0", approve: "request ID", dny: "request ID"},
		{what: "no digits", text: "g" + id[1:], approve: "request ID", dny: "request ID"},
		{what: "pattern", text: "%%%%%%%%%%%%%%%%", approve: "request ID", dny: "request ID"},
		{what: "another", text: idOf(requestOf(t, "db", key)), approve: "not found", dny: "not found"},
		{what: "begins alike", text: id[:18], before: []step{func(t *testing.T, l *Ledger, _ *authority) { filed(t, l, requestOf(t, "web", key, similar)) }}, approve: "request ID", dny: "request ID"},
		{what: "begins alike, with one digit more", text: id[:19], before: []step{func(t *testing.T, l *Ledger, _ *authority) { filed(t, l, requestOf(t, "web", key, similar)) }}, approve: "<nil>", dny: "<nil>"},
		{what: "expired", after: 24*time.Hour + time.Microsecond, approve: "not found", dny: "not found"},
		{what: "approved", before: []step{decide(false, 1)}, approve: "duplicate", dny: "<nil>"},
		{what: "approved, and expired", before: []step{decide(false, 1)}, after: 2 * time.Hour, approve: "<nil>", dny: "<nil>"},
		{what: "approved, and void", before: []step{decide(false, 1), func(t *testing.T, l *Ledger, _ *authority) { voided(t, l) }}, approve: "<nil>", dny: "<nil>"},
		{what: "used", before: []step{decide(false, 1), use}, approve: "was used before", dny: "was used before"},
		{what: "used long ago", before: []step{decide(false, 1), use}, after: 1000 * time.Hour, approve: "was used before", dny: "was used before"},
		{what: "denied", before: []step{decide(true, 1)}, approve: "<nil>", dny: "was revoked"},
		{what: "denied after it was approved", before: []step{decide(false, 1), decide(true, 2)}, approve: "<nil>", dny: "was revoked"},
		{what: "approved after it was denied", before: []step{decide(true, 1), decide(false, 2)}, approve: "duplicate", dny: "<nil>"},
	}
	l, c, root := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	for _, tt := range tests {
		for deny, want := range map[bool]string{false: tt.approve, true: tt.dny} {
			filed(t, l, requestOf(t, "web", key))
			for _, before := range tt.before {
				before(t, l, root)
			}
			c.set(noon.Add(tt.after))
			entries, decide := entriesOf(t, l), l.Approve
			if deny {
				decide = l.DenyRequest
			}
			token, err := decide(t.Context(), cmp.Or(tt.text, id), approving(7, noon.Add(tt.after)))
			if got := why(err); got != want {
				t.Errorf("%s, deny %v: %s; want %s", tt.what, deny, got, want)
			}
			if added := entriesOf(t, l) - entries; added != 1 && err == nil || added != 0 && err != nil {
				t.Errorf("%s, deny %v: %d entries", tt.what, deny, added)
			}
			if err == nil {
				checkDecided(t, l, tt.what, token, deny)
			}
			c.set(noon)
			anew(t, l)
		}
	}
}

// checkDecided checks that a decision is what counts from now on, and that the ledger can be verified.
func checkDecided(t *testing.T, l *Ledger, what string, token Token, deny bool) {
	t.Helper()
	now, err := l.Decision(t.Context(), token.Request)
	want := "<nil>"
	if deny {
		want = "was revoked"
	}
	if why(err) != want || !bytes.Equal(now.ID, token.ID) || now.Names[0] != "web" || now.Profile != "workload" {
		t.Errorf("%s, deny %v: the decision is %+v, %v", what, deny, now, err)
	}
	for _, id := range waits(t, l) {
		if id == hex.EncodeToString(token.Request) {
			t.Errorf("%s, deny %v: the request still waits", what, deny)
		}
	}
	verified(t, l)
}

// A name of another key is given only by an approval that says so, and then its lineage ends.
func TestApprove_held(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		first, key := root.leaf("web"), newKey(t)
		if _, err := attempt(t, l, root, ca.Issued{Certificate: first, Profile: "workload"}); err != nil {
			t.Fatal(err)
		}
		r := requestOf(t, "web", key)
		filed(t, l, r)
		for _, after := range []time.Duration{0, 20 * time.Hour} { // expired, too, while the request waits
			c.set(noon.Add(after))
			if _, err := l.Approve(t.Context(), idOf(r), approving(1, noon.Add(after))); why(err) != "held" {
				t.Errorf("after %v: %v", after, err)
			}
		}
		c.set(noon)
		a := approving(2, noon)
		a.Replace = true
		token, err := l.Approve(t.Context(), idOf(r), a)
		if err != nil {
			t.Fatal(err)
		}
		next := root.leafOf("web", key)
		if err := enroll(t, l, root, byApproval(token), next); err != nil {
			t.Error(err)
		}
		if _, err := renewBy(t, l, root, first, newKey(t), ca.Enrollment{Grace: time.Hour}, noon); why(err) != "ended" {
			t.Errorf("the renewal of the first: %v", err)
		}
		if _, err := renewBy(t, l, root, next, newKey(t), ca.Enrollment{Grace: time.Hour}, noon); err != nil {
			t.Errorf("the renewal of the second: %v", err)
		}
		verified(t, l)
	})
}

// A name that another key took after the approval is not taken from it.
func TestApprove_heldSince(t *testing.T) {
	l, _, root := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	key := newKey(t)
	token := approved(t, l, requestOf(t, "web", key), 1)
	if err := enroll(t, l, root, madeToken(t, l, 2), root.leaf("web")); err != nil {
		t.Fatal(err)
	}
	if err := enroll(t, l, root, byApproval(token), root.leafOf("web", key)); why(err) != "held" {
		t.Errorf("%v", err)
	}
}

// Nobody makes an approval without a request, and a denied name is approved for nobody.
func TestApprove_otherDoors(t *testing.T) {
	l, _, _ := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	r := requestOf(t, "web", newKey(t))
	if err := l.AddTokens(t.Context(), []Token{newToken(1, func(t *Token) { t.Request = r.ID })}); err == nil {
		t.Error("a token is an approval")
	}
	filed(t, l, r)
	if err := l.AddTokens(t.Context(), []Token{newToken(2)}); err != nil {
		t.Fatal(err)
	}
	if err := l.DenyRenewal(t.Context(), "web", "sold"); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Approve(t.Context(), idOf(r), approving(1, noon)); why(err) != "denied" {
		t.Errorf("a denied name: %v", err)
	}
	for what, a := range map[string]Approving{"no ID": {At: noon, Expires: noon.Add(time.Hour)}, "no time": {ID: make([]byte, TokenIDSize), Expires: noon}, "expired": {ID: make([]byte, TokenIDSize), At: noon, Expires: noon}} {
		if _, err := l.Approve(t.Context(), idOf(r), a); err == nil {
			t.Errorf("%s: it was approved", what)
		}
	}
}

// The same request gets the same certificate again, while that stands.
func TestApprove_again(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		l, c, root := createAt(t, where)
		key := newKey(t)
		token := approved(t, l, requestOf(t, "web", key), 1)
		first := root.leafOf("web", key)
		if err := enroll(t, l, root, byApproval(token), first); err != nil {
			t.Fatal(err)
		}
		c.set(noon.Add(2 * time.Hour)) // after the end of the approval
		err := enroll(t, l, root, byApproval(token), root.leafOf("web", key))
		if answered, ok := errors.AsType[*AnsweredError](err); !ok || !bytes.Equal(answered.Newest.DER, first.Raw) {
			t.Errorf("%v", err)
		}
		if err := l.Revoke(t.Context(), [][]byte{fingerprint(first)}, Revocation{Reason: ca.Superseded, At: noon}); err != nil {
			t.Fatal(err)
		}
		if err := enroll(t, l, root, byApproval(token), root.leafOf("web", key)); why(err) != "was used before" {
			t.Errorf("revoked: %v", err)
		}
		verified(t, l)
	})
}

// Of many who decide at the same time, one does.
func TestApprove_together(t *testing.T) {
	twoEngines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		key := newKey(t)
		r := requestOf(t, "web", key)
		filed(t, l, r)
		var group sync.WaitGroup
		got := make([]string, 8)
		for i := range got {
			group.Go(func() {
				_, err := l.Approve(t.Context(), idOf(r), approving(byte(i+1), noon))
				got[i] = why(err)
			})
		}
		group.Wait()
		if n := strings.Count(strings.Join(got, " "), "<nil>"); n != 1 || strings.Count(strings.Join(got, " "), "duplicate") != len(got)-1 {
			t.Errorf("%q", got)
		}
		token, err := l.Decision(t.Context(), r.ID)
		if err != nil {
			t.Fatal(err)
		}
		for i := range got {
			group.Go(func() { got[i] = why(enroll(t, l, root, byApproval(token), root.leafOf("web", key))) })
		}
		group.Wait()
		if n := strings.Count(strings.Join(got, " "), "<nil>"); n != 1 || strings.Count(strings.Join(got, " "), "answered") != len(got)-1 {
			t.Errorf("%q", got)
		}
		verified(t, l)
	})
}

// Approvals from before a restore are void, and the requests that waited are gone.
func TestRestore_approvals(t *testing.T) {
	engines(t, func(t *testing.T, where string) {
		l, _, root := createAt(t, where)
		key := newKey(t)
		r := requestOf(t, "web", key)
		token := approved(t, l, r, 1)
		filed(t, l, requestOf(t, "db", key))
		backup := filepath.Join(t.TempDir(), "backup.db")
		if err := l.Backup(t.Context(), backup); err != nil {
			t.Fatal(err)
		}
		for engine, to := range map[string]string{"sqlite": filepath.Join(t.TempDir(), "new.db"), "postgres": testenv.Postgres(t)} {
			if _, err := Restore(t.Context(), backup, to, "", Options{Now: atNoon, AnyClock: true}); err != nil {
				t.Fatal(err)
			}
			restored := create(t, to)
			if err := enroll(t, restored, root, byApproval(token), root.leafOf("web", key)); why(err) != "was made before the ledger was restored, and is void" {
				t.Errorf("%s: %v", engine, err)
			}
			if _, err := restored.Decision(t.Context(), r.ID); why(err) != "is not in the ledger" {
				t.Errorf("%s: the decision: %v", engine, err)
			}
			if got := waits(t, restored); len(got) != 0 {
				t.Errorf("%s: %q wait", engine, got)
			}
			if err := enroll(t, restored, root, byApproval(approved(t, restored, r, 2)), root.leafOf("web", key)); err != nil {
				t.Errorf("%s: approved again: %v", engine, err)
			}
			verified(t, restored)
		}
	})
}

// A chain in which a token was used as an approval is not taken, whoever wrote it.
func TestVerify_approvals(t *testing.T) {
	l, _, root := createAt(t, filepath.Join(t.TempDir(), "ledger.db"))
	e := madeToken(t, l, 1)
	if _, err := l.db.ExecContext(t.Context(), "UPDATE tokens SET request = secret_hash, secret_hash = NULL"); err != nil {
		t.Fatal(err)
	}
	e.Proof, e.Request, e.Secret = ca.ProofApproval, e.Secret, nil
	if err := enroll(t, l, root, e, root.leaf("web")); err != nil {
		t.Fatal(err)
	}
	if _, err := l.db.ExecContext(t.Context(), "UPDATE tokens SET secret_hash = request, request = NULL"); err != nil {
		t.Fatal(err)
	}
	report := verify(t, l, "")
	if len(report.Faults) != 1 || !strings.Contains(report.Faults[0].String(), "was used as if it were of the other kind") {
		t.Errorf("%v", report.Faults)
	}
}
