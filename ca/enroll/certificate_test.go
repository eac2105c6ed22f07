package enroll

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"testing"
	"time"

	"kedge/internal/enrollapi"
)

// TestCertificate: the certificate of the server is no identity, hosts find the CA's key in what the
// server sends, and another is issued in time.
func TestCertificate(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	config := w.server.tlsConfig()
	if _, err := config.GetCertificate(nil); err == nil {
		t.Error("a certificate before there is one")
	}
	w.must(w.server.RenewCertificate(t.Context()))
	first := w.server.certificate.Load()
	last, err := x509.ParseCertificate(first.tls.Certificate[len(first.tls.Certificate)-1])
	w.must(err)
	roots := x509.NewCertPool()
	roots.AddCert(w.root())
	if _, err := first.leaf.Verify(x509.VerifyOptions{DNSName: "ca.example.com", Roots: roots, CurrentTime: w.now()}); err != nil {
		t.Error(err)
	}
	if first.leaf.Subject.String() != "" || pin(last) != pin(w.root()) {
		t.Errorf("subject %q, the last certificate is %q", first.leaf.Subject, last.Subject)
	}
	life := first.leaf.NotAfter.Sub(w.now())
	for _, step := range []struct {
		wait  time.Duration
		names []string
		isNew bool
	}{
		{0, nil, false}, {life / 2, nil, false}, {life / 5, nil, true}, {0, nil, false}, {0, []string{"ca.example.com", "ca2.example.com"}, true}, {time.Hour, nil, false}, {90 * dayLong, nil, true},
	} {
		w.wait(step.wait)
		if step.names != nil {
			terms := *w.server.terms.Load()
			terms.Names = step.names
			w.server.SetTerms(&terms)
		}
		before := w.server.certificate.Load()
		ticks := make(chan time.Time)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); w.server.KeepCertificate(ctx, ticks) }()
		ticks <- w.now()
		ticks <- w.now() // the first is done
		cancel()
		<-done
		if isNew := w.server.certificate.Load() != before; isNew != step.isNew {
			t.Errorf("after %v: new %v", step.wait, isNew)
		}
	}
}

// TestServe: a host talks to the server over TLS 1.2 and 1.3, and not over less; the requests in
// progress are finished when the server ends.
func TestServe(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	terms := *w.server.terms.Load()
	terms.Names = []string{"127.0.0.1"}
	w.server.SetTerms(&terms)
	w.must(w.server.RenewCertificate(t.Context()))
	var listeners []net.Listener
	for range 3 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		w.must(err)
		listeners = append(listeners, l)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 2)
	go func() { ended <- w.server.Serve(ctx, time.Minute, listeners[0], listeners[1]) }()
	go func() { ended <- w.server.ServePlain(ctx, time.Minute, listeners[2]) }()
	roots := x509.NewCertPool()
	roots.AddCert(w.root())
	for version, good := range map[uint16]bool{tls.VersionTLS11: false, tls.VersionTLS12: true, tls.VersionTLS13: true} {
		for i, l := range listeners[:2] {
			h := w.machine(fmt.Sprintf("web-%d-%x", i, version))
			client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS10, MaxVersion: version, Time: w.now}}}
			body, err := json.Marshal(h.enrollRequest(h.name))
			w.must(err)
			response, err := client.Post("https://"+l.Addr().String()+enrollapi.PathEnroll, enrollapi.ContentType, bytes.NewReader(body))
			if (err == nil) != good {
				t.Errorf("TLS %x: %v", version, err)
			}
			if err == nil {
				response.Body.Close()
				if response.StatusCode != http.StatusOK {
					t.Errorf("TLS %x: %s", version, response.Status)
				}
			}
		}
	}
	response, err := http.Get("http://" + listeners[2].Addr().String() + "/ca/ca.cer")
	w.must(err)
	response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("plain: %s", response.Status)
	}
	stop()
	for range 2 {
		w.must(<-ended)
	}
}
