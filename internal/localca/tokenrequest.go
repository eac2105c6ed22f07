package localca

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// TokenRequest specifies which tokens are requested, as a user writes it. Terms checks it.
type TokenRequest struct {
	Names    []string // or patterns, see TokenFor; none: those of a list
	Profile  string   // of hosts that have none; empty: the default one
	URL      string
	Uses     int
	Lifetime time.Duration
	// ByDefault is set if nobody has chosen the lifetime.
	ByDefault bool
	Networks  []string
	ForKey    string
	Replace   bool
	Why       string
}

// DefaultTokenLifetime is the lifetime of a token for one host.
const DefaultTokenLifetime = time.Hour

const (
	maxTokenLifetime = 366 * 24 * time.Hour
	maxTokenUses     = 100_000
)

// Terms checks what needs neither the ledger nor the configuration. Errors name the flags of
// kedge-ca token.
func (r TokenRequest) Terms() (TokenTerms, error) {
	t := TokenTerms{Profile: r.Profile, URL: r.URL, Uses: r.Uses, Lifetime: r.Lifetime, Replace: r.Replace, Why: r.Why}
	err := r.checkUses()
	if err == nil {
		err = r.checkPatterns()
	}
	if err != nil {
		return t, err
	}
	if r.URL != "" {
		if err := enrollapi.CheckURL(r.URL); err != nil {
			return t, fmt.Errorf("--url: %w", err)
		}
	}
	if t.Networks, err = parseNetworks(r.Networks); err != nil {
		return t, fmt.Errorf("--network: %w", err)
	}
	if r.ForKey != "" {
		if t.ForKey, err = ParseKeyHash(r.ForKey); err != nil {
			return t, fmt.Errorf("--for-key: %w", err)
		}
	}
	return t, nil
}

// checkUses checks how often, how long and for what a token can be used.
func (r TokenRequest) checkUses() error {
	one := len(r.Names) == 1 && r.Uses == 1
	switch {
	case r.Uses < 1 || r.Uses > maxTokenUses:
		return fmt.Errorf("--uses: %d is not between 1 and %d", r.Uses, maxTokenUses)
	case r.Lifetime <= 0 || r.Lifetime > maxTokenLifetime:
		return fmt.Errorf("--ttl: %v is not a time up to %v", ca.Duration(r.Lifetime), ca.Duration(maxTokenLifetime))
	case r.Uses > 1 && r.ByDefault:
		return errors.New("--uses: a token for several hosts needs --ttl")
	case r.Replace && !one:
		return errors.New("--replace: is for one name and one use")
	case r.ForKey != "" && !one:
		return errors.New("--for-key: is for one name and one use")
	}
	return nil
}

// checkPatterns checks which names may, and must, be patterns.
func (r TokenRequest) checkPatterns() error {
	if len(r.Names) == 0 && r.Uses > 1 {
		return errors.New("--uses: the names in a list are for one host each")
	}
	for _, name := range r.Names {
		host := TokenFor{Name: name}
		if err := host.CheckPattern(); err != nil {
			return err
		}
		switch pattern := host.IsPattern(); {
		case r.Uses > 1 && !pattern:
			return fmt.Errorf("--uses: several hosts cannot have one name, %q; give a pattern, such as 'web-*'", name)
		case r.Replace && pattern:
			return fmt.Errorf("--replace: %q is a pattern, for names that no certificate has had", name)
		}
	}
	return nil
}

func parseNetworks(texts []string) (all []netip.Prefix, err error) {
	for _, text := range texts {
		network, err := ParseNetwork(text)
		if err != nil {
			return nil, err
		}
		all = append(all, network)
	}
	return all, nil
}
