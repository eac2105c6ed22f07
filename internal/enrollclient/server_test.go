package enrollclient

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/json"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"kedge/internal/enrollapi"
)

// authority is a CA with its certificate.
type authority struct {
	*x509.Certificate
	key crypto.Signer
}

func newKey(t testing.TB) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func newAuthority(t testing.TB, name string, issuer *authority) *authority {
	t.Helper()
	a := &authority{key: newKey(t)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if issuer == nil {
		issuer = &authority{template, a.key}
	}
	a.Certificate = issuer.issue(t, template, a.key.Public())
	return a
}

// issue signs a certificate that is valid for a year around now, unless the template says something else.
func (a *authority) issue(t testing.TB, template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
	t.Helper()
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Error(err)
		return nil
	}
	template.SerialNumber, template.BasicConstraintsValid = serial, true
	if template.NotAfter.IsZero() {
		template.NotBefore, template.NotAfter = time.Now().AddDate(0, -6, 0), time.Now().AddDate(0, 6, 0)
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, public, a.key)
	if err != nil {
		t.Error(err)
		return nil
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Error(err)
	}
	return cert
}

// serverCertificate is one as kedge-ca serve has it, changed.
func (a *authority) serverCertificate(t testing.TB, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	change(template)
	return tls.Certificate{Certificate: [][]byte{a.issue(t, template, key.Public()).Raw, a.Raw}, PrivateKey: key}
}

func unchanged(*x509.Certificate) {}

// testServer is a CA that keeps in memory what a ledger does: who got which certificate for what.
type testServer struct {
	t    testing.TB
	root *authority
	url  string
	pin  Pin

	mu      sync.Mutex
	answers map[string]*enrollapi.Answer // by token or leaf, and key
	keys    map[string]string            // the key that used a token or renewed a leaf
	leaves  map[string]*x509.Certificate // by hash: what was issued
	issued  int
	clones  int
	revoked map[string]bool
	asked   []string // paths

	name   string                    // of the host that tokens are for
	life   time.Duration             // of leaves
	skew   time.Duration             // of the server's clock
	change func(*enrollapi.Answer)   // what it does to answers
	refuse func(path string) error   // what it refuses, before anything else
	lose   func(path string) bool    // whether it drops the connection instead of answering
	write  func(http.ResponseWriter) // in place of the answer
}

func newServer(t testing.TB) *testServer {
	t.Helper()
	root := newAuthority(t, "root", nil)
	return serve(t, root, root.serverCertificate(t, unchanged))
}

func serve(t testing.TB, root *authority, cert tls.Certificate) *testServer {
	t.Helper()
	s := &testServer{
		t: t, root: root, pin: pinOf(root.Certificate), name: "web-01", life: 24 * time.Hour,
		answers: map[string]*enrollapi.Answer{}, keys: map[string]string{}, leaves: map[string]*x509.Certificate{}, revoked: map[string]bool{},
	}
	server := httptest.NewUnstartedServer(s)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	s.url = server.URL
	return s
}

func (s *testServer) token(t testing.TB) enrollapi.Token {
	t.Helper()
	token, err := enrollapi.NewToken(s.url, s.pin, false)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func (s *testServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = append(s.asked, r.URL.Path)
	w.Header().Set("Date", time.Now().Add(s.skew).UTC().Format(http.TimeFormat))
	answer, err := s.answer(r)
	if s.lose != nil && s.lose(r.URL.Path) {
		panic(http.ErrAbortHandler)
	}
	if s.write != nil {
		s.write(w)
		return
	}
	w.Header().Set("Content-Type", enrollapi.ContentType)
	if refusal, ok := err.(*enrollapi.Error); ok {
		w.WriteHeader(refusal.Code.Status())
		answer = refusal
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Log(err)
	}
}

func (s *testServer) answer(r *http.Request) (any, error) {
	if s.refuse != nil {
		if err := s.refuse(r.URL.Path); err != nil {
			return nil, err
		}
	}
	switch r.URL.Path {
	case enrollapi.PathEnroll:
		return s.enroll(r)
	case enrollapi.PathRenew:
		return s.renew(r)
	case enrollapi.PathUnenroll:
		return s.unenroll(r)
	}
	return nil, &enrollapi.Error{Code: enrollapi.NotFound}
}

func (s *testServer) enroll(r *http.Request) (any, error) {
	var m enrollapi.EnrollRequest
	if err := enrollapi.Decode(r.Body, &m); err != nil {
		return nil, err
	}
	return s.certify("token "+hex.EncodeToString(m.Token.ID), m.Request, nil, enrollapi.TokenSpent)
}

func (s *testServer) renew(r *http.Request) (any, error) {
	var m enrollapi.RenewRequest
	if err := enrollapi.Decode(r.Body, &m); err != nil {
		return nil, err
	}
	leaf, err := s.prove(r.URL.Path, m.Proof, m.Request)
	if err != nil {
		return nil, err
	}
	return s.certify("leaf "+hashOf(leaf.Raw), m.Request, leaf, enrollapi.Clone)
}

// certify issues a certificate, once for each proof and key.
func (s *testServer) certify(proof string, request []byte, leaf *x509.Certificate, other enrollapi.Code) (any, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil || csr.CheckSignature() != nil {
		return nil, &enrollapi.Error{Code: enrollapi.BadRequest, Message: "no request"}
	}
	key := hashOf(csr.RawSubjectPublicKeyInfo)
	if had := s.keys[proof]; had != "" && had != key {
		s.clones++
		return nil, &enrollapi.Error{Code: other, Message: "another key was first"}
	}
	answer := s.answers[proof]
	if answer == nil {
		name := csr.Subject.CommonName
		if name == "" {
			name = s.name
		}
		if name != s.name || leaf != nil && string(csr.RawSubject) != string(leaf.RawSubject) {
			return nil, &enrollapi.Error{Code: enrollapi.NameNotAllowed, Message: "the name is not allowed"}
		}
		answer = s.newAnswer(csr)
		s.keys[proof], s.answers[proof] = key, answer
	}
	out := *answer
	if s.change != nil {
		s.change(&out)
	}
	return &out, nil
}

func (s *testServer) newAnswer(csr *x509.CertificateRequest) *enrollapi.Answer {
	now := time.Now().Add(s.skew)
	cert := s.root.issue(s.t, &x509.Certificate{
		Subject: pkix.Name{CommonName: s.name, Organization: []string{"Example"}}, DNSNames: []string{s.name + ".example.org"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: now.Add(-5 * time.Minute), NotAfter: now.Add(s.life),
	}, csr.PublicKey)
	s.issued++
	s.leaves[hashOf(cert.Raw)] = cert
	life := int64(s.life / time.Second)
	return &enrollapi.Answer{
		Certificate: cert.Raw, Bundle: [][]byte{s.root.Raw}, Name: s.name, Profile: "host", Serial: hexSerial(cert),
		Renew: enrollapi.Window{After: life * 2 / 3, Before: life * 3 / 4},
	}
}

func (s *testServer) unenroll(r *http.Request) (any, error) {
	var m enrollapi.UnenrollRequest
	if err := enrollapi.Decode(r.Body, &m); err != nil {
		return nil, err
	}
	leaf, err := s.prove(r.URL.Path, m.Proof, nil)
	if err != nil {
		return nil, err
	}
	s.revoked[hexSerial(leaf)] = true
	return enrollapi.Unenrolled{Serial: hexSerial(leaf)}, nil
}

// prove checks a possession as a CA does.
func (s *testServer) prove(path string, proof enrollapi.Proof, body []byte) (*x509.Certificate, error) {
	leaf := s.leaves[hashOf(proof.Leaf)]
	if leaf == nil {
		return nil, &enrollapi.Error{Code: enrollapi.UnknownCertificate}
	}
	if s.revoked[hexSerial(leaf)] {
		return nil, &enrollapi.Error{Code: enrollapi.Revoked, Message: "the certificate is revoked"}
	}
	p, err := proof.Possession(path, leaf, body)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Audience != s.pin:
		return nil, &enrollapi.Error{Code: enrollapi.WrongCA}
	case p.At.Sub(time.Now().Add(s.skew)).Abs() > enrollapi.MaxSkew:
		return nil, &enrollapi.Error{Code: enrollapi.Clock, Message: "the date is too far from the time here"}
	case p.Verify(proof.Signature) != nil:
		return nil, &enrollapi.Error{Code: enrollapi.BadSignature}
	}
	return leaf, nil
}

func hashOf(der []byte) string {
	hash := sha256.Sum256(der)
	return hex.EncodeToString(hash[:])
}
