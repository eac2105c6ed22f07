package cadir

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"kedge/ca"
)

// ProfileSettings are a profile: what is issued, and how hosts get it.
type ProfileSettings struct {
	ca.ProfileConfig `yaml:",inline"`
	// Enroll specifies how hosts get certificates of the profile from kedge-ca serve.
	Enroll EnrollSettings `yaml:"enroll"`
}

// EnrollSettings say how hosts get certificates of a profile over the network.
type EnrollSettings struct {
	// Proofs are the ways to prove who a host is: token, made by the operator; approval, by the
	// operator, of a request that a host has sent; and renewal, the key of the certificate that it
	// has. Default: token and renewal; an empty list is none.
	Proofs []string `yaml:"proofs"`
	// Hook is a program that may refuse or shorten what the profile allows. Default: that of server.
	Hook HookSettings `yaml:"hook"`
	// Domains are those in which the DNS names of a host may be: the host web-01 gets web-01.DOMAIN
	// for each, if san.dns of the profile allows that, besides web-01. Default: none.
	Domains []string `yaml:"domains"`
	// Grace is how long after its end a certificate can be renewed. Default: 7d.
	Grace ca.Duration `yaml:"grace"`
	// HardwareGrace is Grace for keys in a TPM or token. Default: 90d, or grace if that is more.
	HardwareGrace ca.Duration `yaml:"hardware_grace"`
	// Recoveries is how many times one host can renew an expired certificate; 0: never.
	// Default: 100.
	Recoveries *Recoveries `yaml:"recoveries"`
	// Wait is how long a request waits for approval. Default: 24h.
	Wait ca.Duration `yaml:"wait"`
}

// Recoveries is a number of renewals of expired certificates.
type Recoveries int

// UnmarshalYAML refuses what is not a whole number: the library takes 1.5 for 1.
func (r *Recoveries) UnmarshalYAML(n *yaml.Node) error {
	if n.ShortTag() != "!!int" {
		return &yaml.TypeError{Errors: []string{fmt.Sprintf("line %d: cannot unmarshal %s `%s` into int", n.Line, n.ShortTag(), n.Value)}}
	}
	return n.Decode((*int)(r))
}

const (
	defaultGrace         = 7 * 24 * time.Hour
	defaultHardwareGrace = 90 * 24 * time.Hour
	defaultRecoveries    = 100
	defaultWait          = 24 * time.Hour
	maxWait              = 30 * 24 * time.Hour
)

// Enrollment is how hosts get certificates of a profile, with each default filled in.
type Enrollment struct {
	Proofs               []string
	Domains              []string      // of the DNS names of hosts
	Hook                 HookSettings  // no command: none
	Grace, HardwareGrace time.Duration // after the end of a certificate that is renewed; 0: none
	Recoveries           int           // renewals after the end, for one host; 0: none
	Wait                 time.Duration // of a request for approval
}

// Allows reports whether a proof is accepted.
func (e Enrollment) Allows(proof string) bool { return slices.Contains(e.Proofs, proof) }

// Enrollment returns how hosts get certificates of a profile, the default one when the name is
// empty. Errors are those of Profile.
func (s *Settings) Enrollment(profile string) (Enrollment, error) {
	p, err := s.Profile(profile)
	if err != nil {
		return Enrollment{}, err
	}
	c := s.Profiles[p.Name()].Enroll.complete() // the zero value for the built-in profile
	e := Enrollment{Proofs: c.Proofs, Domains: c.Domains, Grace: time.Duration(c.Grace), HardwareGrace: time.Duration(c.HardwareGrace), Recoveries: int(*c.Recoveries)}
	if e.Hook = c.Hook; len(e.Hook.Command) == 0 {
		e.Hook = s.Server.Hook.complete()
	}
	if e.Recoveries == 0 {
		e.Grace, e.HardwareGrace = 0, 0
	}
	e.Wait = time.Duration(c.Wait)
	return e, nil
}

// check refuses values that make no sense.
func (c EnrollSettings) check() error {
	for i, proof := range c.Proofs {
		if known := []string{ca.ProofToken, ca.ProofApproval, ca.ProofRenewal}; !slices.Contains(known, proof) {
			return fmt.Errorf("proofs: %q is none of %s", proof, strings.Join(known, ", "))
		}
		if slices.Contains(c.Proofs[:i], proof) {
			return fmt.Errorf("proofs: %q is listed twice", proof)
		}
	}
	for _, domain := range c.Domains {
		if !isDomain(domain) {
			return fmt.Errorf("domains: %q is not the name of a domain, such as example.com", domain)
		}
	}
	if err := c.Hook.check(); err != nil {
		return err
	}
	switch full := c.complete(); {
	case c.Grace < 0:
		return fmt.Errorf("grace: %v must be positive; recoveries: 0 forbids renewal after the end", c.Grace)
	case full.HardwareGrace < full.Grace:
		return fmt.Errorf("hardware_grace: %v is less than grace, %v", full.HardwareGrace, full.Grace)
	case c.Wait < 0 || time.Duration(c.Wait) > maxWait:
		return fmt.Errorf("wait: %v is not a time up to %v", c.Wait, ca.Duration(maxWait))
	case *full.Recoveries < 0:
		return fmt.Errorf("recoveries: %d is negative; 0 forbids renewal after the end", *full.Recoveries)
	}
	return nil
}

// isDomain reports whether a text is a DNS name without a wildcard or a dot at either end.
func isDomain(text string) bool {
	return len(text) <= 253 && regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*$`).MatchString(text)
}

// complete returns the settings with each default written out.
func (c EnrollSettings) complete() EnrollSettings {
	if c.Proofs == nil {
		c.Proofs = []string{ca.ProofToken, ca.ProofRenewal}
	}
	if c.Domains == nil {
		c.Domains = []string{}
	}
	c.Hook = c.Hook.complete()
	if c.Grace == 0 {
		c.Grace = ca.Duration(defaultGrace)
	}
	if c.HardwareGrace == 0 {
		c.HardwareGrace = max(ca.Duration(defaultHardwareGrace), c.Grace)
	}
	if c.Wait == 0 {
		c.Wait = ca.Duration(defaultWait)
	}
	if c.Recoveries == nil {
		c.Recoveries = new(Recoveries(defaultRecoveries))
	}
	return c
}
