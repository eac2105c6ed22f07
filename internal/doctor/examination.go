package doctor

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"
	"sync"
	"time"

	"kedge/internal/config"
	"kedge/internal/enrollclient"
	"kedge/internal/role"
)

// Options specify what is examined.
type Options struct {
	Configuration Configuration
	Settings      role.Settings // of the role, as far as they could be read
	Environment   config.Environment
	Host          role.Host               // as the commands have it
	Server        enrollclient.Connection // how enrollment servers are reached
	Cache         config.Cache
	Advise        Adviser
	Limits        Limits
	Version       string
	Root          string // of the file system in which units of systemd are looked for; empty: /
}

// Limits bound what a check waits for. A zero field means the default; none goes beyond what is left of Total.
type Limits struct {
	Service time.Duration // the first answer of the service
	Session time.Duration // CreateSession, with the roles assumed from there
	STS     time.Duration // GetCallerIdentity
	Local   time.Duration // an endpoint on this machine, and the enrollment server
	Key     time.Duration // hardware
	Total   time.Duration // all of it, without what a person takes to type a password
}

func (l Limits) withDefaults() Limits {
	for _, limit := range []struct {
		field *time.Duration
		value time.Duration
	}{
		{&l.Service, 3 * time.Second}, {&l.Session, 4 * time.Second}, {&l.STS, 2 * time.Second}, {&l.Local, 2 * time.Second}, {&l.Key, 4 * time.Second}, {&l.Total, 9500 * time.Millisecond},
	} {
		if *limit.field == 0 {
			*limit.field = limit.value
		}
	}
	return l
}

// Examination is what the checks of one host have in common. It is used once, by one goroutine.
type Examination struct {
	Options
	role    *role.Config // of settings that can be used; nil: none
	leaf    *x509.Certificate
	pair    opened
	service service
	session created
	host    enrolled
	refusal *Refusal
	time    timeBudget
	ready   func() error    // of the enrollment server; asked meanwhile
	serving func() endpoint // what the endpoint on this machine answers; asked meanwhile
}

// New makes an examination. Nothing is looked at before Run.
func New(o Options) *Examination {
	o.Limits = o.Limits.withDefaults()
	e := &Examination{}
	o.Host.Ask = askOnce(e.time.asking(o.Host.Ask))
	o.Host.SpareLast = true
	o.Host.Before = nil // the pair in use is examined, not the one before it
	o.Host.Warn, o.Host.Skewed = func(string) {}, func(time.Duration) {}
	e.Options = o
	return e
}

// Run runs the checks of this package, then more, and returns the report. It returns within ten seconds, unless
// a person is asked for a password.
func (e *Examination) Run(ctx context.Context, more ...Check) *Report {
	e.time.begin(e.Limits.Total)
	ctx, cancel := e.time.limit(ctx, e.Limits.Total)
	defer cancel()
	defer e.close()
	e.host = e.lookEnrolled()
	e.ready = background(func() error { return e.askReady(ctx) })
	e.serving = background(func() endpoint { return e.askEndpoint(ctx) })
	results := Run(ctx, append(e.Checks(), more...))
	return NewReport(e.Version, e.Host.Now(), e.subject(), results)
}

// step is a check of this package: a line of a table.
type step struct {
	id, title string
	needs     string // the IDs of other checks, with spaces between
	run       func(e *Examination, ctx context.Context) *Finding
}

// Checks returns the checks of this package, in the order in which they are to be run.
func (e *Examination) Checks() []Check {
	steps := slices.Concat(settingsSteps(), fileSteps(), keySteps(), certificateSteps(), networkSteps(), sessionSteps(), cacheSteps(), serveSteps(), enrollmentSteps())
	checks := make([]Check, len(steps))
	for i, s := range steps {
		checks[i] = Check{ID: s.id, Title: s.title, Needs: strings.Fields(s.needs), Run: func(ctx context.Context) *Finding { return s.run(e, ctx) }}
	}
	return checks
}

// within ends a context after a time, or when the time for all is over.
func (e *Examination) within(ctx context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, min(limit, e.time.left()))
}

// closing is how long hardware may take to let go of the key when there is no time left.
const closing = 300 * time.Millisecond

// close lets go of the key. Hardware that does not answer is left.
func (e *Examination) close() {
	if e.pair.role == nil {
		return
	}
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		e.pair.role.Close()
	}()
	select {
	case <-closed:
	case <-time.After(max(0, e.time.left()) + closing):
	}
}

// subject is what is known when all checks have run.
func (e *Examination) subject() Subject {
	s := &e.Settings
	subject := Subject{
		Configuration: e.Configuration.File, Profile: e.Configuration.Profile,
		TrustAnchorARN: s.TrustAnchor, ProfileARN: s.Profile, RoleARN: s.Role, Refusal: e.refusal,
	}
	if e.service.way != nil {
		subject.Region, subject.Endpoint = e.service.way.Region(), e.service.way.Endpoint()
	}
	if e.leaf != nil {
		subject.Certificate = present(e.leaf)
	}
	return subject
}

// askOnce remembers what a person answered: the same password may be needed twice.
func askOnce(ask func(prompt string) ([]byte, error)) func(string) ([]byte, error) {
	if ask == nil {
		return nil
	}
	type answer struct {
		text []byte
		err  error
	}
	var mu sync.Mutex
	answers := map[string]answer{}
	return func(prompt string) ([]byte, error) {
		mu.Lock()
		defer mu.Unlock()
		a, found := answers[prompt]
		if !found {
			a.text, a.err = ask(prompt)
			answers[prompt] = a
		}
		return slices.Clone(a.text), a.err
	}
}

// background starts a look that takes time, and returns what waits for its result, as often as it is called.
func background[T any](look func() T) func() T {
	done := make(chan T, 1)
	go func() { done <- look() }()
	return sync.OnceValue(func() T { return <-done })
}
