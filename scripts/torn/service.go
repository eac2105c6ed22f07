package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"sync"
	"time"

	"kedge/internal/emulator"
)

// keys are the keys of a session.
type keys struct{ id, secret, token string }

// service is the emulator, with a record of the sessions it has issued.
type service struct {
	server *httptest.Server
	flags  []string // of kedge, to use it

	mutex   sync.Mutex
	numbers map[keys]int
}

func newService(dir string) (*service, error) {
	authority, err := writePair(dir)
	if err != nil {
		return nil, err
	}
	e, err := emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: authority}}})
	if err != nil {
		return nil, err
	}
	s := &service{numbers: map[keys]int{}}
	s.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { s.answer(e.Handler(), w, r) }))
	s.flags = []string{
		"--endpoint", s.server.URL, "--trust-anchor-arn", e.TrustAnchorARN(), "--profile-arn", e.ProfileARN(), "--role-arn", e.RoleARN(),
		"--certificate", filepath.Join(dir, "leaf.pem"), "--private-key", filepath.Join(dir, "leaf.key"),
	}
	return s, nil
}

// answer numbers a session before it is sent.
func (s *service) answer(handler http.Handler, w http.ResponseWriter, r *http.Request) {
	recorder := httptest.NewRecorder()
	handler.ServeHTTP(recorder, r)
	var got struct {
		CredentialSet []struct {
			Credentials struct{ AccessKeyID, SecretAccessKey, SessionToken string }
		}
	}
	if json.Unmarshal(recorder.Body.Bytes(), &got) == nil && len(got.CredentialSet) == 1 {
		c := got.CredentialSet[0].Credentials
		s.mutex.Lock()
		s.numbers[keys{c.AccessKeyID, c.SecretAccessKey, c.SessionToken}] = len(s.numbers) + 1
		s.mutex.Unlock()
	}
	for name, values := range recorder.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(recorder.Code)
	w.Write(recorder.Body.Bytes())
}

func (s *service) number(k keys) (int, bool) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	n, ok := s.numbers[k]
	return n, ok
}

// last is the number of the newest session.
func (s *service) last() int {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	return len(s.numbers)
}

// writePair writes leaf.pem and leaf.key, and returns the CA's certificate in PEM.
func writePair(dir string) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	ca := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "torn"}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature,
	}
	leaf := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "leaf"}, NotBefore: ca.NotBefore, NotAfter: ca.NotAfter,
		BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature,
	}
	caDER, err := x509.CreateCertificate(rand.Reader, ca, ca, key.Public(), key)
	if err != nil {
		return nil, err
	}
	leafDER, err := x509.CreateCertificate(rand.Reader, leaf, ca, key.Public(), key)
	if err != nil {
		return nil, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	toPEM := func(kind string, der []byte) []byte { return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}) }
	return toPEM("CERTIFICATE", caDER), errors.Join(
		os.WriteFile(filepath.Join(dir, "leaf.pem"), toPEM("CERTIFICATE", leafDER), 0o600),
		os.WriteFile(filepath.Join(dir, "leaf.key"), toPEM("PRIVATE KEY", pkcs8), 0o600))
}
