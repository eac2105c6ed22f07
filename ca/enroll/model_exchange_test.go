package enroll

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"time"

	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// modelServer is a server that listens over TLS, with a service and a clock of its own.
type modelServer struct {
	*world
	name   string
	url    string
	client *http.Client
}

func newModelServer(name string, w *world) *modelServer {
	listening := httptest.NewUnstartedServer(w.server)
	listening.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	listening.StartTLS()
	w.t.Cleanup(listening.Close)
	return &modelServer{w, name, listening.URL, listening.Client()}
}

// request is what a host asks for once.
type request struct {
	text    string
	path    string
	message func(*modelServer) any // made for a server, by its clock
	predict func(r *reference, clock time.Time) prediction
	grant   func(r *reference, leaf *x509.Certificate, clock time.Time) // changes the reference
	done    func(leaf *x509.Certificate)                                // the answer has arrived
}

// outcome is what a request got.
type outcome struct {
	code enrollapi.Code    // empty: it is granted
	leaf *x509.Certificate // of the answer, if it has one
}

func (o outcome) String() string {
	switch {
	case o.code != "":
		return string(o.code)
	case o.leaf != nil:
		return fmt.Sprintf("certificate %.8s", serialOf(o.leaf))
	}
	return "done"
}

// ask sends a request over HTTP: one of EST, or JSON.
func (s *modelServer) ask(path string, message any) (o outcome, err error) {
	if m, ok := message.(estMessage); ok {
		return s.askEST(path, m)
	}
	body, err := json.Marshal(message)
	if err != nil {
		return o, err
	}
	response, err := s.client.Post(s.url+path, enrollapi.ContentType, bytes.NewReader(body))
	if err != nil {
		return o, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		var refused enrollapi.Error
		err := enrollapi.DecodeAnswer(response.Body, &refused)
		if err == nil && (refused.Code == "" || refused.Code.Status() != response.StatusCode) {
			err = fmt.Errorf("%s: %+v", response.Status, refused)
		}
		return outcome{code: refused.Code}, err
	}
	var answer enrollapi.Answer
	if err := enrollapi.DecodeAnswer(response.Body, &answer); err != nil || answer.Certificate == nil {
		return o, err
	}
	o.leaf, err = x509.ParseCertificate(answer.Certificate)
	return o, err
}

// turn is a request at a server, and what it got.
type turn struct {
	*request
	s   *modelServer
	got outcome
	err error
}

func (m *model) turn(op *request) *turn { return &turn{request: op, s: pick(m, m.servers)} }

func (t *turn) String() string { return t.text + " -> " + t.got.String() }

// perform carries a request out, and compares what has become of it.
func (m *model) perform(op *request) {
	m.t.Helper()
	t := m.turn(op)
	want := t.predict(m.ref, t.s.now())
	seq := t.s.seq()
	t.got, t.err = t.s.ask(t.path, t.message(t.s))
	m.note(t.s, "%v, want %v", t, want)
	if problem := m.ref.follow(t, want, slices.Contains(append(want.refused, want.or), t.got.code)); problem != nil {
		m.fail("%v", problem)
	}
	refused := t.got.code != "" && t.got.code != enrollapi.Clone // which the ledger keeps
	if now := t.s.seq(); (refused || want.again != "") && now != seq {
		m.fail("what was not granted is entry %d of the ledger", now)
	}
	m.compare()
	m.arrive(t)
}

// arrive gives a host its answer, which may be lost on the way.
func (m *model) arrive(t *turn) {
	if t.got.code == "" && !m.oneIn(6) {
		t.done(t.got.leaf)
	}
}

// follow changes the reference according to what a turn got, or returns why that cannot be. asWanted reports
// whether a refusal is one that could be expected.
func (r *reference) follow(t *turn, want prediction, asWanted bool) error {
	switch {
	case t.err != nil:
		return t.err
	case t.got.code != "" && asWanted:
		if t.got.code == enrollapi.Clone && t.path != enrollapi.PathUnenroll {
			r.wrote(t.s.now())
		}
		return nil
	case t.got.code != "" || len(want.refused) != 0:
		return fmt.Errorf("it got %v, want %v", t.got, want)
	case t.got.leaf == nil:
		if t.path != enrollapi.PathUnenroll {
			return errors.New("an answer without a certificate")
		}
	case want.again != "" && serialOf(t.got.leaf) != want.again:
		return fmt.Errorf("the certificate %s comes again, want %s", serialOf(t.got.leaf), want.again)
	case want.again != "":
		return nil
	case r.certs[serialOf(t.got.leaf)] != nil:
		return errors.New("a certificate comes again, want another")
	}
	t.grant(r, t.got.leaf, t.s.now())
	return nil
}

// together lets hosts ask for several things at the same moment. What comes of it must be what one
// after the other gets, in some order.
func (m *model) together() {
	m.t.Helper()
	var all []*turn
	h := pick(m, m.hosts)
	for range 2 + m.rng.IntN(2) {
		op := m.enroll
		if m.oneIn(2) {
			op = func() *request { return m.renewOf(h) }
		}
		all = append(all, m.turn(op()))
	}
	if newest := m.ref.lineages[m.ref.certs[serialOf(h.leaf)].lineage]; newest != nil && m.ref.certs[newest.newest].isDue(m.servers[0].now().Add(-time.Hour)) && newest.newest != serialOf(h.leaf) {
		return // one renewal would be two steps
	}
	var group sync.WaitGroup
	for _, t := range all {
		message := t.message(t.s)
		group.Go(func() { t.got, t.err = t.s.ask(t.path, message) })
	}
	group.Wait()
	var texts []string
	for _, t := range all {
		texts = append(texts, t.s.name+": "+t.String())
	}
	m.note(all[0].s, "at once:\n    %s", strings.Join(texts, "\n    "))
	before := m.ref
	var problems []string
	for _, order := range permutations(len(all)) {
		m.ref = before.copy()
		err := m.explain(all, order)
		if err == nil {
			for _, i := range order {
				m.arrive(all[i])
			}
			return
		}
		problems = append(problems, fmt.Sprintf("%v: %v", order, err))
	}
	m.fail("no order of what was done at once explains the ledger:\n  %s", strings.Join(problems, "\n  "))
}

// explain follows turns in an order. The ledger looks for the reason of a refusal once it has refused,
// and by then others may have made it another.
func (m *model) explain(all []*turn, order []int) error {
	for _, i := range order {
		t := all[i]
		want := t.predict(m.ref, t.s.now())
		if err := m.ref.follow(t, want, len(want.refused) != 0); err != nil {
			return fmt.Errorf("%s: %w", t.text, err)
		}
	}
	return m.difference()
}

// permutations are all orders of 0 to n-1.
func permutations(n int) [][]int {
	if n == 0 {
		return [][]int{nil}
	}
	var all [][]int
	for _, shorter := range permutations(n - 1) {
		for i := range n {
			all = append(all, slices.Insert(slices.Clone(shorter), i, n-1))
		}
	}
	return all
}

func (m *model) compare() {
	m.t.Helper()
	if err := m.difference(); err != nil {
		m.fail("%v", err)
	}
}

// difference compares the ledger with the reference: which certificates there are, what is revoked, and
// what can be renewed.
func (m *model) difference() error {
	ctx, l, count := m.t.Context(), m.servers[0].ledger, 0
	for c, err := range l.List(ctx, ledger.Filter{Kind: ledger.Leaf}) {
		if err != nil {
			return err
		}
		count++
		want, ok := m.ref.certs[c.Serial]
		if !ok {
			return fmt.Errorf("the ledger has another certificate %s of %q", c.Serial, c.CommonName)
		}
		if (c.RevokedAt != nil) != want.revoked || want.revoked && c.Reason != want.reason {
			return fmt.Errorf("certificate %s: revoked %v as %v, want %+v", c.Serial, c.RevokedAt, c.Reason, want)
		}
		newest, err := l.Newest(ctx, c)
		lineage := m.ref.lineages[want.lineage]
		switch {
		case lineage == nil && !is[*ledger.EndedError](err):
			return fmt.Errorf("certificate %s: its lineage has not ended: %v", c.Serial, err)
		case lineage != nil && (err != nil || newest.Serial != lineage.newest):
			return fmt.Errorf("certificate %s: the newest is %s, %v, want %s", c.Serial, newest.Serial, err, lineage.newest)
		}
	}
	if count != len(m.ref.certs) {
		return fmt.Errorf("the ledger has %d certificates, want %d", count, len(m.ref.certs))
	}
	for id, t := range m.ref.tokens {
		if have, err := l.Token(ctx, []byte(id)); err != nil || have.Used != len(t.by) || (have.Revoked != nil) != t.revoked {
			return fmt.Errorf("token %x: %+v, %v, want %d uses, revoked %v", id, have, err, len(t.by), t.revoked)
		}
	}
	return nil
}
