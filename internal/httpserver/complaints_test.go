package httpserver

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"
)

// TestComplaints: what net/http complains about is counted by what it is, whoever it is about.
func TestComplaints(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	limited := NewRateLimited(slog.New(slog.NewTextHandler(&out, nil)))
	logger := slog.NewLogLogger(complaints{limited}, slog.LevelWarn)
	for message, want := range map[string]string{
		"http: TLS handshake error from 192.0.2.1:4711: EOF":                      "TLS handshake error",
		"http: TLS handshake error from [2001:db8::1]:4711: remote error":         "TLS handshake error",
		"http: Accept error: accept tcp: too many open files; retrying in 5ms":    "Accept error",
		"http: panic serving 192.0.2.1:4711: nil map":                             "panic",
		"http: superfluous response.WriteHeader call from main.f (main.go:1)":     "superfluous response.WriteHeader call",
		"http: URL query contains semicolon, which is no longer a supported sep.": "URL query contains semicolon, which is no longer a supported sep.",
	} {
		before := limited.Count("http server: " + want)
		logger.Print(message)
		if limited.Count("http server: "+want) != before+1 {
			t.Errorf("%q is not counted as %q", message, want)
		}
	}
	if n := strings.Count(out.String(), "\n"); n != 5 {
		t.Errorf("%d lines:\n%s", n, &out)
	}
}
