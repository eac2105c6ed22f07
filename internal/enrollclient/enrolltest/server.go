// Package enrolltest is an enrollment server for tests of hosts: it keeps in memory what the ledger of a
// CA does, issues with a root of its own, and fails as it is told.
package enrolltest

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
	"time"

	"kedge/internal/enrollapi"
)

// T is what this package uses of a test; *testing.T has it.
type T interface {
	Helper()
	Fatal(args ...any)
	Error(args ...any)
	Log(args ...any)
	Cleanup(func())
}

// Authority is a CA with its certificate.
type Authority struct {
	*x509.Certificate
	Key crypto.Signer
}

// NewKey makes a P-256 key.
func NewKey(t T) crypto.Signer {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// NewAuthority makes a CA, below issuer or as a root.
func NewAuthority(t T, name string, issuer *Authority) *Authority {
	t.Helper()
	a := &Authority{Key: NewKey(t)}
	template := &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign}
	if issuer == nil {
		issuer = &Authority{template, a.Key}
	}
	a.Certificate = issuer.Issue(t, template, a.Key.Public())
	return a
}

// Issue signs a certificate that is valid for a year around now, unless the template says something else.
func (a *Authority) Issue(t T, template *x509.Certificate, public crypto.PublicKey) *x509.Certificate {
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
	der, err := x509.CreateCertificate(rand.Reader, template, a.Certificate, public, a.Key)
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

// ServerCertificate is one as kedge-ca serve has it, changed.
func (a *Authority) ServerCertificate(t T, change func(*x509.Certificate)) tls.Certificate {
	t.Helper()
	key := NewKey(t)
	template := &x509.Certificate{
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	change(template)
	return tls.Certificate{Certificate: [][]byte{a.Issue(t, template, key.Public()).Raw, a.Raw}, PrivateKey: key}
}

// Unchanged changes nothing.
func Unchanged(*x509.Certificate) {}

// Server is a CA that keeps in memory who got which certificate for what. Its fields are set between
// requests.
type Server struct {
	t    T
	Root *Authority
	URL  string
	Pin  [32]byte

	mu      sync.Mutex
	answers map[string]*enrollapi.Answer // by token or leaf, and key
	keys    map[string]string            // the key that used a token or renewed a leaf
	leaves  map[string]*x509.Certificate // by hash: what was issued
	Issued  int                          // certificates
	Clones  int                          // second keys for a token or leaf
	Revoked map[string]bool              // by serial
	Asked   []string                     // paths
	Waiting []string                     // IDs of requests for approval, each once
	Decided map[string]bool              // whether a request was approved, by its ID
	Approve int                          // approve a request when it is sent so often; 0: Decided alone counts
	Deny    bool                         // deny all requests
	sent    map[string]int               // how often, by ID

	Name   string                    // of the host that tokens are for
	Life   time.Duration             // of leaves
	Skew   time.Duration             // of the server's clock
	Change func(*enrollapi.Answer)   // what it does to answers
	Swap   func(*enrollapi.Waiting)  // what it does to the answer for a request that waits
	Refuse func(path string) error   // what it refuses, before anything else
	Lose   func(path string) bool    // whether it drops the connection instead of answering
	Write  func(http.ResponseWriter) // in place of the answer
}

// New starts a server with a new root.
func New(t T) *Server {
	t.Helper()
	root := NewAuthority(t, "root", nil)
	return Serve(t, root, root.ServerCertificate(t, Unchanged))
}

// Serve starts a server with a certificate of its own; hosts know the root.
func Serve(t T, root *Authority, cert tls.Certificate) *Server {
	t.Helper()
	s := &Server{
		t: t, Root: root, Pin: sha256.Sum256(root.RawSubjectPublicKeyInfo), Name: "web-01", Life: 24 * time.Hour,
		answers: map[string]*enrollapi.Answer{}, keys: map[string]string{}, leaves: map[string]*x509.Certificate{}, Revoked: map[string]bool{},
		Decided: map[string]bool{}, sent: map[string]int{},
	}
	server := httptest.NewUnstartedServer(s)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

// Token makes a token for this server.
func (s *Server) Token(t T) enrollapi.Token {
	t.Helper()
	token, err := enrollapi.NewToken(s.URL, s.Pin, false)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// Between runs f, which reads or sets the fields of s, between two requests. It is needed where those
// are sent by other processes.
func (s *Server) Between(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// Seen returns how many certificates were issued, and how many second keys there were.
func (s *Server) Seen() (issued, clones int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.Issued, s.Clones
}

func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Asked = append(s.Asked, r.URL.Path)
	w.Header().Set("Date", time.Now().Add(s.Skew).UTC().Format(http.TimeFormat))
	answer, err := s.answer(r)
	if s.Lose != nil && s.Lose(r.URL.Path) {
		panic(http.ErrAbortHandler)
	}
	if s.Write != nil {
		s.Write(w)
		return
	}
	w.Header().Set("Content-Type", enrollapi.ContentType)
	if refusal, ok := err.(*enrollapi.Error); ok {
		w.WriteHeader(refusal.Code.Status())
		answer = refusal
	}
	if _, waits := answer.(*enrollapi.Waiting); waits {
		w.WriteHeader(http.StatusAccepted)
	}
	if err := json.NewEncoder(w).Encode(answer); err != nil {
		s.t.Log(err)
	}
}

func (s *Server) answer(r *http.Request) (any, error) {
	if s.Refuse != nil {
		if err := s.Refuse(r.URL.Path); err != nil {
			return nil, err
		}
	}
	switch r.URL.Path {
	case enrollapi.PathEnroll:
		return s.enroll(r)
	case enrollapi.PathRequest:
		return s.request(r)
	case enrollapi.PathRenew:
		return s.renew(r)
	case enrollapi.PathUnenroll:
		return s.unenroll(r)
	case enrollapi.PathReady:
		return struct{}{}, nil
	}
	return nil, &enrollapi.Error{Code: enrollapi.NotFound}
}

func (s *Server) enroll(r *http.Request) (any, error) {
	var m enrollapi.EnrollRequest
	if err := enrollapi.Decode(r.Body, &m); err != nil {
		return nil, err
	}
	return s.certify("token "+hex.EncodeToString(m.Token.ID), m.Request, nil, enrollapi.TokenSpent)
}

func (s *Server) request(r *http.Request) (any, error) {
	var m enrollapi.ApprovalRequest
	if err := enrollapi.Decode(r.Body, &m); err != nil {
		return nil, err
	}
	csr, err := x509.ParseCertificateRequest(m.Request)
	if err != nil {
		return nil, &enrollapi.Error{Code: enrollapi.BadRequest, Message: "no request"}
	}
	sum := enrollapi.RequestID(csr, m.Profile)
	id := hex.EncodeToString(sum[:])
	if s.sent[id]++; s.sent[id] == 1 {
		s.Waiting = append(s.Waiting, id)
	}
	approved, decided := s.Decided[id]
	switch {
	case s.Deny, decided && !approved:
		return nil, &enrollapi.Error{Code: enrollapi.RequestDenied, Message: "the operator of the CA denied the request"}
	case approved, s.Approve > 0 && s.sent[id] >= s.Approve:
		return s.certify("request "+id, m.Request, nil, enrollapi.RequestOver)
	}
	waits := &enrollapi.Waiting{ID: id, PollAfter: 1}
	if s.Swap != nil {
		s.Swap(waits)
	}
	return waits, nil
}

func (s *Server) renew(r *http.Request) (any, error) {
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
func (s *Server) certify(proof string, request []byte, leaf *x509.Certificate, other enrollapi.Code) (any, error) {
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil || csr.CheckSignature() != nil {
		return nil, &enrollapi.Error{Code: enrollapi.BadRequest, Message: "no request"}
	}
	key := hashOf(csr.RawSubjectPublicKeyInfo)
	if had := s.keys[proof]; had != "" && had != key {
		s.Clones++
		return nil, &enrollapi.Error{Code: other, Message: "another key was first"}
	}
	answer := s.answers[proof]
	if answer == nil {
		name := csr.Subject.CommonName
		if name == "" {
			name = s.Name
		}
		if name != s.Name || leaf != nil && string(csr.RawSubject) != string(leaf.RawSubject) {
			return nil, &enrollapi.Error{Code: enrollapi.NameNotAllowed, Message: "the name is not allowed"}
		}
		answer = s.newAnswer(csr)
		s.keys[proof], s.answers[proof] = key, answer
	}
	out := *answer
	if s.Change != nil {
		s.Change(&out)
	}
	return &out, nil
}

func (s *Server) newAnswer(csr *x509.CertificateRequest) *enrollapi.Answer {
	now := time.Now().Add(s.Skew)
	cert := s.Root.Issue(s.t, &x509.Certificate{
		Subject: pkix.Name{CommonName: s.Name, Organization: []string{"Example"}}, DNSNames: []string{s.Name + ".example.org"},
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
		NotBefore: now.Add(-5 * time.Minute), NotAfter: now.Add(s.Life),
	}, csr.PublicKey)
	s.Issued++
	s.leaves[hashOf(cert.Raw)] = cert
	seconds := int64(s.Life / time.Second)
	return &enrollapi.Answer{
		Certificate: cert.Raw, Bundle: [][]byte{s.Root.Raw}, Name: s.Name, Profile: "host", Serial: HexSerial(cert),
		Renew: enrollapi.Window{After: seconds * 2 / 3, Before: seconds * 3 / 4},
	}
}

func (s *Server) unenroll(r *http.Request) (any, error) {
	var m enrollapi.UnenrollRequest
	if err := enrollapi.Decode(r.Body, &m); err != nil {
		return nil, err
	}
	leaf, err := s.prove(r.URL.Path, m.Proof, nil)
	if err != nil {
		return nil, err
	}
	s.Revoked[HexSerial(leaf)] = true
	return enrollapi.Unenrolled{Serial: HexSerial(leaf)}, nil
}

// prove checks a possession as a CA does.
func (s *Server) prove(path string, proof enrollapi.Proof, body []byte) (*x509.Certificate, error) {
	leaf := s.leaves[hashOf(proof.Leaf)]
	if leaf == nil {
		return nil, &enrollapi.Error{Code: enrollapi.UnknownCertificate}
	}
	if s.Revoked[HexSerial(leaf)] {
		return nil, &enrollapi.Error{Code: enrollapi.Revoked, Message: "the certificate is revoked"}
	}
	p, err := proof.Possession(path, leaf, body)
	if err != nil {
		return nil, err
	}
	switch {
	case p.Audience != s.Pin:
		return nil, &enrollapi.Error{Code: enrollapi.WrongCA}
	case p.At.Sub(time.Now().Add(s.Skew)).Abs() > enrollapi.MaxSkew:
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

// HexSerial writes a serial as kedge does.
func HexSerial(c *x509.Certificate) string { return hex.EncodeToString(c.SerialNumber.Bytes()) }
