package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// gate is a CredentialsProvider that tells when it is asked, and answers when it may.
type gate struct{ asked, open chan struct{} }

func newGate() *gate { return &gate{make(chan struct{}, 100), make(chan struct{})} }

func (g *gate) Retrieve(ctx context.Context) (aws.Credentials, error) {
	g.asked <- struct{}{}
	select {
	case <-g.open:
		return credentials("ASIA1"), nil
	case <-ctx.Done():
		return aws.Credentials{}, ctx.Err()
	}
}

// TestServe_drains: when it ends, a request that is being answered gets its answer, and a new
// connection is refused.
func TestServe_drains(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := start(t, func(c *Config) { c.Roles[0].Credentials = g })
	answered := make(chan reply, 1)
	go func() { answered <- r.ask(t, "GET", "/v1/credentials/app", "Authorization: "+authorization) }()
	<-g.asked
	ended := make(chan error, 1)
	go func() { ended <- r.stop() }()
	for deadline := time.Now().Add(time.Minute); ; {
		c, err := net.Dial("tcp", r.address)
		if err != nil {
			break
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatal("it still listens")
		}
	}
	close(g.open)
	if got := <-answered; got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestServe_drainHasADeadline: a request that is never answered does not keep the server.
func TestServe_drainHasADeadline(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	g := newGate()
	s, err := New(Config{Roles: []Role{{Name: "app", Credentials: g}}, Authorization: authorization})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, time.Millisecond, l) }()
	go func() {
		request, err := http.NewRequest("GET", "http://"+l.Addr().String()+"/v1/credentials/app", nil)
		if err != nil {
			return
		}
		request.Header.Set("Authorization", authorization)
		if response, err := http.DefaultClient.Do(request); err == nil {
			response.Body.Close()
		}
	}()
	<-g.asked
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestServe_brokenListener: what ends a listener ends Serve.
func TestServe_brokenListener(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Roles: []Role{{Name: "app", Credentials: &source{}}}})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := s.Serve(t.Context(), time.Second, l); !errors.Is(err, net.ErrClosed) {
		t.Errorf("%v", err)
	}
}

// TestIPv6: the endpoint can be on ::1, and accepts that as its host.
func TestIPv6(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "[::1]:0")
	if err != nil {
		t.Skip(err)
	}
	r := startOn(t, l, func(c *Config) { c.HopLimit = 1 })
	if got := r.ask(t, "GET", iamPath+"security-credentials/app", r.token(t)); got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}
}

// TestFirstCredentials: before there are any a request waits for them; without, it is an error.
func TestFirstCredentials(t *testing.T) {
	t.Parallel()
	g := newGate()
	r := start(t, func(c *Config) { c.Roles[0].Credentials = g })
	answered := make(chan reply, 1)
	go func() { answered <- r.ask(t, "GET", "/v1/credentials/app", "Authorization: "+authorization) }()
	<-g.asked
	close(g.open)
	if got := <-answered; got.status != 200 {
		t.Errorf("%d %s", got.status, got.body)
	}

	if testing.Short() {
		return
	}
	never := start(t, func(c *Config) { c.Roles[0].Credentials = newGate() })
	if got := never.ask(t, "GET", "/v1/credentials/app", "Authorization: "+authorization); got.status != 503 || got.body != `{"code":"ServiceUnavailable","message":"no credentials: there are none yet"}` {
		t.Errorf("%d %s", got.status, got.body)
	}
}
