package issuance

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"io/fs"
	"math/big"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// testCA is a CA with its keys in memory. The folder holds its ledger alone.
type testCA struct {
	*Service
	t   *testing.T
	now time.Time

	mu     sync.Mutex
	keys   map[string]crypto.Signer
	asked  map[string]int // how often a key was opened
	lists  map[string][]byte
	files  map[string]*x509.Certificate
	l      *ledger.Ledger
	config Config
}

func (x *testCA) Signer(_ context.Context, authority string, _ crypto.PublicKey) (crypto.Signer, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.asked[authority]++
	key, ok := x.keys[authority]
	if !ok {
		return nil, &NoKeyError{authority}
	}
	return key, nil
}

func (x *testCA) Has(authority string) (bool, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	_, ok := x.keys[authority]
	return ok, nil
}

func (x *testCA) lastList(authority string) ([]byte, string, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if data, ok := x.lists[authority]; ok {
		return data, "crl/" + authority + ".der", nil
	}
	return nil, "crl/" + authority + ".der", &fs.PathError{Op: "open", Path: authority, Err: fs.ErrNotExist}
}

func (x *testCA) file(path string) (*x509.Certificate, error) {
	if cert, ok := x.files[path]; ok {
		return cert, nil
	}
	return nil, &fs.PathError{Op: "open", Path: path, Err: fs.ErrNotExist}
}

// verified fails the test when the ledger is not what was written.
func (x *testCA) verified() {
	x.t.Helper()
	report, err := x.l.Verify(x.t.Context(), ledger.VerifyOptions{})
	if err != nil || !report.OK() {
		x.t.Errorf("verify: %v, %v", report.Faults, err)
	}
}

// foreignCA signs the certificate of an intermediate as another program would, with a key
// identifier of its own choice.
func (x *testCA) foreignCA(name string, public crypto.PublicKey, keyID []byte, lifetime time.Duration) *x509.Certificate {
	x.t.Helper()
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 128))
	if err != nil {
		x.t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: serial, Subject: pkix.Name{CommonName: name}, NotBefore: x.now.Add(-time.Hour), NotAfter: x.now.Add(lifetime),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign, SubjectKeyId: keyID}
	der, err := x509.CreateCertificate(rand.Reader, template, x.open(RootName).Certificate(), public, x.keys[RootName])
	if err != nil {
		x.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		x.t.Fatal(err)
	}
	return cert
}

// newEmpty makes a service on an empty ledger.
func newEmpty(t *testing.T) *testCA {
	t.Helper()
	x := &testCA{t: t, now: time.Date(2031, 5, 1, 12, 0, 0, 0, time.UTC), keys: map[string]crypto.Signer{}, asked: map[string]int{}, lists: map[string][]byte{}, files: map[string]*x509.Certificate{}}
	now := func() time.Time { return x.now }
	var err error
	x.l, err = ledger.Open(t.Context(), filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Create: true, Now: now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := x.l.Close(); err != nil {
			t.Error(err)
		}
	})
	x.config = Config{Ledger: x.l, Now: now, Keys: x, LastList: x.lastList, Certificate: x.file}
	x.Service = x.another()
	return x
}

// newCA makes a CA with a root.
func newCA(t *testing.T) *testCA {
	t.Helper()
	x := newEmpty(t)
	prepared, err := ca.PrepareRoot(x.key(RootName), authorityConfig("kedge CA"), x.now)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := x.Found(t.Context(), prepared); err != nil {
		t.Fatal(err)
	}
	return x
}

// another is a second service on the same ledger, as in another process.
func (x *testCA) another() *Service {
	x.t.Helper()
	s, err := New(x.config)
	if err != nil {
		x.t.Fatal(err)
	}
	return s
}

// key makes a key for an authority.
func (x *testCA) key(authority string) crypto.Signer {
	x.t.Helper()
	key := newKey(x.t)
	x.mu.Lock()
	defer x.mu.Unlock()
	x.keys[authority] = key
	return key
}

func newKey(t *testing.T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func authorityConfig(name string) ca.AuthorityConfig {
	return ca.AuthorityConfig{Subject: pkix.Name{CommonName: name}, Lifetime: 3650 * 24 * time.Hour, MaxPathLen: -1}
}

// open opens the authority of a name.
func (x *testCA) open(name string) *ca.Authority {
	x.t.Helper()
	path, err := x.Path(x.t.Context(), name)
	if err != nil {
		x.t.Fatal(err)
	}
	a, err := x.Authority(x.t.Context(), path)
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

// intermediate makes an authority below another.
func (x *testCA) intermediate(name, parent string) ledger.Authority {
	x.t.Helper()
	config := authorityConfig(name)
	config.Lifetime /= 2
	prepared, err := x.open(parent).PrepareCA(x.key(name).Public(), config, x.now)
	if err != nil {
		x.t.Fatal(err)
	}
	cert, _, err := x.IssueCA(x.t.Context(), prepared)
	if err != nil {
		x.t.Fatal(err)
	}
	a, err := x.AddIntermediate(x.t.Context(), ledger.Authority{Name: name, Certificate: cert, Parent: parent}, false)
	if err != nil {
		x.t.Fatal(err)
	}
	return a
}

// leaf issues a certificate for a host by the authority that issues.
func (x *testCA) leaf(host string, lifetime time.Duration) *x509.Certificate {
	x.t.Helper()
	return x.leafBy("", host, lifetime)
}

func (x *testCA) leafBy(issuer, host string, lifetime time.Duration) *x509.Certificate {
	x.t.Helper()
	prepared, err := x.open(issuer).PrepareLeaf(ca.DefaultProfile(), ca.Request{Name: host, Host: host, Lifetime: lifetime, Public: newKey(x.t).Public()}, x.now)
	if err != nil {
		x.t.Fatal(err)
	}
	cert, err := prepared.Issue(x.t.Context(), x.l)
	if err != nil {
		x.t.Fatal(err)
	}
	return cert
}

// selectors are names as a person types them.
func (x *testCA) selectors(names ...string) []Selector {
	x.t.Helper()
	var all []Selector
	for _, name := range names {
		one, err := SelectName(name)
		if err != nil {
			x.t.Fatal(err)
		}
		all = append(all, one)
	}
	return all
}

// revoke revokes what has these names.
func (x *testCA) revoke(reason ca.Reason, names ...string) *Changed {
	x.t.Helper()
	chosen, err := x.ToRevoke(x.t.Context(), x.selectors(names...), reason)
	if err != nil {
		x.t.Fatal(err)
	}
	changed, err := x.Revoke(x.t.Context(), chosen.Certificates, reason, "")
	if err != nil {
		x.t.Fatal(err)
	}
	return changed
}

// publish makes the list of an authority and puts it where the next one is compared with.
func (x *testCA) publish(authority string) *CRL {
	x.t.Helper()
	m, err := x.makeCRL(x.t.Context(), CRLRequest{Authority: authority, Valid: time.Hour})
	if err != nil {
		x.t.Fatal(err)
	}
	x.lists[authority] = m.DER
	return m
}

// states are the authorities of the ledger, sorted by name.
func (x *testCA) states() map[string]string {
	x.t.Helper()
	all, err := x.l.Authorities(x.t.Context())
	if err != nil {
		x.t.Fatal(err)
	}
	states := map[string]string{}
	for _, a := range all {
		states[a.Name] = a.State
		if a.Issuing {
			states[a.Name] += " issuing"
		}
	}
	return states
}
