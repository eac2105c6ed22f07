package enroll

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
	"kedge/signer"
)

// world is a CA with its server, and a clock that stands still.
type world struct {
	t       *testing.T
	mu      sync.Mutex
	time    time.Time
	ledger  *ledger.Ledger
	service *issuance.Service
	server  *Server
	keys    map[string]crypto.Signer
	log     lockedBuffer
}

// lockedBuffer is a buffer for several goroutines.
type lockedBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

const dayLong = 24 * time.Hour

func newWorld(t *testing.T) *world {
	t.Helper()
	return newWorldOn(t, filepath.Join(t.TempDir(), "ledger.db"))
}

// newWorldOn makes a CA with an empty ledger, a file or a database.
func newWorldOn(t *testing.T, where string) *world {
	t.Helper()
	w := openWorld(t, where, newKey(t))
	root, err := ca.PrepareRoot(w.keys[issuance.RootName], ca.AuthorityConfig{Subject: pkix.Name{CommonName: "kedge CA"}, Lifetime: 3650 * dayLong, MaxPathLen: -1}, w.now())
	w.must(err)
	_, err = w.service.Found(t.Context(), root)
	w.must(err)
	return w
}

// openWorld makes a server on a ledger, which may have a CA with this key already.
func openWorld(t *testing.T, where string, root crypto.Signer) *world {
	t.Helper()
	w := &world{t: t, time: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), keys: map[string]crypto.Signer{issuance.RootName: root}}
	var err error
	w.ledger, err = ledger.Open(t.Context(), where, ledger.Options{Create: true, Now: w.now, AnyClock: true})
	w.must(err)
	t.Cleanup(func() {
		if err := w.ledger.Close(); err != nil && !errors.Is(err, ledger.ErrClosed) {
			t.Error(err)
		}
	})
	w.service, err = issuance.New(issuance.Config{Ledger: w.ledger, Now: w.now, Keys: w})
	w.must(err)
	w.server, err = New(Config{Service: w.service, Terms: w.terms(), Now: w.now, Log: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	w.must(err)
	return w
}

// template is a CA that is copied for each case of a table, which takes less time than to make one.
type template struct {
	ledger []byte
	root   crypto.Signer
}

func newTemplate(t *testing.T) *template {
	t.Helper()
	where := filepath.Join(t.TempDir(), "ledger.db")
	w := newWorldOn(t, where)
	w.must(w.ledger.Close())
	data, err := os.ReadFile(where)
	w.must(err)
	return &template{data, w.keys[issuance.RootName]}
}

func (x *template) world(t *testing.T) *world {
	t.Helper()
	where := filepath.Join(t.TempDir(), "ledger.db")
	if err := os.WriteFile(where, x.ledger, 0o600); err != nil {
		t.Fatal(err)
	}
	return openWorld(t, where, x.root)
}

// newcomer copies the CA, and returns a host that has a token and no certificate, with its request.
func (x *template) newcomer(t *testing.T) (*world, *machine, *enrollapi.EnrollRequest) {
	t.Helper()
	w := x.world(t)
	h := &machine{w: w, name: "new-01", key: newKey(t)}
	h.token = w.token(nil, h.name)
	r := h.enrollRequest(h.name)
	return w, h, &r
}

// terms allow all with the profile workload, and less with others.
func (w *world) terms() *Terms {
	w.t.Helper()
	t := &Terms{Policies: map[string]Policy{}, Default: "workload", Names: []string{"ca.example.com"}, EST: map[string]ESTLabel{"": {}, "lines": {Wrapped: true}}}
	for _, name := range []string{"workload", "only-token", "only-renewal", "closed", "p256", "gone"} {
		t.EST[name] = ESTLabel{Profile: name}
	}
	both := []string{ca.ProofToken, ca.ProofRenewal}
	all := append(both[:2:2], ca.ProofApproval)
	config := ca.DefaultProfileConfig()
	config.SAN.IP, config.SAN.Email = []string{"0.0.0.0/0"}, []string{"**"}
	p256 := config
	p256.KeyTypes = []string{"P-256"}
	for name, p := range map[string]struct {
		config ca.ProfileConfig
		proofs []string
	}{
		"workload": {config, all}, "only-token": {config, both[:1]}, "only-renewal": {config, both[1:]}, "closed": {config, nil}, "p256": {p256, all},
	} {
		profile, err := ca.NewProfile(name, p.config)
		if err != nil {
			w.t.Fatal(err)
		}
		t.Policies[name] = Policy{Profile: profile, Proofs: p.proofs, Domains: []string{"example.com", "example.org"}, Grace: 7 * dayLong, HardwareGrace: 90 * dayLong, Recoveries: 2, Wait: dayLong}
	}
	return t
}

func (w *world) now() time.Time {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.time
}

func (w *world) wait(d time.Duration) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.time = w.time.Add(d)
}

// Signer implements issuance.Keys.
func (w *world) Signer(_ context.Context, authority string, _ crypto.PublicKey) (crypto.Signer, error) {
	if key, ok := w.keys[authority]; ok {
		return key, nil
	}
	return nil, &issuance.NoKeyError{Authority: authority}
}

// Has implements issuance.Keys.
func (w *world) Has(authority string) (bool, error) { return w.keys[authority] != nil, nil }

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (w *world) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// root returns the certificate of the root.
func (w *world) root() *x509.Certificate {
	w.t.Helper()
	path, err := w.service.Path(w.t.Context(), "")
	w.must(err)
	return path[len(path)-1].Certificate
}

// seq returns the number of entries in the ledger.
func (w *world) seq() int64 {
	w.t.Helper()
	seq, _, err := w.ledger.Head(w.t.Context())
	w.must(err)
	return seq
}

// token makes a token of one use and one hour.
func (w *world) token(change func(*ledger.Token), names ...string) enrollapi.TokenProof {
	w.t.Helper()
	proof := enrollapi.TokenProof{ID: make([]byte, ledger.TokenIDSize), Secret: enrollapi.NewSecret()}
	_, _ = rand.Read(proof.ID)
	token := ledger.Token{ID: proof.ID, SecretHash: proof.Secret.Hash(), Names: names, Profile: "workload", Uses: 1, Expires: w.now().Add(time.Hour), At: w.now()}
	if change != nil {
		change(&token)
	}
	w.must(w.service.AddTokens(w.t.Context(), []ledger.Token{token}))
	return proof
}

// used returns how often a token was used; -1 if it is unknown.
func (w *world) used(t enrollapi.TokenProof) int {
	token, err := w.ledger.Token(context.Background(), t.ID)
	if err != nil {
		return -1
	}
	return token.Used
}

// issue issues a certificate at the CA, as an operator does.
func (w *world) issue(profile string, r ca.Request) *x509.Certificate {
	w.t.Helper()
	issuer, err := w.service.Issuer(w.t.Context(), "")
	w.must(err)
	leaf, err := issuer.Prepare(w.server.terms.Load().Policies[profile].Profile, r)
	w.must(err)
	issued, err := leaf.Issue(w.t.Context())
	w.must(err)
	return issued.Certificate
}

// revoke revokes a certificate.
func (w *world) revoke(c *x509.Certificate, reason ca.Reason) {
	w.t.Helper()
	sum := sha256.Sum256(c.Raw)
	w.must(w.ledger.Revoke(w.t.Context(), [][]byte{sum[:]}, ledger.Revocation{Reason: reason, At: w.now()}))
}

// machine is a host, or who passes for one.
type machine struct {
	w     *world
	name  string
	key   crypto.Signer
	leaf  *x509.Certificate
	token enrollapi.TokenProof

	request *enrollapi.EnrollRequest // see enrolls

	approved string // the ID of the request that is approved; empty: none

	est bool // it asks for approval by EST
}

// machine makes a host that has a certificate, and a token for its name that is not spent.
func (w *world) machine(name string) *machine {
	w.t.Helper()
	h := &machine{w: w, name: name, key: newKey(w.t)}
	h.token = w.token(nil, name) // while the name is free
	h.leaf = w.issue("workload", ca.Request{Name: name, Public: h.key.Public()})
	return h
}

// csr makes a request for a name by a key.
func csr(t *testing.T, key crypto.Signer, name string, change ...func(*x509.CertificateRequest)) []byte {
	t.Helper()
	template := &x509.CertificateRequest{Subject: pkix.Name{CommonName: name}}
	for _, c := range change {
		c(template)
	}
	der, err := x509.CreateCertificateRequest(rand.Reader, template, key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// prove signs a request with a key.
func (w *world) prove(path string, leaf *x509.Certificate, key crypto.Signer, body []byte, change ...func(*signer.Possession)) enrollapi.Proof {
	w.t.Helper()
	p := signer.Possession{Path: path, Audience: pin(w.root()), Leaf: leaf, Body: body, At: w.now()}
	for _, c := range change {
		c(&p)
	}
	proof, err := enrollapi.Prove(p, key)
	w.must(err)
	return proof
}

func (h *machine) enrollRequest(name string) enrollapi.EnrollRequest {
	return enrollapi.EnrollRequest{Token: h.token, Request: csr(h.w.t, h.key, name), KeyPlace: ca.KeyInFile}
}

func (h *machine) renewRequest(name string, key crypto.Signer) enrollapi.RenewRequest {
	body := csr(h.w.t, key, name)
	return enrollapi.RenewRequest{Proof: h.w.prove(enrollapi.PathRenew, h.leaf, h.key, body), Request: body, KeyPlace: ca.KeyInFile}
}

func (h *machine) unenrollRequest() enrollapi.UnenrollRequest {
	return enrollapi.UnenrollRequest{Proof: h.w.prove(enrollapi.PathUnenroll, h.leaf, h.key, nil)}
}

// result is the answer to a request, with the rule in the log.
type result struct {
	status int
	header http.Header
	err    enrollapi.Error
	answer enrollapi.Answer
	waits  enrollapi.Waiting
	rule   string
	record string // of the log
	text   string // of an answer of EST that is not 200
}

const fromAddress = "10.1.2.3"

// post sends a request as JSON.
func (w *world) post(path string, message any, change ...func(*http.Request)) result {
	w.t.Helper()
	body, err := json.Marshal(message)
	w.must(err)
	return w.send(http.MethodPost, path, body, change...)
}

func (w *world) send(method, path string, body []byte, change ...func(*http.Request)) result {
	w.t.Helper()
	got, data := w.exchange(method, path, body, change...)
	into := any(&got.err)
	switch got.status {
	case http.StatusOK:
		into = &got.answer
	case http.StatusAccepted:
		into = &got.waits
	}
	if err := json.Unmarshal(data, into); err != nil {
		w.t.Fatalf("%s: %q: %v", path, data, err)
	}
	return got
}

// exchange sends a request, and returns what is common to all protocols, and the body of the answer.
func (w *world) exchange(method, path string, body []byte, change ...func(*http.Request)) (result, []byte) {
	w.t.Helper()
	r := httptest.NewRequest(method, "https://ca.example.com"+path, bytes.NewReader(body))
	r.Header.Set("Content-Type", enrollapi.ContentType)
	r.RemoteAddr = fromAddress + ":40000"
	for _, c := range change {
		c(r)
	}
	before := len(w.log.String())
	recorder := httptest.NewRecorder()
	w.server.ServeHTTP(recorder, r)
	response := recorder.Result()
	data, err := io.ReadAll(response.Body)
	w.must(err)
	got := result{status: response.StatusCode, header: response.Header, record: w.log.String()[before:]}
	if _, rest, ok := strings.Cut(got.record, " rule="); ok {
		got.rule, _, _ = strings.Cut(rest, " ")
	}
	return got, data
}

// certificate parses the certificate of an answer.
func (r result) certificate(t *testing.T) *x509.Certificate {
	t.Helper()
	c, err := x509.ParseCertificate(r.answer.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// leaves returns the leaves with a name.
func (w *world) leaves(name string) []ledger.Certificate {
	w.t.Helper()
	var all []ledger.Certificate
	for c, err := range w.ledger.List(context.Background(), ledger.Filter{Kind: ledger.Leaf, CommonName: name}) {
		w.must(err)
		all = append(all, c)
	}
	return all
}

// anotherService is a second service on the same ledger, as in another process.
func (w *world) anotherService() *issuance.Service {
	w.t.Helper()
	s, err := issuance.New(issuance.Config{Ledger: w.ledger, Now: w.now, Keys: w})
	w.must(err)
	return s
}

// verified fails the test when the ledger is not what was written.
func (w *world) verified() {
	w.t.Helper()
	report, err := w.ledger.Verify(w.t.Context(), ledger.VerifyOptions{})
	if err != nil || !report.OK() {
		w.t.Errorf("the ledger: %v, %v", report.Faults, err)
	}
}
