package caserver

import (
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"kedge/ca/enroll"
	"kedge/internal/cadir"
	"kedge/internal/enrollapi"
	"kedge/internal/policyhook"
)

// NoURLError reports that there is no name by which hosts reach the server.
type NoURLError struct{ Address string }

func (e *NoURLError) Error() string {
	return fmt.Sprintf("the server listens on %s, and nothing says by which name hosts reach it", e.Address)
}

// terms returns the terms that follow from the configuration of a CA.
func (c Config) terms(settings *cadir.Settings, listeners []net.Listener) (*enroll.Terms, error) {
	t := &enroll.Terms{Policies: map[string]enroll.Policy{}, Issuer: c.Issuer, Limits: limitsOf(settings.Server.Limits), EST: estOf(settings.Server.EST)}
	proxies, err := settings.Server.Proxies()
	if err != nil {
		return nil, err
	}
	t.Proxies = enroll.Proxies(proxies)
	known, err := c.Folder.Places()
	if err != nil {
		return nil, err
	}
	if t.AWS, err = hostAWS(known, settings); err != nil {
		return nil, fmt.Errorf("%s: %w", c.Folder.AWSPath(), err)
	}
	if settings.Server.AWS.TrustAnchorARN == "" {
		c.warnRoles(known)
	}
	for _, name := range profileNames(settings) {
		policy, err := policyOf(settings, name)
		if err != nil {
			return nil, err
		}
		t.Policies[policy.Profile.Name()] = policy
	}
	if standard, err := settings.Profile(""); err == nil { // there need not be a default one
		t.Default = standard.Name()
	}
	text := c.url(settings)
	if text == "" {
		t.Names, err = addressesOf(listeners)
		return t, err
	}
	u, err := url.Parse(text)
	if err != nil {
		return nil, err
	}
	t.Names, t.Prefix = []string{strings.TrimSuffix(u.Hostname(), ".")}, strings.TrimSuffix(u.Path, "/")
	return t, nil
}

// warnRoles logs which roles hosts do not get, and why.
func (c Config) warnRoles(known *cadir.Places) {
	if untried := known.Untried(); len(untried) > 0 {
		c.Log.Warn("hosts get no role from here of which no session was made yet", "roles", untried, "hint", "kedge-ca aws up tries it; then reload kedge-ca serve")
	}
	if unknown := known.Hostless(); len(unknown) > 0 {
		c.Log.Warn("there are several roles, and hosts get none from here whose hosts aws.yaml does not have", "roles", unknown, "hint", "run kedge-ca aws up again as each was built; then reload kedge-ca serve")
	}
}

// url returns the URL by which hosts reach the server; it is empty if none is given.
func (c Config) url(settings *cadir.Settings) string {
	if c.URL != "" {
		return c.URL
	}
	return settings.Server.URL
}

// profileNames returns the profiles of the configuration, or that of a CA without one.
func profileNames(settings *cadir.Settings) []string {
	if len(settings.Profiles) == 0 {
		return []string{""}
	}
	return slices.Sorted(maps.Keys(settings.Profiles))
}

func policyOf(settings *cadir.Settings, name string) (enroll.Policy, error) {
	profile, err := settings.Profile(name)
	if err != nil {
		return enroll.Policy{}, err
	}
	e, err := settings.Enrollment(name)
	if err != nil {
		return enroll.Policy{}, err
	}
	policy := enroll.Policy{Profile: profile, Proofs: e.Proofs, Domains: e.Domains, Grace: e.Grace, HardwareGrace: e.HardwareGrace, Recoveries: e.Recoveries, Wait: e.Wait}
	if len(e.Hook.Command) == 0 {
		return policy, nil
	}
	hook, err := policyhook.New(e.Hook.Command, time.Duration(e.Hook.Timeout))
	if err != nil {
		return enroll.Policy{}, fmt.Errorf("profile %q: the policy hook: %w", profile.Name(), err)
	}
	policy.Hook = hook.Ask
	return policy, nil
}

func awsOf(a cadir.AWSSettings) *enrollapi.AWS {
	if a.TrustAnchorARN == "" {
		return nil
	}
	return &enrollapi.AWS{TrustAnchorARN: a.TrustAnchorARN, ProfileARN: a.ProfileARN, RoleARN: a.RoleARN, Region: a.Region}
}

// estOf returns the labels of EST; none if it is not enabled.
func estOf(c cadir.ESTSettings) map[string]enroll.ESTLabel {
	if !c.Enabled {
		return nil
	}
	all := map[string]enroll.ESTLabel{"": {}}
	for label, one := range c.Labels {
		all[label] = enroll.ESTLabel(one)
	}
	return all
}

func limitsOf(c cadir.LimitSettings) enroll.Limits {
	rate := func(r cadir.RequestRate, burst int) enroll.Rate {
		if r.None {
			return enroll.Rate{}
		}
		return enroll.Rate{PerSecond: r.PerSecond(), Burst: burst}
	}
	return enroll.Limits{Address: rate(c.Address, c.AddressBurst), Host: rate(c.Host, c.HostBurst), AtOnce: c.AtOnce, Connections: c.Connections}
}

// addressesOf returns the addresses of listeners, which are the server's names if it has no URL.
func addressesOf(listeners []net.Listener) ([]string, error) {
	var names []string
	for _, l := range listeners {
		tcp, ok := l.Addr().(*net.TCPAddr)
		if !ok || tcp.IP.IsUnspecified() {
			return nil, &NoURLError{l.Addr().String()}
		}
		if ip := tcp.IP.String(); !slices.Contains(names, ip) {
			names = append(names, ip)
		}
	}
	return names, nil
}
