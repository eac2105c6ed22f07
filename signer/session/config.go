package session

import (
	"crypto/x509"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"
)

// Config specifies which session to ask for, and where and how. The zero value of a field that
// is not marked required means the default.
type Config struct {
	// TrustAnchorARN, ProfileARN and RoleARN are required. They must be of one partition and
	// account, trust anchor and profile of one region.
	TrustAnchorARN, ProfileARN, RoleARN string

	// Duration of the session: whole seconds from 15 minutes to 12 hours. The service takes
	// the profile's if that is shorter, or if this is zero.
	Duration time.Duration

	// RoleSessionName is 2 to 64 of [A-Za-z0-9_+=,.@-]. By default the service takes the
	// certificate's serial number. The profile must allow it (acceptRoleSessionName).
	RoleSessionName string

	// Region that signs and, without Endpoint, answers; the trust anchor's by default, and no
	// other is of use unless Endpoint leads there.
	Region string

	// Endpoint is an absolute http or https address, without query; "/sessions" is added to
	// its path. By default it is made of partition and region. Plain http is for loopback
	// addresses only, unless InsecureSkipVerify is set.
	Endpoint string

	// FIPS and DualStack choose a variant of the default endpoint; they exclude Endpoint.
	FIPS, DualStack bool

	// HTTPClient sends the requests, by default over HTTP/1.1 and one connection for each,
	// which uses the next three fields. It must not follow redirects: a signature is for one
	// address.
	HTTPClient HTTPClient

	// Proxy returns the proxy for a request, or nil; no proxy by default, whatever the environment
	// says. See http.ProxyFromEnvironment.
	Proxy func(*http.Request) (*url.URL, error)

	// RootCAs are trusted to name the server; the system's by default.
	RootCAs *x509.CertPool

	// RootsUnread lists the certificates that are not in RootCAs since they cannot be read. It is in the
	// error where the server's CA is unknown.
	RootsUnread []string

	// InsecureSkipVerify takes any server for the service, and allows plain http to any host.
	// Whoever stands between gets the credentials.
	InsecureSkipVerify bool

	// Timeout limits the exchange, from the first signature to the end of the last answer: all
	// attempts and the waiting between them. It does not limit the Source, which is asked
	// before; only the context does. 30 s by default. One attempt gets Timeout/MaxAttempts,
	// the last one all that is left.
	Timeout time.Duration

	// MaxAttempts is 1 to 10, 3 by default.
	MaxAttempts int

	// UserAgent names the program, as "kedge/1.0"; "kedge" by default.
	UserAgent string

	// Trace is told what is sent, received and waited for, one line a call, without secrets;
	// nil for nothing.
	Trace func(format string, args ...any)

	// Now is this host's clock, such as time.Now; required.
	Now func() time.Time

	// Clock is what is known of the service's time, for what has to share it, such as the source
	// of the identity. It must be of the same Now. By default the Client has its own.
	Clock *Clock
}

// HTTPClient is what a Client needs of an http.Client.
type HTTPClient interface {
	Do(*http.Request) (*http.Response, error)
}

const (
	minDuration     = 15 * time.Minute
	maxDuration     = 12 * time.Hour
	defaultTimeout  = 30 * time.Second
	defaultAttempts = 3
	maxAttempts     = 10
)

// withDefaults fills in what was left out.
func (cfg Config) withDefaults(trustAnchorRegion string) Config {
	if cfg.Region == "" {
		cfg.Region = trustAnchorRegion
	}
	if cfg.Timeout == 0 {
		cfg.Timeout = defaultTimeout
	}
	if cfg.MaxAttempts == 0 {
		cfg.MaxAttempts = defaultAttempts
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "kedge"
	}
	if cfg.Trace == nil {
		cfg.Trace = func(string, ...any) {}
	}
	if cfg.Clock == nil {
		cfg.Clock = NewClock(cfg.Now)
	}
	if cfg.HTTPClient == nil {
		cfg.HTTPClient = newHTTPClient(cfg)
	}
	return cfg
}

// check checks each field but the ARNs and the endpoint.
func (cfg Config) check() error {
	if err := cfg.checkSession(); err != nil {
		return err
	}
	switch {
	case cfg.Now == nil:
		return wrong("Now", "the configuration has no clock: set Now to time.Now")
	case cfg.Region != "" && !isLabel(cfg.Region):
		return wrong("Region", "region %q is no name like eu-west-1", brief(cfg.Region))
	case cfg.Timeout < 0:
		return wrong("Timeout", "the timeout %s is negative", cfg.Timeout)
	case cfg.MaxAttempts < 0 || cfg.MaxAttempts > maxAttempts:
		return wrong("MaxAttempts", "%d attempts: there can be 1 to %d", cfg.MaxAttempts, maxAttempts)
	case strings.ContainsFunc(cfg.UserAgent, unicode.IsControl):
		return wrong("UserAgent", "the user agent has control characters in it")
	}
	return nil
}

// checkSession checks for what the service would refuse.
func (cfg Config) checkSession() error {
	name, d := cfg.RoleSessionName, cfg.Duration
	switch {
	case d != 0 && (d < minDuration || d > maxDuration):
		return wrong("Duration", "a session lasts 900 to 43200 seconds, not %g", d.Seconds())
	case d%time.Second != 0:
		return wrong("Duration", "a session lasts whole seconds, not %g", d.Seconds())
	case name != "" && (len(name) < 2 || len(name) > 64):
		return wrong("RoleSessionName", "role session name %q has %d characters: it must have 2 to 64", brief(name), len(name))
	case !isSTSName(name):
		return wrong("RoleSessionName", "role session name %q has a character other than letters, digits and _+=,.@-", name)
	}
	return nil
}

// checkRegion refuses a region that cannot have the trust anchor.
func (cfg Config) checkRegion(anchor ARN) error {
	if cfg.Region == "" || cfg.Region == anchor.Region || cfg.Endpoint != "" {
		return nil
	}
	return wrong("Region", "region %s is given, but the trust anchor is in %s: sessions are made there", cfg.Region, anchor.Region)
}

func wrong(field, format string, args ...any) error {
	return &ConfigError{Field: field, Problem: fmt.Sprintf(format, args...)}
}
