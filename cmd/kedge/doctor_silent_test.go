package main

import (
	"net"
	"strings"
	"testing"

	"kedge/internal/doctor"
)

// silentListener accepts connections and says nothing.
func silentListener(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			defer c.Close()
		}
	}()
	return l.Addr().String()
}

// TestDoctor_silent: a service that accepts connections and says nothing is named in time.
func TestDoctor_silent(t *testing.T) {
	t.Parallel()
	for _, scheme := range []string{"http", "https"} {
		s := newSite(t)
		s.profile["endpoint"] = scheme + "://" + silentListener(t)
		report, _, code := s.run()
		failed := map[string]string{"http": "answer", "https": "tls"}[scheme]
		if got := s.result(report, failed); got.State != doctor.Failed || !strings.Contains(got.Seen, "takes too long") || code != 1 {
			t.Errorf("%s: %+v\n%s", scheme, got, problems(report))
		}
	}
}
