package role

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/signer"
	"kedge/signer/session"
)

// before remembers for which certificate the one before it was said to be used.
type before struct {
	mu      sync.Mutex
	refused string // its serial number
}

// withBefore asks for a session with the pair that a renewal replaced, if the new certificate may be why
// AWS refused, and the old one is still valid. The next time the new one is tried first again.
func (r *Role) withBefore(ctx context.Context, refusal error) (aws.Credentials, bool) {
	replaced, ok := r.config.replaced(r.host)
	if !ok || !mayBeCertificate(refusal) {
		return aws.Credentials{}, false
	}
	h := r.host
	h.Before, h.Warn = nil, func(string) {} // what there is to warn of was said when the role was opened
	old, err := open(ctx, replaced, h, Once)
	if err != nil {
		return aws.Credentials{}, false
	}
	defer old.Close()
	c, err := old.provider.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, false
	}
	r.sayBefore(r.leaf(ctx), usesBefore(refusal, old.leaf(ctx)))
	return c, true
}

// sayBefore reports it once for each certificate that is refused.
func (r *Role) sayBefore(refused *x509.Certificate, text string) {
	r.before.mu.Lock()
	defer r.before.mu.Unlock()
	if refused == nil || refused.SerialNumber.String() == r.before.refused {
		return
	}
	r.before.refused = refused.SerialNumber.String()
	warn := r.host.Warn
	if r.expiry != nil {
		warn = r.expiry.warn
	}
	warn(text)
}

// usesBefore describes which certificate is used, and why not the one that it should be.
func usesBefore(refusal error, old *x509.Certificate) string {
	until := ""
	if old != nil {
		until = fmt.Sprintf(", serial %x, until %s", old.SerialNumber.Bytes(), old.NotAfter.UTC().Format(time.RFC3339))
	}
	return fmt.Sprintf("the renewed certificate is refused, and the one before it is used while it is valid%s: %v", until, refusal)
}

// replaced returns the role with the pair that was in use before the last renewal.
func (c *Config) replaced(h Host) (*Config, bool) {
	if h.Before == nil {
		return nil, false
	}
	s := c.settings
	certificate, ok := h.Before(strings.TrimPrefix(s.KeyFlags.Certificate, "file:"))
	if !ok {
		return nil, false
	}
	s.KeyFlags.Certificate = certificate
	if key, ok := h.Before(strings.TrimPrefix(s.KeyFlags.PrivateKey, "file:")); ok { // else it is in hardware, and the same
		s.KeyFlags.PrivateKey = key
	}
	replaced, err := NewConfig(s, s.KeyFlags.Environment)
	return replaced, err == nil
}

// isEarly reports whether a certificate is not valid yet by the service's clock.
func isEarly(err error) bool {
	validity, ok := errors.AsType[*signer.ValidityError](err)
	return ok && !validity.Expired()
}

// mayBeCertificate reports whether a new certificate can be the reason of a refusal: what the service says
// of it, or of what the role's trust policy wants of it. Texts that are not known may be about it, too; not
// those that name something else. One that is revoked is meant to be refused.
func mayBeCertificate(err error) bool {
	if isEarly(err) {
		return true
	}
	refusal, ok := errors.AsType[*session.APIError](err)
	if !ok || refusal.RoleARN != "" || refusal.Status != http.StatusForbidden && refusal.Status != http.StatusBadRequest || refusal.Throttled() {
		return false
	}
	message := strings.ToLower(refusal.Message)
	return !slices.ContainsFunc([]string{
		"revoked", "invalid signature", "trust anchor wasn't found", "invalid or empty profile", "listed in the profile",
		"rolesessionname", "duration", "constraint",
	}, func(other string) bool { return strings.Contains(message, other) })
}
