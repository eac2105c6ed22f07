package localca

import (
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/keys"
	"kedge/internal/pkcs8"
)

// Probe is a key in memory, with a certificate as a host of a role gets it, and those of its issuers.
type Probe struct {
	Name  string // of the host
	Key   crypto.Signer
	Chain []*x509.Certificate
}

// NoProbeError reports that no profile gives a certificate by which a host would get a role.
type NoProbeError struct {
	Role string
	Err  error // the last refusal; may be nil
}

func (e *NoProbeError) Error() string {
	text := "no profile gives a certificate by which a host gets the role " + e.Role
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the last refusal.
func (e *NoProbeError) Unwrap() error { return e.Err }

// Probe issues a certificate for a session that a host of a role would get. It has a name and a URI that the role and a
// profile allow, and is of kind ledger.Probe. If there is none, the error is a *NoProbeError.
func (c *CA) Probe(ctx context.Context, name string, role cadir.RoleSettings) (*Probe, error) {
	authority := probeAuthority(role)
	issuer, err := c.Issuer(ctx, authority)
	if err != nil {
		return nil, err
	}
	path, err := c.Service.Issuing(ctx, authority)
	if err != nil {
		return nil, err
	}
	none := &NoProbeError{Role: name}
	for _, request := range c.probeRequests(role) {
		request.Why = "a probe of the role " + name
		p, err := c.probe(ctx, issuer, request)
		if err == nil {
			p.Chain = append(p.Chain, certificatesOf(path)...)
			return p, nil
		}
		if !isRefusal(err) {
			return nil, err
		}
		none.Err = err
	}
	return nil, none
}

// OpenProbes opens the keys by which Probe certifies for roles: what is wrong with them shows before anything is done.
func (c *CA) OpenProbes(ctx context.Context, roles map[string]cadir.RoleSettings) error {
	for _, role := range roles {
		if _, err := c.Issuer(ctx, probeAuthority(role)); err != nil {
			return err
		}
	}
	return nil
}

// probeAuthority returns the authority that certifies for a role; empty: the one that issues.
func probeAuthority(role cadir.RoleSettings) string {
	if len(role.Issuers) > 0 {
		return role.Issuers[0]
	}
	return ""
}

// isRefusal reports whether another name or profile may be granted.
func isRefusal(err error) bool {
	return is[*ca.ProfileError](err) || is[*ca.NameError](err) || is[*ca.LintError](err) || is[*ca.SubjectError](err) || is[*ledger.DeniedError](err) || is[*ledger.ReservedNameError](err)
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}

func certificatesOf(path []ledger.Authority) (all []*x509.Certificate) {
	for _, a := range path {
		all = append(all, a.Certificate)
	}
	return all
}

// probeRequest is a request for the certificate of a probe, and the profile for it.
type probeRequest struct {
	ca.Request
	profile *ca.Profile
}

// probeRequests returns requests that fit a role: those with the first name or pattern of each list that is not empty.
func (c *CA) probeRequests(role cadir.RoleSettings) (all []probeRequest) {
	configs := c.Settings.ProfileConfigs()
	names := slices.Sorted(maps.Keys(configs))
	if len(names) == 0 {
		names = []string{""}
	}
	for _, name := range names {
		profile, err := c.Settings.Profile(name)
		if err != nil || len(role.Units) > 0 && !slices.ContainsFunc(role.Units, func(unit string) bool { return ca.MatchName(unit, configs[name].Subject.OrganizationalUnit) }) {
			continue
		}
		for _, host := range probeNames(role, profile, configs[name]) {
			r := probeRequest{ca.Request{Name: host}, profile}
			if len(role.SANURIs) > 0 {
				u, err := url.Parse(filled(role.SANURIs[0]))
				if err != nil {
					continue
				}
				r.URIs = []*url.URL{u}
			}
			all = append(all, r)
		}
	}
	return all
}

// probeNames returns names for which a profile could give a certificate whose common name a role has.
func probeNames(role cadir.RoleSettings, profile *ca.Profile, config ca.ProfileConfig) (names []string) {
	for _, common := range role.Names {
		if name := profile.NameOf(filled(common)); name != "" {
			names = append(names, name)
		}
	}
	if len(role.Names) > 0 {
		return names
	}
	for _, pattern := range config.Names {
		names = append(names, filled(pattern))
	}
	return append(names, filled("**"))
}

// filled returns a name that a pattern matches.
func filled(pattern string) string {
	return strings.NewReplacer("**", "probe", "*", "probe", "?", "0").Replace(pattern)
}

// probe makes a key and has the certificate for it issued.
func (c *CA) probe(ctx context.Context, issuer *issuance.Issuer, r probeRequest) (*Probe, error) {
	kind := "P-256"
	if types := r.profile.KeyTypes(); len(types) > 0 && !slices.Contains(types, kind) {
		kind = types[0]
	}
	parsed, err := keys.ParseKind(kind)
	if err != nil {
		return nil, err
	}
	key, der, err := parsed.Generate(pkcs8.FormSeed)
	if err != nil {
		return nil, fmt.Errorf("make a key of type %s: %w", kind, err)
	}
	clear(der) // the key is needed in memory alone
	r.Public = key.Public()
	cert, err := issuer.Probe(ctx, r.profile, r.Request)
	if err != nil {
		return nil, err
	}
	return &Probe{Name: r.Name, Key: key, Chain: []*x509.Certificate{cert}}, nil
}
