package enroll

import (
	"crypto"
	"crypto/rand"
	"crypto/x509"
	"fmt"
	mathrand "math/rand/v2"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
	"kedge/internal/est"
	"kedge/internal/testenv"
)

// TestModel: random lives of hosts over HTTP, by two servers with different clocks on one ledger in
// PostgreSQL, or by one on SQLite: they enroll, renew, repeat what they asked when an answer was lost,
// are copied, revoked, denied, decommissioned and replaced, one after the other or at once. A third of the
// requests for certificates are those of EST, by the same hosts. After each step the answer and the ledger
// are compared with a reference that has the rules in plain maps.
//
// KEDGE_TEST_SEQUENCES is how many ("make model"), an eighth of them on PostgreSQL; KEDGE_TEST_SEED
// runs one sequence again, as a failure shows.
func TestModel(t *testing.T) {
	t.Parallel()
	sequences := map[string]int{"sqlite": 6 / testenv.Slowdown, "postgres": 1}
	if n := testenv.Number(t, "KEDGE_TEST_SEQUENCES"); n != 0 {
		sequences = map[string]int{"sqlite": int(n - n/8), "postgres": int(n / 8)}
	}
	seed := testenv.Number(t, "KEDGE_TEST_SEED")
	for _, engine := range []string{"sqlite", "postgres"} {
		t.Run(engine, func(t *testing.T) {
			t.Parallel()
			if seed != 0 {
				newModel(t, engine, seed).live()
				return
			}
			for range max(sequences[engine], 1) {
				seed := mathrand.Uint64()
				t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
					t.Parallel()
					newModel(t, engine, seed).live()
				})
			}
		})
	}
}

// model is a CA with its servers, the hosts, and the reference.
type model struct {
	t       *testing.T
	engine  string
	seed    uint64
	rng     *mathrand.Rand
	servers []*modelServer
	ref     *reference
	tokens  []*modelToken
	hosts   []*host
	log     []string
}

// host has a key and a certificate. Several may have the same, which are copies.
type host struct {
	name    string
	key     crypto.Signer
	leaf    *x509.Certificate
	pending crypto.Signer // of a renewal without an answer
	before  []*host       // itself with the certificates that it had
}

// modelToken is a token as its owner has it.
type modelToken struct {
	id    string // of the reference
	proof enrollapi.TokenProof
	names []string
	tried []*host // with their keys, whatever came of it
}

func newModel(t *testing.T, engine string, seed uint64) *model {
	m := &model{t: t, engine: engine, seed: seed, rng: mathrand.New(mathrand.NewPCG(seed, 0)), ref: newReference()}
	where := filepath.Join(t.TempDir(), "ledger.db")
	if engine == "postgres" {
		where = testenv.Postgres(t)
	}
	first := newWorldOn(t, where)
	m.servers = []*modelServer{newModelServer("A", first)}
	if engine == "postgres" {
		m.servers = append(m.servers, newModelServer("B", openWorld(t, where, first.keys[issuance.RootName])))
		m.servers[1].wait(time.Duration(m.rng.IntN(3)-1) * time.Minute)
	}
	m.ref.at = first.now()
	return m
}

// live is one life of a fleet.
func (m *model) live() {
	for range 30 + m.rng.IntN(31) {
		pause := []time.Duration{time.Second, time.Minute, 10 * time.Hour, 40 * time.Hour}[m.rng.IntN(4)]
		d := time.Duration(m.rng.Int64N(int64(pause))).Truncate(time.Millisecond)
		for _, s := range m.servers {
			s.wait(d)
		}
		m.step()
	}
	m.servers[0].verified()
}

// step is one thing that happens.
func (m *model) step() {
	switch n := m.rng.IntN(100); {
	case n < 15 || len(m.tokens) == 0:
		m.addToken()
	case n < 38:
		m.perform(m.enroll())
	case n < 66 && len(m.hosts) != 0:
		m.perform(m.renew())
	case n < 80 && len(m.hosts) != 0:
		m.together()
	case n < 85 && len(m.hosts) != 0:
		m.copyHost()
	case n < 90 && len(m.hosts) != 0:
		m.perform(m.unenroll())
	default:
		m.operate()
	}
}

func pick[T any](m *model, all []T) T { return all[m.rng.IntN(len(all))] }

func (m *model) oneIn(n int) bool { return m.rng.IntN(n) == 0 }

// note adds a line to what a failure shows.
func (m *model) note(s *modelServer, format string, args ...any) {
	m.log = append(m.log, fmt.Sprintf("%s %s: %s", s.now().Format("02T15:04:05"), s.name, fmt.Sprintf(format, args...)))
}

func (m *model) fail(format string, args ...any) {
	m.t.Helper()
	m.t.Fatalf("KEDGE_TEST_SEED=%d go test ./ca/enroll -run TestModel/%s: %s\nafter\n  %s", m.seed, m.engine, fmt.Sprintf(format, args...), strings.Join(m.log, "\n  "))
}

// addToken makes a token for a name or two, several uses, or another key.
func (m *model) addToken() {
	s := pick(m, m.servers)
	names := []string{pick(m, modelNames())}
	token := ledger.Token{Names: names, Profile: "workload", Uses: 1, Expires: s.now().Add(time.Hour * time.Duration(1+m.rng.IntN(30))), At: s.now()}
	switch m.rng.IntN(4) {
	case 0:
		token.Replace = true
	case 1:
		token.Names, token.Uses = append(names, fmt.Sprint("new-", m.rng.IntN(4))), 1+m.rng.IntN(3)
	}
	proof := enrollapi.TokenProof{ID: make([]byte, ledger.TokenIDSize), Secret: enrollapi.NewSecret()}
	_, _ = rand.Read(proof.ID)
	token.ID, token.SecretHash = proof.ID, proof.Secret.Hash()
	refused := m.ref.tokenRefused(token)
	err := s.service.AddTokens(m.t.Context(), []ledger.Token{token})
	m.note(s, "token %d for %q, %d uses, replace %v -> %v", len(m.tokens), token.Names, token.Uses, token.Replace, err)
	if (err != nil) != refused {
		m.fail("the token is refused: %v, want %v", err, refused)
	}
	if err == nil {
		m.ref.wrote(s.now())
		m.ref.tokens[string(token.ID)] = &refToken{Token: token, by: map[string]string{}}
		m.tokens = append(m.tokens, &modelToken{id: string(token.ID), proof: proof, names: token.Names})
	}
}

func modelNames() []string { return []string{"web-1", "web-2", "db-1"} }

// enroll asks with a token: with a new key, or as a host that has tried it.
func (m *model) enroll() *request {
	token := pick(m, m.tokens)
	h := &host{name: pick(m, token.names), key: newKey(m.t)}
	switch {
	case len(token.tried) != 0 && m.oneIn(2):
		h = pick(m, token.tried)
	case len(m.hosts) != 0 && m.oneIn(6):
		h.key = pick(m, m.hosts).key
	case m.oneIn(10):
		h.name = pick(m, modelNames())
	}
	token.tried = append(token.tried, h)
	op := &request{
		text: fmt.Sprintf("%s enrolls with token %x by key %.8s", h.name, token.proof.ID[:3], keyID(h.key)), path: enrollapi.PathEnroll,
		message: func(*modelServer) any {
			return enrollapi.EnrollRequest{Token: token.proof, Request: csr(m.t, h.key, h.name), KeyPlace: ca.KeyInFile}
		},
		predict: func(r *reference, now time.Time) prediction { return r.enroll(token.id, h.name, keyID(h.key), now) },
		done: func(leaf *x509.Certificate) {
			m.hosts = append(m.hosts, &host{name: h.name, key: h.key, leaf: leaf})
		},
	}
	op.grant = func(r *reference, leaf *x509.Certificate, now time.Time) {
		r.enrolled(token.id, h.name, keyID(h.key), leaf, now)
	}
	if !m.oneIn(3) {
		return op
	}
	message := estMessage{request: csr(m.t, h.key, h.name), token: &token.proof}
	if len(m.hosts) != 0 && m.oneIn(4) { // which counts for nothing beside a token
		shown := pick(m, m.hosts)
		message.leaf, message.key = shown.leaf, shown.key
	}
	return m.byEST(op, est.SimpleEnroll, message)
}

// renew asks for the next certificate of a host, with the key of a try before or another; now and then
// by a certificate that was replaced.
func (m *model) renew() *request { return m.renewOf(pick(m, m.hosts)) }

func (m *model) renewOf(h *host) *request {
	by := h
	if len(h.before) != 0 && m.oneIn(4) {
		by = pick(m, h.before)
	}
	if h.pending == nil {
		h.pending = newKey(m.t)
	}
	key := h.pending
	switch {
	case m.oneIn(8):
		key = h.key // as one in hardware
	case m.oneIn(12):
		key = newKey(m.t)
	}
	op := &request{
		text: fmt.Sprintf("%s renews %.8s by key %.8s", h.name, serialOf(by.leaf), keyID(key)), path: enrollapi.PathRenew,
		message: func(s *modelServer) any {
			body := csr(m.t, key, h.name)
			return enrollapi.RenewRequest{Proof: s.prove(enrollapi.PathRenew, by.leaf, by.key, body), Request: body, KeyPlace: ca.KeyInFile}
		},
		predict: func(r *reference, now time.Time) prediction { return r.renew(serialOf(by.leaf), keyID(key), now) },
		grant: func(r *reference, leaf *x509.Certificate, now time.Time) {
			r.renewed(serialOf(by.leaf), keyID(key), leaf, now)
		},
		done: func(leaf *x509.Certificate) {
			old := *h
			h.before = append(h.before, &old)
			h.key, h.leaf, h.pending = key, leaf, nil
		},
	}
	if !m.oneIn(3) {
		return op
	}
	operation := pick(m, []string{est.SimpleReenroll, est.SimpleEnroll})
	return m.byEST(op, operation, estMessage{request: csr(m.t, key, h.name), leaf: by.leaf, key: by.key})
}

// unenroll gives a certificate up.
func (m *model) unenroll() *request {
	h := pick(m, m.hosts)
	return &request{
		text: fmt.Sprintf("%s gives %.8s up", h.name, serialOf(h.leaf)), path: enrollapi.PathUnenroll,
		message: func(s *modelServer) any {
			return enrollapi.UnenrollRequest{Proof: s.prove(enrollapi.PathUnenroll, h.leaf, h.key, nil)}
		},
		predict: func(r *reference, _ time.Time) prediction { return r.unenroll(serialOf(h.leaf)) },
		grant:   func(r *reference, _ *x509.Certificate, now time.Time) { r.unenrolled(serialOf(h.leaf), now) },
		done:    func(*x509.Certificate) {},
	}
}

// copyHost makes a copy of a host, with what it has at this moment.
func (m *model) copyHost() {
	h := *pick(m, m.hosts)
	m.hosts = append(m.hosts, &h)
	m.note(m.servers[0], "%s with %.8s is copied", h.name, serialOf(h.leaf))
}

// operate is what an operator does at the CA.
func (m *model) operate() {
	s, ctx, name := pick(m, m.servers), m.t.Context(), pick(m, modelNames())
	var err error
	what, change := "", func() {}
	switch token := pick(m, m.tokens); m.rng.IntN(6) {
	case 0, 1:
		if m.ref.denied[name] {
			what, err = "allow "+name, s.service.AllowRenewal(ctx, name)
			change = func() { delete(m.ref.denied, name) }
		} else if m.ref.isKnown(name) {
			what, err = "deny "+name, s.service.DenyRenewal(ctx, name, "")
			change = func() { m.ref.denied[name] = true }
		}
	case 2:
		if m.ref.isThere(name) {
			what = "decommission " + name
			_, err = s.service.Decommission(ctx, name, "")
			change = func() { m.ref.decommission(name) }
		}
	case 3:
		if !m.ref.tokens[token.id].revoked {
			what = fmt.Sprintf("revoke the token %x", token.proof.ID[:3])
			_, err = s.service.RevokeToken(ctx, token.proof.ID, false, "")
			change = func() { m.ref.tokens[token.id].revoked = true }
		}
	default:
		if len(m.hosts) == 0 {
			return
		}
		leaf, reason := pick(m, m.hosts).leaf, pick(m, []ca.Reason{ca.Superseded, ca.KeyCompromise, ca.CessationOfOperation})
		if c := m.ref.certs[serialOf(leaf)]; !c.revoked {
			what = fmt.Sprintf("revoke %.8s as %v", serialOf(leaf), reason)
			s.revoke(leaf, reason)
			change = func() { c.revoked, c.reason = true, reason }
		}
	}
	if what == "" {
		return
	}
	m.note(s, "%s -> %v", what, err)
	if err != nil {
		m.fail("%s: %v", what, err)
	}
	m.ref.wrote(s.now())
	change()
	m.compare()
}
