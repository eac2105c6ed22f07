package emulator

import (
	"cmp"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"kedge/internal/emulator/arn"
)

// Emulator has the emulated accounts and serves their API. It is safe for concurrent use.
type Emulator struct {
	config   Config
	log      logger
	sessions *store

	mu       sync.RWMutex
	anchors  map[string]*anchor
	profiles map[string]Profile
	roles    map[string]Role
	users    map[string]User // by access key id
	calls    []Call
	faults   []Fault
}

// Call is an answered request.
type Call struct {
	Time      time.Time `json:"time"`
	Operation string    `json:"operation"` // CreateSession, GetCallerIdentity, …, or the path
	Status    int       `json:"status"`    // 0 if a fault answered
	Code      string    `json:"code,omitzero"`
	Message   string    `json:"message,omitzero"`
	Why       string    `json:"why,omitzero"` // the reason, which the client was not told
}

// maxCalls bounds the memory of a long run; the oldest calls are dropped.
const maxCalls = 10_000

// New checks the configuration, as the services would, and reads the state folder if there is one.
// The error names the ARN at fault.
func New(c Config) (*Emulator, error) {
	c = c.withDefaults()
	if err := cmp.Or(CheckRegion(c.Region), CheckAccount(c.Account)); err != nil {
		return nil, err
	}
	e := &Emulator{
		config: c, log: logger{w: c.Log},
		anchors: map[string]*anchor{}, profiles: map[string]Profile{}, roles: map[string]Role{}, users: map[string]User{},
	}
	if err := e.load(c); err != nil {
		return nil, err
	}
	var err error
	e.sessions, err = openStore(c.StateDir)
	return e, err
}

func (e *Emulator) load(c Config) error {
	for _, role := range c.Roles {
		err := cmp.Or(role.validate(), role.parseTrust())
		if err := put(e.roles, role.ARN, role, err); err != nil {
			return err
		}
	}
	for _, t := range c.TrustAnchors {
		a, err := newAnchor(t)
		if err == nil {
			err = e.anchorAliasFree(a)
		}
		if err := put(e.anchors, t.ARN, a, err); err != nil {
			return err
		}
	}
	for _, p := range c.Profiles {
		err := p.validate()
		if err == nil {
			err = e.profileAliasFree(p)
		}
		if err := put(e.profiles, p.ARN, p, err); err != nil {
			return err
		}
	}
	for _, u := range c.Users {
		if err := put(e.users, u.AccessKeyID, u, u.validate()); err != nil {
			return err
		}
	}
	return nil
}

func put[V any](m map[string]V, key string, value V, err error) error {
	if err != nil {
		return err
	}
	if _, twice := m[key]; twice {
		return fmt.Errorf("%s is configured twice", key)
	}
	m[key] = value
	return nil
}

// AddTrustAnchor adds a trust anchor, or replaces the one with the same ARN, with the checks of
// CreateTrustAnchor. It returns the ARN, which is generated if t has none.
func (e *Emulator) AddTrustAnchor(t TrustAnchor) (string, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for i := 0; t.ARN == ""; i++ {
		if name := e.config.madeUpARN("trust-anchor", i); e.anchors[name] == nil {
			t.ARN = name
		}
	}
	a, err := newAnchor(t)
	if err == nil {
		err = e.anchorAliasFree(a)
	}
	if err != nil {
		return "", err
	}
	e.anchors[t.ARN] = a
	return t.ARN, nil
}

// PutProfile adds a profile, or replaces the one with the same ARN.
func (e *Emulator) PutProfile(p Profile) error {
	p = e.config.profileDefaults(p, 0)
	if err := p.validate(); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err := e.profileAliasFree(p); err != nil {
		return err
	}
	e.profiles[p.ARN] = p
	return nil
}

// PutRole adds a role, or replaces the one with the same ARN. A profile must list it.
func (e *Emulator) PutRole(r Role) error {
	r = e.config.roleDefaults(r, 0)
	if err := cmp.Or(r.validate(), r.parseTrust()); err != nil {
		return err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.roles[r.ARN] = r
	return nil
}

// ImportCRL adds a CRL, PEM or DER, to a trust anchor: at most 300,000 bytes as uploaded, two per
// anchor, signed by the anchor's own CA (guide, "revocation"). It applies to sessions that are
// created from now on. Without an ARN it is added to each anchor whose CA signed it. It returns the
// ARNs of the anchors to which it was added, also with an error.
func (e *Emulator) ImportCRL(anchorARN string, data []byte) ([]string, error) {
	list, err := parseCRL(data)
	if err != nil {
		return nil, err
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	targets := []string{anchorARN}
	if anchorARN == "" {
		if targets = e.signersOf(list); len(targets) == 0 {
			return nil, errors.New("the CRL is not signed by the CA of a trust anchor")
		}
	}
	for i, name := range targets {
		a := e.anchors[name]
		if a == nil {
			return nil, fmt.Errorf("there is no trust anchor %s", name)
		}
		if err := a.importCRL(list); err != nil {
			return targets[:i], fmt.Errorf("trust anchor %s: %w", name, err)
		}
	}
	return targets, nil
}

// signersOf returns the ARNs of the trust anchors whose CA signed the CRL.
func (e *Emulator) signersOf(list *x509.RevocationList) []string {
	var names []string
	for _, name := range slices.Sorted(maps.Keys(e.anchors)) {
		if _, err := e.anchors[name].crlIssuer(list); err == nil {
			names = append(names, name)
		}
	}
	return names
}

// TrustAnchorARN returns the ARN of the first trust anchor, or the one that it will get.
func (e *Emulator) TrustAnchorARN() string {
	if len(e.config.TrustAnchors) == 0 {
		return e.config.madeUpARN("trust-anchor", 0)
	}
	return e.config.TrustAnchors[0].ARN
}

// ProfileARN returns the ARN of the first profile.
func (e *Emulator) ProfileARN() string { return e.config.Profiles[0].ARN }

// RoleARN returns the ARN of the first role.
func (e *Emulator) RoleARN() string { return e.config.Roles[0].ARN }

// Region returns the region of the first trust anchor, for which clients sign.
func (e *Emulator) Region() string {
	a, _ := arn.Parse(e.TrustAnchorARN(), rolesService, "trust-anchor") // validated by New
	return a.Region
}

// Sessions returns the issued sessions that have not been dropped, the oldest first.
func (e *Emulator) Sessions() []Session { return e.sessions.all() }

// Calls returns the answered requests, the oldest first; of a long run, only the last ones.
func (e *Emulator) Calls() []Call {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return slices.Clone(e.calls)
}

func (e *Emulator) record(c Call) {
	c.Operation, c.Message, c.Why = shorten(c.Operation), shorten(c.Message), shorten(c.Why)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.calls) >= maxCalls {
		e.calls = slices.Delete(e.calls, 0, maxCalls/2)
	}
	e.calls = append(e.calls, c)
}

func (e *Emulator) servesRegion(region string) bool {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, a := range e.anchors {
		if a.arn.Region == region {
			return true
		}
	}
	return false
}
