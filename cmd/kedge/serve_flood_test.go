//go:build unix

package main

import (
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestServe_flood: 1,200 idle connections to any listener of a process with 1,024 descriptors leave the
// credentials endpoint answering within the second that SDKs wait, at one of their three attempts.
func TestServe_flood(t *testing.T) {
	t.Parallel()
	for _, target := range []string{"endpoint", "monitor", "both"} {
		t.Run(target, func(t *testing.T) {
			t.Parallel()
			w := newWorkplace(t)
			s := w.serveWithDescriptors("1024", "--metrics-address", "127.0.0.1:0")
			endpoint := strings.TrimSuffix(strings.TrimPrefix(s.exports["AWS_EC2_METADATA_SERVICE_ENDPOINT"], "http://"), "/")
			s.waitFor(t, "credentials renewed", 1)
			if target != "monitor" {
				holdIdle(t, endpoint, 1200)
			}
			if target != "endpoint" {
				holdIdle(t, s.monitor(t), 1200)
			}
			token, err := os.ReadFile(s.exports["AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"])
			if err != nil {
				t.Fatal(err)
			}
			if err := askLikeSDK(s.exports["AWS_CONTAINER_CREDENTIALS_FULL_URI"], string(token)); err != nil {
				t.Errorf("no credentials: %v", err)
			}
			if response, err := http.Get("http://" + s.monitor(t) + "/readyz"); err != nil || response.Body.Close() != nil || response.StatusCode != 200 {
				t.Errorf("readiness: %v, %v", response, err)
			}
			if strings.Contains(s.log.String(), "too many open files") {
				t.Error("it ran out of descriptors")
			}
		})
	}
}

// serveWithDescriptors starts kedge serve with a limit of open files.
func (w *workplace) serveWithDescriptors(limit string, args ...string) *serving {
	w.t.Helper()
	self, err := os.Executable()
	if err != nil {
		w.t.Fatal(err)
	}
	link := filepath.Join(w.dir, "kedge")
	if err := linkFile(link, self); err != nil {
		w.t.Fatal(err)
	}
	return w.startWith(exec.Command("/bin/sh"), func(args []string) []string {
		return append([]string{"sh", "-c", "ulimit -n " + limit + `; exec "$0" "$@"`, link}, args[1:]...)
	}, append(w.flags(), args...)...)
}

// monitor is the address for health and metrics, as the log has it.
func (s *serving) monitor(t *testing.T) string {
	t.Helper()
	s.waitFor(t, "msg=serving", 1)
	_, rest, found := strings.Cut(s.log.String(), " monitor=")
	if !found {
		t.Fatalf("no monitor in the log:\n%s", s.log)
	}
	return strings.Fields(rest)[0]
}

// holdIdle opens so many connections and sends nothing, until the test ends.
func holdIdle(t *testing.T, address string, n int) {
	t.Helper()
	for i := range n {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatalf("connection %d: %v", i, err)
		}
		t.Cleanup(func() { c.Close() })
	}
}

// askLikeSDK asks for credentials three times, each time for a second at most.
func askLikeSDK(url, token string) (err error) {
	client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for range 3 {
		var request *http.Request
		if request, err = http.NewRequest(http.MethodGet, url, nil); err != nil {
			return err
		}
		request.Header.Set("Authorization", token)
		var response *http.Response
		if response, err = client.Do(request); err != nil {
			continue
		}
		if response.Body.Close(); response.StatusCode == http.StatusOK {
			return nil
		}
	}
	return err
}
