package issuance_test

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	mathrand "math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/testenv"
)

// world is a CA with two services on one ledger, the hosts that it serves, and the reference.
type world struct {
	t      *testing.T
	seed   uint64
	rng    *mathrand.Rand
	engine string
	where  string // of the ledger; another after each restore
	now    time.Time
	ref    *reference
	pair   [2]*server
	log    []string

	mutex sync.Mutex
	keys  keys
	lists map[string][]byte // as they were published

	segments string // the folder of the archive

	hosts   []*host
	authors int // intermediates so far
	saved   *snapshot
	plans   []*plan
	opened  []*openedIssuer
	ledgers int
	trying  bool // an order of what was done at once
}

// server is a service as in a process of its own, with a clock of its own.
type server struct {
	*issuance.Service
	name  string
	skew  time.Duration
	l     *ledger.Ledger
	proxy *proxy // to PostgreSQL
}

// host has a key and a certificate. Several may have the same, which are clones.
type host struct {
	name    string
	key     crypto.Signer
	pending crypto.Signer // of a rekey without an answer
	prints  []string      // fingerprints of its certificates, newest last
	certs   []*x509.Certificate
}

// snapshot is a backup and what the ledger was then.
type snapshot struct {
	path string
	ref  *reference
}

func modelHosts() []string { return []string{"web-1", "web-2", "db-1"} }

// newWorld founds a CA.
func newWorld(t *testing.T, engine string, seed uint64) *world {
	w := &world{t: t, seed: seed, rng: mathrand.New(mathrand.NewPCG(seed, 0)), engine: engine, now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC),
		ref: newReference(), keys: keys{}, lists: map[string][]byte{}, segments: t.TempDir()}
	skews := []time.Duration{0, time.Hour, -time.Hour}
	for i, name := range []string{"A", "B"} {
		w.pair[i] = &server{name: name, skew: skews[w.rng.IntN(len(skews))]}
	}
	w.where = w.place()
	for _, sv := range w.pair {
		w.open(sv)
	}
	w.found()
	return w
}

// place is where the next ledger is to be.
func (w *world) place() string {
	if w.engine == "postgres" {
		return testenv.Postgres(w.t)
	}
	w.ledgers++
	return filepath.Join(w.t.TempDir(), fmt.Sprintf("ledger-%d.db", w.ledgers))
}

func (w *world) clock(sv *server) time.Time { return w.now.Add(sv.skew) }

// open opens the ledger for a service, as a process does that begins.
func (w *world) open(sv *server) {
	w.t.Helper()
	where := w.where
	if w.engine == "postgres" {
		if sv.proxy == nil {
			sv.proxy = newProxy(w.t)
		}
		where = sv.proxy.before(where)
	}
	now := func() time.Time { return w.clock(sv) }
	var err error
	if sv.l, err = ledger.Open(w.t.Context(), where, ledger.Options{Create: true, Now: now, AnyClock: true}); err != nil {
		w.fail("open the ledger: %v", err)
	}
	if sv.Service, err = issuance.New(issuance.Config{Ledger: sv.l, Now: now, Keys: w, LastList: w.lastList}); err != nil {
		w.fail("%v", err)
	}
}

// reopen is the end of a process and the begin of the next: what it was writing is written then,
// or never.
func (w *world) reopen(sv *server) {
	w.t.Helper()
	if err := sv.l.Close(); err != nil {
		w.fail("close the ledger of %s: %v", sv.name, err)
	}
	w.open(sv)
	w.plans = slices.DeleteFunc(w.plans, func(p *plan) bool { return p.by == sv })
	w.opened = slices.DeleteFunc(w.opened, func(o *openedIssuer) bool { return o.by == sv })
}

func (w *world) close() {
	for _, sv := range w.pair {
		if err := sv.l.Close(); err != nil {
			w.t.Error(err)
		}
	}
}

// found makes the root.
func (w *world) found() {
	sv := w.pair[0]
	prepared, err := ca.PrepareRoot(w.newKey(issuance.RootName), modelConfig("model CA"), w.clock(sv))
	if err != nil {
		w.fail("%v", err)
	}
	w.perform(sv, &operation{text: "found", stages: []stage{{2, func(first int64) {
		w.addCA(first)
		w.ref.set(refAuthority{name: issuance.RootName, state: ledger.Active, issuing: true, cert: first}, first+1)
	}}}, run: func(ctx context.Context) error {
		_, err := sv.Found(ctx, prepared)
		return err
	}})
}

func modelConfig(name string) ca.AuthorityConfig {
	return ca.AuthorityConfig{Subject: pkix.Name{CommonName: name}, Lifetime: 3650 * 24 * time.Hour, MaxPathLen: -1}
}

func (w *world) Signer(ctx context.Context, authority string, public crypto.PublicKey) (crypto.Signer, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.keys.Signer(ctx, authority, public)
}

func (w *world) Has(authority string) (bool, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	return w.keys.Has(authority)
}

func (w *world) newKey(authority string) crypto.Signer {
	key := w.hostKey()
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.keys[authority] = key
	return key
}

func (w *world) hostKey() crypto.Signer {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		w.fail("%v", err)
	}
	return key
}

func (w *world) lastList(authority string) ([]byte, string, error) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	if data, ok := w.lists[authority]; ok {
		return data, "", nil
	}
	return nil, "", &fs.PathError{Op: "open", Path: authority, Err: fs.ErrNotExist}
}

// mismatch is why one order of what was done at once is not the one that happened.
type mismatch string

// fail ends the test with all that was done, or the trial of one order.
func (w *world) fail(format string, args ...any) {
	w.t.Helper()
	if w.trying {
		panic(mismatch(fmt.Sprintf(format, args...)))
	}
	w.t.Fatalf("KEDGE_TEST_SEED=%d go test ./ca/issuance -run TestModel/%s: %s\nclocks %v and %v; after\n  %s", w.seed, w.engine, fmt.Sprintf(format, args...), w.pair[0].skew, w.pair[1].skew, strings.Join(w.log, "\n  "))
}

// stage is what one transaction does: so many entries or none.
type stage struct {
	entries int64
	apply   func(first int64) // to the reference; first is the number of the first entry
}

// operation is one step.
type operation struct {
	text    string
	predict func()   // sets want and stages by the reference as it is; nil: they are set
	instead func()   // the same for what it may do as well, when others do something at once; may be nil
	want    []string // the kinds of errors that may come; none: it is done
	stages  []stage
	refusal string // of a clone, which is recorded by a transaction of its own; set by predict
	run     func(context.Context) error
	judge   func() error // compares the answer with what it should be; nil: err is enough
	done    func()       // the answer has arrived
}

// outcome is what an operation ended in, in a word.
func (op *operation) outcome(err error) string {
	if err == nil && op.judge != nil {
		err = op.judge()
	}
	return kindOf(err)
}

// perform carries out an operation, perhaps with a fault, and compares what has become of it.
func (w *world) perform(sv *server, op *operation) {
	w.t.Helper()
	if op.predict != nil {
		op.predict()
	}
	fault := w.fault(sv, op)
	w.log = append(w.log, fmt.Sprintf("%s %s: %s%s, want %q", w.clock(sv).Format("02T15:04:05"), sv.name, op.text, fault.text, op.want))
	err := op.run(fault.ctx)
	fault.cancel()
	got := op.outcome(err)
	w.log[len(w.log)-1] += " -> " + got
	expected := got == "ok" && len(op.want) == 0 || slices.Contains(op.want, got)
	unknown := fault.text != "" && got != "ok" && (!expected || len(op.stages) != 0)
	switch {
	case !expected && !unknown:
		w.fail("%s: %v, want %q", op.text, err, op.want)
	case unknown:
		w.reopen(sv)
	}
	w.settle(sv, op, unknown)
	w.compare(sv)
	if op.done != nil && expected && !unknown && w.rng.IntN(8) != 0 { // an answer may be lost without anything else
		op.done()
	}
}

// settle looks once what has become of an operation, and does the same to the reference.
func (w *world) settle(sv *server, op *operation, unknown bool) {
	w.t.Helper()
	head, _, err := sv.l.Head(w.t.Context())
	if err != nil {
		w.fail("%v", err)
	}
	clock := w.clock(sv)
	for _, s := range op.stages {
		if head < w.ref.head+s.entries && unknown {
			break
		}
		first := w.ref.head + 1
		w.ref.head += s.entries
		w.ref.at = w.ref.now(clock)
		if head >= w.ref.head && s.entries > 0 {
			s.apply(first)
		}
	}
	if head != w.ref.head {
		w.fail("%s: the ledger has %d entries, want %d", op.text, head, w.ref.head)
	}
}

// kindOf is an error in a word, since the service and the ledger may refuse the same.
func kindOf(err error) string {
	is := func(ok bool, kind string) string {
		if ok {
			return kind
		}
		return ""
	}
	if err == nil {
		return "ok"
	}
	for _, kind := range []string{
		is(errors.Is(err, errAgain), "again"),
		is(as[*issuance.RetiredError](err) || as[*ledger.RetiredError](err), "retired"),
		is(as[*issuance.RevokedAuthorityError](err) || as[*ledger.RevokedIssuerError](err), "revoked issuer"),
		is(as[*ca.ValidityError](err), "validity"),
		is(as[*ledger.RevokedKeyError](err), "revoked key"),
		is(as[*ledger.CloneError](err), "clone"),
		is(as[*ledger.EndedError](err), "ended"),
		is(as[*ledger.RevokedError](err), "revoked"),
		is(as[*ledger.NotHeldError](err), "not held"),
		is(as[*ledger.NotFoundError](err), "not found"),
		is(as[*ledger.ChangedError](err), "changed"),
		is(as[*issuance.RotationError](err), "rotation"),
		is(as[*issuance.AmbiguousError](err), "ambiguous"),
		is(as[*issuance.NoBaseError](err), "no base"),
	} {
		if kind != "" {
			return kind
		}
	}
	return err.Error()
}

func as[E error](err error) bool {
	_, ok := errors.AsType[E](err)
	return ok
}

// errAgain reports that the answer is a certificate that was issued before.
var errAgain = errors.New("again")

// compare compares the ledger, as a service sees it, with the reference.
func (w *world) compare(sv *server) {
	w.t.Helper()
	ctx := w.t.Context()
	count := 0
	for c, err := range sv.l.List(ctx, ledger.Filter{}) {
		if err != nil {
			w.fail("%v", err)
		}
		count++
		w.compareCertificate(sv, c)
	}
	if want := len(w.ref.certs) - w.ref.archived(); count != want {
		w.fail("the ledger has %d certificates, want %d", count, want)
	}
	all, err := sv.l.Authorities(ctx)
	if err != nil {
		w.fail("%v", err)
	}
	have := map[string]refAuthority{}
	now := w.clock(sv)
	for _, a := range all {
		have[a.Name] = refAuthority{a.Name, a.Parent, a.State, a.Issuing, w.ref.prints[string(a.Fingerprint)], a.Seq}
		revoked, err := sv.l.Revoked(ctx, a.Certificate, now)
		if err != nil {
			w.fail("%v", err)
		}
		list := map[string]ca.Reason{}
		for _, r := range revoked {
			list[fmt.Sprintf("%x", r.Serial.Bytes())] = r.Reason
		}
		if want := w.ref.list(keyOf(a.Certificate), now); !maps.Equal(list, want) {
			w.fail("the next list of %s is to have %v, want %v", a.Name, list, want)
		}
	}
	if !maps.Equal(have, w.ref.authorities) {
		w.fail("authorities\n%+v, want\n%+v", have, w.ref.authorities)
	}
}

// compareCertificate compares whether a certificate is valid, and whether it may be renewed.
func (w *world) compareCertificate(sv *server, c ledger.Certificate) {
	w.t.Helper()
	want, ok := w.ref.certs[c.Seq]
	if !ok || want.archived {
		w.fail("the certificate %d, %q, is in the ledger", c.Seq, c.Subject)
	}
	if (c.RevokedAt != nil) != want.revoked || c.Reason != want.reason || c.Lineage != want.lineage {
		w.fail("certificate %d, %q: revoked %v, %v, lineage %d, want %+v", c.Seq, c.Subject, c.RevokedAt, c.Reason, c.Lineage, want)
	}
	if c.Kind != ledger.Leaf {
		return
	}
	newest, err := sv.l.Newest(w.t.Context(), c)
	l, lives := w.ref.lineages[want.lineage]
	switch {
	case !lives && kindOf(err) != "ended":
		w.fail("certificate %d, %q: the lineage has not ended: %d, %v", c.Seq, c.Subject, newest.Seq, err)
	case lives && (err != nil || newest.Seq != l.newest):
		w.fail("certificate %d, %q: the newest is %d, %v, want %d", c.Seq, c.Subject, newest.Seq, err, l.newest)
	}
}
