package serve

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"kedge/internal/emulator"
	"kedge/internal/refresh"
	"kedge/signer"
	"kedge/signer/session"
)

// service is the emulator behind a gate: it counts requests for sessions, keeps them waiting, and
// can cut them off.
type service struct {
	*emulator.Emulator
	asked  chan struct{} // each request for a session
	let    chan bool     // whether the request is answered: false cuts the connection
	counts atomic.Int64
}

// sessionTimeout bounds the wait for a session: more than 20,000 reads take on a slow machine.
const sessionTimeout = time.Hour

func newService(t *testing.T) (*service, *session.Provider) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	certificate := func(subject string, isCA bool, parent *x509.Certificate) *x509.Certificate {
		template := &x509.Certificate{
			SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: subject}, IsCA: isCA, BasicConstraintsValid: true,
			NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
		}
		if isCA {
			template.KeyUsage, parent = x509.KeyUsageCertSign|x509.KeyUsageCRLSign, template
		}
		der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), key)
		if err != nil {
			t.Fatal(err)
		}
		cert, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		return cert
	}
	root := certificate("root", true, nil)
	s := &service{asked: make(chan struct{}), let: make(chan bool)}
	s.Emulator, err = emulator.New(emulator.Config{TrustAnchors: []emulator.TrustAnchor{{Certificates: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Raw})}}})
	if err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(server.Close)
	identity, err := signer.NewIdentity(key, []*x509.Certificate{certificate("leaf", false, root)}, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	client, err := session.New(session.Config{
		TrustAnchorARN: s.TrustAnchorARN(), ProfileARN: s.ProfileARN(), RoleARN: s.RoleARN(), Endpoint: server.URL, MaxAttempts: 1, Now: time.Now, Timeout: sessionTimeout,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s, session.NewProvider(client, identity)
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	s.counts.Add(1)
	good := false
	select {
	case s.asked <- struct{}{}:
		good = <-s.let
	case <-r.Context().Done(): // the test has ended
	}
	if good {
		s.Handler().ServeHTTP(w, r)
		return
	}
	if conn, _, err := http.NewResponseController(w).Hijack(); err == nil {
		conn.Close()
	}
}

// TestTwentyThousandReads: during a renewal that hangs, and is then cut off, readers get the
// credentials that are still valid, at once; CreateSession is called once for all of them.
func TestTwentyThousandReads(t *testing.T) {
	t.Parallel()
	s, provider := newService(t)
	log := &lockedBuffer{}
	refresher := refresh.New(provider, refresh.Options{Now: time.Now, Timeout: sessionTimeout, Log: slog.New(slog.NewTextHandler(log, nil))})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- refresher.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	r := start(t, func(c *Config) { c.Roles[0].Credentials = refresher })

	// Before the first credentials, all wait for the one request.
	var cold sync.WaitGroup
	for range 20 {
		cold.Go(func() { r.read(t, 1) })
	}
	<-s.asked
	s.let <- true
	cold.Wait()
	first := r.read(t, 1)

	refresher.Renew()
	<-s.asked // and hangs
	if got := r.readAll(t, 20_000); got != first {
		t.Errorf("while a renewal hangs: %s, then %s", first, got)
	}
	if n := s.counts.Load(); n != 2 {
		t.Errorf("%d calls of CreateSession, not 2", n)
	}
	s.let <- false // killed
	waitUntil(t, func() bool { return refresher.Status().Failures == 1 })
	if got := r.readAll(t, 1000); got != first {
		t.Errorf("after a failed renewal: %s, then %s", first, got)
	}
	<-s.asked // it tries again by itself
	s.let <- true
	waitUntil(t, func() bool { return refresher.Status().Renewals == 2 })
	if got := r.readAll(t, 64); got == first {
		t.Errorf("after the renewal: still %s", got)
	}
	if n := strings.Count(log.String(), "level=WARN"); n != 1 {
		t.Errorf("%d warnings:\n%s", n, log)
	}
}

// readAll reads n times at least, by 64 readers, and returns the one access key that all were given.
func (r *running) readAll(t *testing.T, n int) string {
	t.Helper()
	const readers = 64
	keys := make([]string, readers)
	var all sync.WaitGroup
	for i := range readers {
		all.Go(func() { keys[i] = r.read(t, (n+readers-1)/readers) })
	}
	all.Wait()
	for _, key := range keys {
		if key != keys[0] {
			t.Errorf("some read %s, some %s", keys[0], key)
		}
	}
	return keys[0]
}

// read reads n times over one connection and returns the access key, which must be the same.
func (r *running) read(t *testing.T, n int) string {
	client := &http.Client{Transport: &http.Transport{}}
	defer client.CloseIdleConnections()
	key := ""
	for range n {
		request, err := http.NewRequest("GET", r.url+"/v1/credentials/app", nil)
		if err != nil {
			t.Error(err)
			return ""
		}
		request.Header.Set("Authorization", authorization)
		got, err := readKey(client, request)
		if err != nil || key != "" && got != key {
			t.Errorf("read %q after %q, %v", got, key, err)
			return ""
		}
		key = got
	}
	return key
}

func readKey(client *http.Client, request *http.Request) (string, error) {
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return "", err
	}
	_, rest, found := strings.Cut(string(body), `"AccessKeyId":"`)
	key, _, _ := strings.Cut(rest, `"`)
	if response.StatusCode != 200 || !found || key == "" {
		return "", fmt.Errorf("%d %s", response.StatusCode, body)
	}
	return key, nil
}

// waitUntil waits for something that is about to happen.
func waitUntil(t *testing.T, happened func() bool) {
	t.Helper()
	for deadline := time.Now().Add(time.Minute); !happened(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it does not happen")
		}
	}
}
