// Package role gets the credentials of a role for a host.
//
// It goes in steps: Settings are what flags, environment and configuration say; a Config is that,
// checked, with nothing opened; a Role is made of a Config, and has the key open. The package reads no
// flags, prints nothing and asks nobody: Host is what it may use of the program around it.
package role

import (
	"context"
	"crypto/x509"
	"errors"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/signer"
	"kedge/signer/session"
)

// Use specifies how long a role is used.
type Use bool

// How long: once, when the identity is read and kept, or long, when it is read again after its files
// change.
const (
	Once Use = false
	Long Use = true
)

// Host is what a role uses of the program around it.
type Host struct {
	config.Host

	UserAgent string
	Warn      func(text string)
	Skewed    func(skew time.Duration)                                        // is told how far this host's clock is behind, each time that it may be known
	Trace     func(format string, args ...any)                                // nil: nobody wants to know
	Protect   func(ctx context.Context) (context.Context, context.CancelFunc) // the context ends where the program else would

	// Before returns the path of a file in the pair that a renewal replaced, for that of the same file in
	// the pair in use; nil: there is none.
	Before func(path string) (string, bool)
}

// Role gets the credentials of a role, a new session each time: it is an aws.CredentialsProvider. It is
// safe for concurrent use, until it is closed.
type Role struct {
	config   *Config
	host     Host
	clock    *session.Clock // of the service, as far as it is known
	region   string
	source   signer.Source
	provider aws.CredentialsProvider
	expiry   *expiryWarner // nil: nobody is told of a certificate that nears its end
	before   before
}

// Open loads the identity. ctx, and --timeout, bound that: hardware can be slow. The error is one of
// Config.Check, a *KeyError or a *config.BundleError. The role is to be closed.
//
// If a certificate that was just renewed is not valid yet, the one before it is used once; a role that is
// used long and has it keeps it anyway.
func Open(ctx context.Context, c *Config, h Host, u Use) (*Role, error) {
	r, err := open(ctx, c, h, u)
	if u == Long || !isEarly(err) {
		return r, err
	}
	replaced, ok := c.replaced(h)
	if !ok {
		return r, err
	}
	h.Before = nil
	if r, errBefore := open(ctx, replaced, h, u); errBefore == nil {
		h.Warn(usesBefore(err, r.leaf(ctx)))
		return r, nil
	}
	return nil, err
}

func open(ctx context.Context, c *Config, h Host, u Use) (*Role, error) {
	o := &opening{Config: c, host: h, use: u, clock: session.NewClock(h.Now)}
	cfg := c.session
	cfg.Trace, cfg.Now, cfg.Clock, cfg.UserAgent = h.Trace, h.Now, o.clock, h.UserAgent
	var err error
	if o.connection, err = c.connect(cfg); err != nil {
		return nil, err
	}
	source, err := o.open(ctx)
	if err != nil {
		return nil, err
	}
	r := &Role{config: c, host: h, clock: o.clock, region: o.connection.client.Region(), source: source, provider: session.NewProvider(o.connection.client, source)}
	if chain := o.connection.chain; chain != nil {
		r.provider = session.NewChainProvider(chain, source)
	}
	return r, nil
}

// Config is what the role was made of.
func (r *Role) Config() *Config { return r.config }

// Region is that of the service which is asked.
func (r *Role) Region() string { return r.region }

// WarnOfExpiry has warn told, once each, that the certificate nears its end by the service's clock.
func (r *Role) WarnOfExpiry(warn func(text string)) {
	r.expiry = &expiryWarner{warn: warn, now: r.clock.Now}
}

// Succeed makes a role say of its certificate what another, which it replaces, has not said.
func (r *Role) Succeed(other *Role) { r.expiry = other.expiry }

// Retrieve asks for a new session. The error is a *KeyError or a *RequestError. A certificate that was just
// renewed may be refused where the one before it is not: see before.go.
func (r *Role) Retrieve(ctx context.Context) (aws.Credentials, error) {
	c, err := r.provider.Retrieve(ctx)
	r.host.Skewed(r.clock.Skew())
	if _, told := errors.AsType[*signer.ValidityError](err); r.expiry != nil && !told {
		r.expiry.look(r.leaf(ctx))
	}
	if err == nil {
		return c, nil
	}
	if c, ok := r.withBefore(ctx, err); ok {
		return c, nil
	}
	return aws.Credentials{}, r.explain(err)
}

// leaf is the certificate that would be used now, or nil.
func (r *Role) leaf(ctx context.Context) *x509.Certificate {
	id, err := r.source.Identity(ctx)
	if err != nil {
		return nil
	}
	return id.Leaf()
}

// Identity returns what would sign now.
func (r *Role) Identity(ctx context.Context) (*signer.Identity, error) { return r.source.Identity(ctx) }

// Trouble is why changed files are not used, for which the old ones still do; or nil.
func (r *Role) Trouble() error {
	if files, ok := r.source.(interface{ Err() error }); ok {
		return files.Err()
	}
	return nil
}

// InTPM reports whether the key is in a TPM: what is under way there is to be ended properly.
func (r *Role) InTPM() bool {
	source, ok := r.source.(*keys.Source)
	return ok && source.InTPM()
}

// Close lets go of the key.
func (r *Role) Close() error { return closeSource(r.source) }

func closeSource(s signer.Source) error {
	if hardware, ok := s.(*keys.Source); ok {
		return hardware.Close()
	}
	return nil
}

// explain adds what only the settings know to an error, for the hints.
func (r *Role) explain(err error) error {
	if _, ok := errors.AsType[*signer.SignError](err); ok {
		return &KeyError{Err: err}
	}
	if _, ok := errors.AsType[*signer.ValidityError](err); ok {
		return &KeyError{Err: judgedBy(r.clock, err)}
	}
	s := &r.config.settings
	return &RequestError{
		Err: err, Chained: len(s.Assumed) > 0,
		Region: s.Region, TrustAnchor: s.TrustAnchor, Profile: s.Profile, Role: s.Role,
	}
}
