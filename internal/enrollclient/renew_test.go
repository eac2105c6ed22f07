package enrollclient

import (
	"context"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/internal/enrollapi"
	"kedge/internal/enrollclient/enrolltest"
	"kedge/internal/hostdir"
	"kedge/signer"
)

// at is a renewal when the host's clock is that far from the right time.
func at(dir string, shift time.Duration) Renewing {
	c := connection()
	c.Now = func() time.Time { return time.Now().Add(shift) }
	return Renewing{Connection: c, Dir: dir, Keys: ofRecord}
}

func TestRenew(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	first := checkUsable(t, dir)
	got, err := Renew(t.Context(), at(dir, 0))
	if err != nil || got.Done || got.Waiting || s.Issued != 1 {
		t.Fatalf("before it is due: %+v, %v", got, err)
	}
	got, err = Renew(t.Context(), at(dir, 19*time.Hour))
	if err != nil || !got.Done || s.Issued != 2 {
		t.Fatalf("when it is due: %+v, %v", got, err)
	}
	second := checkUsable(t, dir)
	if !second.Leaf().Equal(got.Pair.Leaf) || signer.KeyKind(second.Signer().Public()) != "P-256" || hashed(first.Leaf().RawSubjectPublicKeyInfo) == hashed(second.Leaf().RawSubjectPublicKeyInfo) {
		t.Error("the renewal has the old key")
	}
	if state := hostdir.ReadState(dir); state != (hostdir.State{}) {
		t.Errorf("the state is %+v", state)
	}
	if got, err = Renew(t.Context(), at(dir, 19*time.Hour)); err != nil || got.Done {
		t.Errorf("after it: %+v, %v", got, err)
	}
}

// What counts is the time since the answer; the host's clock may be wrong, and step.
func TestIsDue(t *testing.T) {
	answered := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	r := hostdir.Record{Answered: answered, Renew: enrollapi.Window{After: 3600, Before: 4000}}
	for _, test := range []struct {
		since time.Duration
		want  bool
	}{
		{0, false}, {3599 * time.Second, false}, {time.Hour, true}, {1000 * time.Hour, true}, {-time.Minute, false}, {-6 * time.Minute, true},
		{-24 * time.Hour, true}, {-100000 * time.Hour, true},
	} {
		if got := isDue(r, answered.Add(test.since)); got != test.want {
			t.Errorf("after %v: %t", test.since, got)
		}
	}
}

func TestBackoff(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	var s hostdir.State
	for i, most := range []time.Duration{30 * time.Second, time.Minute, 2 * time.Minute, 4 * time.Minute, 8 * time.Minute, 15 * time.Minute, 15 * time.Minute} {
		shortest, longest := tried(s, now, 0), tried(s, now, 0.9999)
		if wait := shortest.NextTry.Sub(now); wait != 10*time.Second {
			t.Errorf("after %d failures the shortest wait is %v", i+1, wait)
		}
		if wait := longest.NextTry.Sub(now); wait > most || wait < most*99/100 {
			t.Errorf("after %d failures the longest wait is %v, want %v", i+1, wait, most)
		}
		s = longest
	}
	s.Failures = 1 << 40
	if wait := tried(s, now, 0.9999).NextTry.Sub(now); wait > 15*time.Minute || wait < 14*time.Minute {
		t.Errorf("after very many failures the longest wait is %v", wait)
	}
	s = tried(hostdir.State{}, now, 0)
	for after, want := range map[time.Duration]time.Duration{0: 10 * time.Second, time.Minute: time.Minute, 48 * time.Hour: time.Hour} {
		if wait := failed(s, errStopped, after).NextTry.Sub(now); wait != want {
			t.Errorf("with Retry-After %v the wait is %v", after, wait)
		}
	}
	for _, test := range []struct {
		shift time.Duration
		want  bool
	}{{0, true}, {9 * time.Second, true}, {10 * time.Second, false}, {-time.Second, false}, {-24 * time.Hour, false}, {time.Hour, false}} {
		if got := isWaiting(s, now.Add(test.shift)); got != test.want {
			t.Errorf("%v after a failure: waiting %t", test.shift, got)
		}
	}
}

func TestChoose(t *testing.T) {
	now := time.Now()
	leaf := &x509.Certificate{NotAfter: now.Add(24 * time.Hour)}
	const life = 24 * 3600
	for _, test := range []struct {
		given       enrollapi.Window
		first, last int64
	}{
		{enrollapi.Window{After: 100, Before: 200}, 100, 199}, {enrollapi.Window{}, life * 2 / 3, life * 3 / 4}, {enrollapi.Window{After: -5, Before: 10}, life * 2 / 3, life * 3 / 4},
		{enrollapi.Window{After: 200, Before: 100}, life * 2 / 3, life * 3 / 4}, {enrollapi.Window{After: 10, Before: life + 1}, life * 2 / 3, life * 3 / 4},
		{enrollapi.Window{After: 100, Before: 100}, 100, 100}, {enrollapi.Window{After: 1 << 62, Before: 1 << 62}, life * 2 / 3, life * 3 / 4},
	} {
		if first, last := choose(test.given, leaf, now, 0).After, choose(test.given, leaf, now, 0.99999).After; first != test.first || last > test.last || last < test.last-5 {
			t.Errorf("%+v gives %d to %d", test.given, first, last)
		}
	}
}

// A failed try is written down before and after, and the next ones wait.
func TestRenew_backoff(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	before := checkUsable(t, dir).Leaf()
	s.Refuse = func(string) error {
		return &enrollapi.Error{Code: enrollapi.Overloaded, Message: "too much to do", RetryAfter: 300}
	}
	_, err := Renew(t.Context(), at(dir, 19*time.Hour))
	if refusal, ok := errors.AsType[*enrollapi.Error](err); !ok || refusal.Code != enrollapi.Overloaded {
		t.Fatalf("got %v", err)
	}
	state := hostdir.ReadState(dir)
	if state.Failures != 1 || !strings.Contains(state.Error, "too much to do") || state.NextTry.Sub(state.LastTry) < 5*time.Minute {
		t.Errorf("the state is %+v", state)
	}
	asked := len(s.Asked)
	if got, err := Renew(t.Context(), at(dir, 19*time.Hour+time.Minute)); err != nil || !got.Waiting || got.Done || len(s.Asked) != asked {
		t.Errorf("a minute later: %+v, %v", got, err)
	}
	s.Refuse = nil
	if got, err := Renew(t.Context(), at(dir, 19*time.Hour+16*time.Minute)); err != nil || !got.Done {
		t.Errorf("16 minutes later: %+v, %v", got, err)
	}
	if after := checkUsable(t, dir).Leaf(); after.Equal(before) || s.Issued != 2 {
		t.Error("it was not renewed")
	}
}

// That a process is to end is no fault of the server, and a long answer of a server is cut short.
func TestRenew_state(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	s.Refuse = func(string) error {
		cancel()
		return &enrollapi.Error{Code: enrollapi.Overloaded, Message: "x"}
	}
	if _, err := Renew(ctx, at(dir, 19*time.Hour)); err == nil {
		t.Error("it was renewed")
	}
	if state := hostdir.ReadState(dir); state.Failures != 0 {
		t.Errorf("the state is %+v", state)
	}
	s.Refuse = func(string) error {
		return &enrollapi.Error{Code: enrollapi.Code(strings.Repeat("c", 9999)), Message: strings.Repeat("ü", 9999), Hint: strings.Repeat("h", 9999)}
	}
	if _, err := Renew(t.Context(), at(dir, 19*time.Hour)); err == nil || len(err.Error()) > 1200 {
		t.Errorf("got %v", err)
	}
	if state := hostdir.ReadState(dir); state.Failures != 1 || len(state.Error) > 1200 {
		t.Errorf("the state is %+v", state)
	}
}

// A lost answer costs nothing, however often, and makes no clone of the host.
func TestRenew_lostAnswer(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	s.Lose = func(string) bool { return true }
	for range 3 {
		r := at(dir, 0)
		r.Force = true
		if _, err := Renew(t.Context(), r); !errors.As(err, new(*UnreachableError)) {
			t.Fatalf("got %v", err)
		}
		checkUsable(t, dir)
	}
	s.Lose = nil
	if got, err := Renew(t.Context(), at(dir, 19*time.Hour)); err != nil || !got.Done || s.Issued != 2 || s.Clones != 0 {
		t.Errorf("got %+v, %v, %d certificates, %d clones", got, err, s.Issued, s.Clones)
	}
	checkUsable(t, dir)
}

// A renewal is stopped in front of each of its steps, as by kill -9. There is always a pair that works,
// and after the next run one certificate more, never two, and no clone.
func TestRenew_stopped(t *testing.T) {
	for n := 1; ; n++ {
		s := enrolltest.New(t)
		dir := enrolled(t, s)
		r := at(dir, 19*time.Hour)
		count := n
		r.step = func(string) error {
			if count--; count <= 0 {
				return errStopped
			}
			return nil
		}
		_, err := Renew(t.Context(), r)
		if err != nil && !errors.Is(err, errStopped) {
			t.Fatal(err)
		}
		checkUsable(t, dir)
		if _, err := Renew(t.Context(), at(dir, 20*time.Hour)); err != nil {
			t.Fatalf("after a stop at %d: %v", n, err)
		}
		checkUsable(t, dir)
		if s.Issued != 2 || s.Clones != 0 {
			t.Errorf("after a stop at %d there are %d certificates and %d clones", n, s.Issued, s.Clones)
		}
		if _, again := Renew(t.Context(), Renewing{Connection: connection(), Dir: dir, Keys: ofRecord, Force: true}); again != nil || s.Issued != 3 || s.Clones != 0 {
			t.Errorf("after a stop at %d the renewal after that: %v, %d certificates, %d clones", n, again, s.Issued, s.Clones)
		}
		if err == nil {
			if n < 12 {
				t.Errorf("there were only %d steps", n)
			}
			return
		}
	}
}

// The clock of the host is wrong, or that of the server: the host signs again with the server's time.
func TestRenew_clocks(t *testing.T) {
	for _, shift := range []time.Duration{-24 * time.Hour, -time.Hour, -20 * time.Minute, 10 * time.Minute, time.Hour, 24 * time.Hour} {
		s := enrolltest.New(t)
		dir := filepath.Join(t.TempDir(), "web-01")
		e := enrolling(t, s, dir)
		e.Now = func() time.Time { return time.Now().Add(shift) }
		if _, err := Enroll(t.Context(), e); err != nil {
			t.Errorf("%v: enroll: %v", shift, err)
			continue
		}
		if got, err := Renew(t.Context(), at(dir, shift)); err != nil || got.Done {
			t.Errorf("%v: before it is due: %+v, %v", shift, got, err)
		}
		r := at(dir, shift)
		r.Force = true
		if got, err := Renew(t.Context(), r); err != nil || !got.Done {
			t.Errorf("%v: %+v, %v", shift, got, err)
		}
		// The clock is put right. After a step back the time since the answer is unknown, so the host renews.
		got, err := Renew(t.Context(), at(dir, 0))
		if err != nil || got.Done != (shift > maxStepBack || shift <= -24*time.Hour) {
			t.Errorf("%v, then right: %+v, %v", shift, got, err)
		}
	}
	// A server that always finds the date wrong is asked twice.
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	s.Asked = nil
	s.Refuse = func(string) error { return &enrollapi.Error{Code: enrollapi.Clock, Message: "no"} }
	r := at(dir, 0)
	r.Force = true
	if _, err := Renew(t.Context(), r); err == nil || len(s.Asked) != 2 {
		t.Errorf("got %v after %d requests", err, len(s.Asked))
	}
}

// The certificate expired, as during a long outage: it is renewed all the same.
func TestRenew_expired(t *testing.T) {
	s := enrolltest.New(t)
	s.Life = time.Hour
	s.Skew = -3 * time.Hour // the certificate expired two hours ago
	dir := enrolled(t, s)
	s.Skew, s.Life = 0, 24*time.Hour
	if got, err := Renew(t.Context(), at(dir, 0)); err != nil || got.Done && got.Pair.Leaf.NotAfter.Before(time.Now()) {
		t.Errorf("%+v, %v", got, err)
	}
	if got, err := Renew(t.Context(), at(dir, 2*time.Hour)); err != nil || !got.Done {
		t.Errorf("%+v, %v", got, err)
	}
	checkUsable(t, dir)
}

// Keys in hardware stay, whether they have a file or not.
func TestRenew_sameKey(t *testing.T) {
	for _, inFile := range []bool{true, false} {
		s := enrolltest.New(t)
		outside := filepath.Join(t.TempDir(), "token.key")
		k := fileKeys("P-256")
		k.Place = enrollapi.InTPM
		if !inFile {
			k.Place, k.URI = enrollapi.InPKCS11, outside
			if err := k.Create(t.Context(), outside); err != nil {
				t.Fatal(err)
			}
		}
		dir := filepath.Join(t.TempDir(), "web-01")
		e := enrolling(t, s, dir)
		e.Keys = k
		first, err := Enroll(t.Context(), e)
		if err != nil {
			t.Fatal(err)
		}
		r := at(dir, 19*time.Hour)
		r.Keys = func(got hostdir.Record) (Keys, error) {
			if got.Key != k.URI || got.KeyPlace != k.Place {
				t.Errorf("the record has the key %q in %q", got.Key, got.KeyPlace)
			}
			return k, nil
		}
		second, err := Renew(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		if hashed(first.Pair.Leaf.RawSubjectPublicKeyInfo) != hashed(second.Pair.Leaf.RawSubjectPublicKeyInfo) || second.Pair.Leaf.Equal(first.Pair.Leaf) {
			t.Error("the key changed, or the certificate did not")
		}
		if _, err := os.Stat(filepath.Join(dir, "current", hostdir.KeyName)); (err == nil) != inFile {
			t.Errorf("the file of the key: %v", err)
		}
	}
}

// Two timers at once renew once.
func TestRenew_parallel(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			if _, err := Renew(t.Context(), at(dir, 19*time.Hour)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if s.Issued != 2 || s.Clones != 0 {
		t.Errorf("there are %d certificates and %d clones", s.Issued, s.Clones)
	}
}

// Settings for another account are not taken by a renewal.
func TestRenew_settings(t *testing.T) {
	const own, other = "111122223333", "444455556666"
	for _, test := range []struct {
		before, answered, want *enrollapi.AWS
		kept                   bool
	}{
		{nil, nil, nil, false}, {nil, settings(own), settings(own), false}, {settings(own), nil, settings(own), false},
		{settings(own), settings(own), settings(own), false}, {settings(own), settings(other), settings(own), true},
		{settings(own), withRole(own, other), settings(own), true}, {settings(own), inChina(own), settings(own), true},
	} {
		s := enrolltest.New(t)
		s.Change = func(a *enrollapi.Answer) { a.AWS = test.before }
		dir := enrolled(t, s)
		s.Change = func(a *enrollapi.Answer) { a.AWS = test.answered }
		got, err := Renew(t.Context(), at(dir, 19*time.Hour))
		if err != nil {
			t.Fatal(err)
		}
		if same := got.Pair.Record.AWS == nil && test.want == nil || got.Pair.Record.AWS != nil && test.want != nil && *got.Pair.Record.AWS == *test.want; !same || (got.Offered != nil) != test.kept || test.kept && *got.Offered != *test.answered {
			t.Errorf("%+v then %+v: %+v, offered %+v", test.before, test.answered, got.Pair.Record.AWS, got.Offered)
		}
		r := at(dir, 0)
		r.Force, r.AcceptSettings = true, true
		if got, err = Renew(t.Context(), r); err != nil || got.Offered != nil || test.answered != nil && *got.Pair.Record.AWS != *test.answered {
			t.Errorf("%+v then %+v, accepted: %+v, %v", test.before, test.answered, got, err)
		}
	}
}

func withRole(account, role string) *enrollapi.AWS {
	a := settings(account)
	a.RoleARN = settings(role).RoleARN
	return a
}

func inChina(account string) *enrollapi.AWS {
	a := settings(account)
	for _, arn := range []*string{&a.TrustAnchorARN, &a.ProfileARN, &a.RoleARN} {
		*arn = strings.Replace(*arn, "arn:aws:", "arn:aws-cn:", 1)
	}
	return a
}

// The root is replaced: the new one is linked from the old one, and the host's pin moves with an answer
// that leads to the old one.
func TestRenew_rotation(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	old, next := s.Root, enrolltest.NewAuthority(t, "root 2", nil)
	link := old.Issue(t, &x509.Certificate{Subject: next.Subject, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, next.Key.Public())
	s.Root = next
	s.Change = func(a *enrollapi.Answer) { a.Bundle = [][]byte{next.Raw} }
	before := checkUsable(t, dir).Leaf()
	r := at(dir, 0)
	r.Force = true
	if _, err := Renew(t.Context(), r); !errors.As(err, new(*AnswerError)) {
		t.Errorf("without the link: %v", err)
	}
	if leaf := checkUsable(t, dir).Leaf(); !leaf.Equal(before) {
		t.Error("it came into use")
	}
	s.Change = func(a *enrollapi.Answer) { a.Chain, a.Bundle = [][]byte{link.Raw}, [][]byte{next.Raw} }
	got, err := Renew(t.Context(), r)
	if err != nil {
		t.Fatal(err)
	}
	if want := pinOf(next.Certificate); got.Pair.Record.CAKey != hex.EncodeToString(want[:]) {
		t.Errorf("the pin is %s", got.Pair.Record.CAKey)
	}
	// With both roots in the bundle, the pin of a host whose certificate leads to the old one stays.
	s = enrolltest.New(t)
	dir = enrolled(t, s)
	s.Change = func(a *enrollapi.Answer) { a.Bundle = [][]byte{next.Raw, a.Bundle[0]} }
	if got, err = Renew(t.Context(), at(dir, 19*time.Hour)); err != nil || got.Pair.Record.CAKey != hex.EncodeToString(s.Pin[:]) {
		t.Errorf("%+v, %v", got, err)
	}
}

// Renewals that the server refuses leave the pair as it is.
func TestRenew_refused(t *testing.T) {
	for _, code := range []enrollapi.Code{enrollapi.Revoked, enrollapi.Denied, enrollapi.Clone, enrollapi.Ended, enrollapi.BeyondGrace, enrollapi.WrongCA, enrollapi.UnknownCertificate} {
		s := enrolltest.New(t)
		dir := enrolled(t, s)
		s.Refuse = func(string) error { return &enrollapi.Error{Code: code, Message: "no"} }
		_, err := Renew(t.Context(), at(dir, 19*time.Hour))
		if refusal, ok := errors.AsType[*enrollapi.Error](err); !ok || refusal.Code != code {
			t.Errorf("%s: %v", code, err)
		}
		checkUsable(t, dir)
		s.Refuse = nil
		if got, err := Renew(t.Context(), at(dir, 20*time.Hour)); err != nil || !got.Done || s.Clones != 0 {
			t.Errorf("%s, then not any more: %+v, %v", code, got, err)
		}
	}
}

// Without a place for the state no certificate is asked for.
func TestRenew_unwritable(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	if err := os.Mkdir(filepath.Join(dir, "state.json"), 0o700); err != nil {
		t.Fatal(err)
	}
	asked := len(s.Asked)
	if _, err := Renew(t.Context(), at(dir, 19*time.Hour)); err == nil || len(s.Asked) != asked {
		t.Errorf("got %v after %d requests", err, len(s.Asked)-asked)
	}
	checkUsable(t, dir)
}

func TestUnenroll(t *testing.T) {
	s := enrolltest.New(t)
	dir := enrolled(t, s)
	serial := hexSerial(checkUsable(t, dir).Leaf())
	u := Unenrolling{Connection: connection(), Dir: dir, Keys: ofRecord}
	s.Refuse = func(string) error { return &enrollapi.Error{Code: enrollapi.Unavailable, Message: "later"} }
	if _, err := Unenroll(t.Context(), u); err == nil {
		t.Error("a refusal counts as done")
	}
	checkUsable(t, dir)
	s.Refuse = nil
	got, err := Unenroll(t.Context(), u)
	if err != nil || got.Serial != serial || !s.Revoked[serial] {
		t.Errorf("got %+v, %v; revoked %v", got, err, s.Revoked)
	}
	if _, err := os.Stat(dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
	if _, err := Unenroll(t.Context(), u); !errors.As(err, new(*hostdir.NotEnrolledError)) {
		t.Errorf("again: %v", err)
	}
}

// Removal is stopped in front of each of its steps; the next run finishes it.
func TestUnenroll_stopped(t *testing.T) {
	for n := 1; ; n++ {
		s := enrolltest.New(t)
		dir := enrolled(t, s)
		serial := hexSerial(checkUsable(t, dir).Leaf())
		u := Unenrolling{Connection: connection(), Dir: dir, Keys: ofRecord}
		count := n
		u.step = func(string) error {
			if count--; count <= 0 {
				return errStopped
			}
			return nil
		}
		_, err := Unenroll(t.Context(), u)
		if err == nil {
			return
		}
		if _, err := Renew(t.Context(), at(dir, 0)); err != nil && !errors.As(err, new(*RemovingError)) && !errors.As(err, new(*hostdir.NotEnrolledError)) {
			t.Errorf("stopped at %d, then renewed: %v", n, err)
		}
		u.step = nil
		if _, err := Unenroll(t.Context(), u); err != nil && !errors.As(err, new(*hostdir.NotEnrolledError)) {
			t.Errorf("stopped at %d: %v", n, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "current")); !errors.Is(err, os.ErrNotExist) || !s.Revoked[serial] {
			t.Errorf("stopped at %d: revoked %v, %v", n, s.Revoked, err)
		}
	}
}

// The names of a renewal are those of the certificate, whatever they are.
func TestNextRequest(t *testing.T) {
	root := enrolltest.NewAuthority(t, "root", nil)
	leaf := root.Issue(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: "grün", Organization: []string{"B", "A"}, Country: []string{"DE"}}, DNSNames: []string{"a", "b"}, EmailAddresses: []string{"x@y"},
	}, enrolltest.NewKey(t).Public())
	der, err := nextRequest(leaf, enrolltest.NewKey(t))
	if err != nil {
		t.Fatal(err)
	}
	request, err := x509.ParseCertificateRequest(der)
	if err != nil || string(request.RawSubject) != string(leaf.RawSubject) || len(request.DNSNames) != 2 || len(request.EmailAddresses) != 1 {
		t.Errorf("%+v, %v", request, err)
	}
}
