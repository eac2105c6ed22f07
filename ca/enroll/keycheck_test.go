package enroll

import (
	"crypto"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"kedge/ca/issuance"
	"kedge/internal/metrics"
)

// stuck is a key that signs only once it is let go.
type stuck struct {
	crypto.Signer
	n     atomic.Int32
	letGo chan struct{}
}

func (s *stuck) Sign(random io.Reader, digest []byte, o crypto.SignerOpts) ([]byte, error) {
	s.n.Add(1)
	<-s.letGo
	return s.Signer.Sign(random, digest, o)
}

// TestReady_stuck: while the key does not answer, whoever asks gets an answer all the same, nobody waits
// for another, and only one signature is tried.
func TestReady_stuck(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.must(w.server.RenewCertificate(t.Context()))
	key := &stuck{Signer: w.keys[issuance.RootName], letGo: make(chan struct{})}
	w.keys[issuance.RootName] = key
	w.server.service = w.anotherService()
	var group sync.WaitGroup
	for range 10 {
		group.Go(func() {
			if status, text := w.monitor("GET", "/readyz"); status != http.StatusServiceUnavailable || !strings.Contains(text, "does not sign within") {
				t.Errorf("%d %s", status, text)
			}
		})
	}
	group.Wait()
	if n := key.n.Load(); n != 1 {
		t.Errorf("%d signatures were tried", n)
	}
	close(key.letGo)
	w.must(w.server.Ready(t.Context()))
}

// TestMetrics_keys: what is measured of the keys is on the page.
func TestMetrics_keys(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.server.keyMetrics = func(p *metrics.Page) { p.Sample("of_the_keys", 1) }
	if _, text := w.monitor("GET", "/metrics"); !strings.Contains(text, "of_the_keys 1\n") {
		t.Error(text)
	}
}
