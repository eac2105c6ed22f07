package webhook

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func hook(url string) *Hook {
	return &Hook{URL: url, Secret: []byte("a secret of 16 b"), Timeout: 10 * time.Second, Retries: 3, Now: func() time.Time { return time.Unix(1_900_000_000, 0) }, Wait: func(context.Context, time.Duration) {}}
}

// TestSign: computed by openssl dgst -sha256 -hmac 'a secret of 16 b'.
func TestSign(t *testing.T) {
	t.Parallel()
	const want = "t=1900000000,v1=c665592437c4991bcf14a0ac1960b95c685818e549fae3e90927141e3e70a5ec"
	got := Sign([]byte("a secret of 16 b"), time.Unix(1_900_000_000, 0), []byte(`{"schema":1}`))
	if got != want {
		t.Errorf("%s", got)
	}
}

// TestSend: which answers are tried again.
func TestSend(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name    string
		answers []int // the last one for all further tries
		tries   int
		status  int // of the error; 0: none
	}{
		{"taken", []int{200}, 1, 0}, {"accepted", []int{202}, 1, 0}, {"nothing to say", []int{204}, 1, 0},
		{"later", []int{503, 500, 429, 200}, 4, 0}, {"never", []int{503}, 4, 503}, {"too slow for us", []int{408, 200}, 2, 0},
		{"refused", []int{400}, 1, 400}, {"gone", []int{410}, 1, 410}, {"not found", []int{404}, 1, 404}, {"elsewhere", []int{302}, 1, 302},
	} {
		tries := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil || string(body) != "{}" || r.Method != "POST" || r.Header.Get("Content-Type") != "application/json" || r.Header.Get(SignatureHeader) != Sign([]byte("a secret of 16 b"), time.Unix(1_900_000_000, 0), body) {
				t.Errorf("%s: %s %q %v", tt.name, r.Method, body, r.Header)
			}
			w.Header().Set("Location", "/other")
			w.WriteHeader(tt.answers[min(tries, len(tt.answers)-1)])
			tries++
		}))
		err := hook(server.URL).Send(t.Context(), []byte("{}"))
		server.Close()
		e, _ := errors.AsType[*statusError](err)
		if tries != tt.tries || (err == nil) != (tt.status == 0) || err != nil && (e == nil || e.Status != tt.status) {
			t.Errorf("%s: %d tries, %v", tt.name, tries, err)
		}
	}
}

// TestSend_silent: a receiver that does not answer costs the timeout at each try, and no error has the
// URL, in which there can be a secret.
func TestSend_silent(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-stop }))
	defer server.Close()
	defer close(stop)
	h := hook(server.URL + "/secret-path")
	h.Timeout, h.Retries = time.Millisecond, 2
	if err := h.Send(t.Context(), nil); !errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "secret") {
		t.Errorf("%v", err)
	}
	for _, url := range []string{"http://127.0.0.1:1/secret-path", "http://secret name/", "://secret"} {
		h.URL = url
		if err := h.Send(t.Context(), nil); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", url, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	h, waits := hook("http://127.0.0.1:1/"), 0
	h.Wait = func(context.Context, time.Duration) { waits++; cancel() }
	if err := h.Send(ctx, nil); err == nil || waits != 1 {
		t.Errorf("after the end: %d waits, %v", waits, err)
	}
}
