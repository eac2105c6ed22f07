package serve

import (
	"context"
	"errors"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// impossible is a limit that every system refuses.
const impossible = 1000

func TestCheckHopLimit(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", "[::]:0"} {
		l, err := net.Listen("tcp", address)
		if err != nil {
			t.Log(err)
			continue
		}
		defer l.Close()
		if err := CheckHopLimit(l, 1); err != nil {
			t.Error(err)
		}
		err = CheckHopLimit(l, impossible)
		if limit, ok := errors.AsType[*HopLimitError](err); !ok || limit.Limit != impossible || !strings.HasPrefix(err.Error(), "the hop limit 1000 cannot be set on "+l.Addr().String()+": ") {
			t.Errorf("%s: %v", address, err)
		}
	}
}

// A token that would have no limit is not issued, on this connection or the next request of it.
func TestHopLimit_failsClosed(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Config{Roles: []Role{{Name: "app", Credentials: &source{next: credentials("ASIA1")}}}, HopLimit: 1})
	if err != nil {
		t.Fatal(err)
	}
	s.hopLimit = impossible
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, time.Second, l) }()
	for range 2 {
		request, err := http.NewRequest(http.MethodPut, "http://"+l.Addr().String()+tokenPath, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set(ttlHeader, "60")
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusInternalServerError || response.Header.Get(ttlHeader) != "" {
			t.Errorf("%s, %v", response.Status, response.Header)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
