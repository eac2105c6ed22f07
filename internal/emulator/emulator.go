package emulator

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/cloudtrail"
	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/rolesanywhere"
)

// Emulator has the emulated accounts and serves their API. It is safe for concurrent use.
type Emulator struct {
	config   Config
	log      logger
	sessions *store
	iam      *iam.Store // roles and users

	resources     *rolesanywhere.Store
	administrator User

	refusals refusals
	trail    *cloudtrail.File // nil: none

	mu     sync.RWMutex
	calls  []Call
	faults []Fault

	limiter limiter
	losses  losses
}

// Call is an answered request.
type Call struct {
	ID        string    `json:"id"` // the request id of the answer
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
	if err := c.Conditions.Validate(); err != nil {
		return nil, err
	}
	e := &Emulator{config: c, log: logger{w: c.Log}, limiter: limiter{perSecond: c.Conditions.RequestRate}, losses: c.Conditions.losses()}
	if err := e.openIAM(c); err != nil {
		return nil, err
	}
	var err error
	if e.resources, err = rolesanywhere.Open(c.StateDir); err != nil {
		return nil, err
	}
	e.resources.Authorize = e.authorizeResource
	if err := e.load(c); err != nil {
		return nil, err
	}
	if err := e.addAdministrator(c); err != nil {
		return nil, err
	}
	if e.sessions, err = openStore(c.StateDir); err != nil {
		return nil, err
	}
	e.resources.Report(e.logUnwritten)
	e.sessions.files.Report(e.logUnwritten)
	for _, f := range c.Faults {
		if err := e.Inject(f); err != nil {
			return nil, err
		}
	}
	if c.CloudTrail != "" {
		e.trail, err = cloudtrail.Open(c.CloudTrail)
	}
	return e, err
}

func (e *Emulator) load(c Config) error {
	for _, t := range c.TrustAnchors {
		if err := e.seedAnchor(t); err != nil {
			return err
		}
	}
	for _, p := range c.Profiles {
		err := p.validate()
		if err == nil {
			err = e.resources.SeedProfile(p.resource(), c.Now())
		}
		if err != nil {
			return err
		}
	}
	gone, err := e.resources.DropOthers()
	e.logGone(gone)
	return err
}

// logUnwritten logs a file of the state folder that could not be written after its request was answered.
func (e *Emulator) logUnwritten(err error) {
	e.log.entry(e.config.Now(), "error: "+err.Error()+"; it is kept in memory, and written as soon as another one can be")
}

// Flush writes what sessions have left to be written into the state folder. Call it before the process ends: what the
// control plane changed is there before its answer, sessions and subjects soon after theirs. It
// waits until ctx ends at most; the error has how many files were not written.
func (e *Emulator) Flush(ctx context.Context) error {
	return errors.Join(e.sessions.files.Flush(ctx), e.resources.Flush(ctx))
}

// TrustAnchorARN returns the ARN of the first trust anchor: that of the configuration, else the oldest one that a call has
// made, else the one that [Emulator.AddTrustAnchor] gives.
func (e *Emulator) TrustAnchorARN() string {
	if len(e.config.TrustAnchors) == 0 {
		return cmp.Or(e.resources.OldestTrustAnchor(), e.config.madeUpARN("trust-anchor", 0))
	}
	return e.config.TrustAnchors[0].ARN
}

// HasTrustAnchor reports whether there is a trust anchor with the ARN of [Emulator.TrustAnchorARN].
func (e *Emulator) HasTrustAnchor() bool { return e.resources.TrustAnchor(e.TrustAnchorARN()) != nil }

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

// record keeps a call, and returns it as it is kept: with long values abbreviated, as a client chooses them.
func (e *Emulator) record(c Call) Call {
	c.Operation, c.Message, c.Why = shorten(c.Operation), shorten(c.Message), shorten(c.Why)
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.calls) >= maxCalls {
		e.calls = slices.Delete(e.calls, 0, maxCalls/2)
	}
	e.calls = append(e.calls, c)
	return c
}
