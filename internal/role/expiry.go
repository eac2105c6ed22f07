package role

import (
	"crypto/x509"
	"fmt"
	"sync"
	"time"

	"kedge/internal/refresh"
)

// expiryWarner warns of a certificate that should be renewed: once for each stage of each certificate.
type expiryWarner struct {
	warn func(text string)
	now  func() time.Time

	mu   sync.Mutex
	leaf *x509.Certificate
	said refresh.Stage
}

// look warns if there is something new to say of the leaf; nil is the last one, after which there is
// none that is valid. A nil expiryWarner is silent.
func (w *expiryWarner) look(leaf *x509.Certificate) {
	if w == nil {
		return
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if leaf == nil {
		leaf = w.leaf
	}
	if leaf == nil { // none was ever read: the error of the reading is printed instead
		return
	}
	if w.leaf == nil || !leaf.Equal(w.leaf) {
		w.leaf, w.said = leaf, refresh.Fresh
	}
	stage := refresh.StageOf(leaf.NotBefore, leaf.NotAfter, w.now())
	if stage <= w.said {
		return
	}
	w.said = stage
	end := leaf.NotAfter.UTC().Format(time.RFC3339)
	if stage == refresh.Expired {
		w.warn(fmt.Sprintf("the certificate %q expired at %s: there are no new credentials until it is renewed", leaf.Subject, end))
		return
	}
	w.warn(fmt.Sprintf("the certificate %q is %s, and expires at %s: renew it", leaf.Subject, stage, end))
}
