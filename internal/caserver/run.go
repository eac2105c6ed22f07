package caserver

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"kedge/ca/enroll"
	"kedge/internal/cadir"
	"kedge/internal/config"
	"kedge/internal/httpserver"
	"kedge/internal/localca"
	"kedge/internal/metrics"
	"kedge/internal/systemd"
)

// Config specifies how a CA is served.
type Config struct {
	CA      *localca.CA    // open to be changed; the caller closes it after Run
	Folder  cadir.Folder   // of the CA
	Listen  []string       // addresses for hosts, see CheckAddress
	Plain   []string       // addresses for lists and certificates without TLS
	Metrics []string       // addresses for health checks and Prometheus
	URL     string         // by which hosts reach the server; empty: that of kedge-ca.yaml
	Issuer  string         // the authority that issues; empty: the ledger's issuing one
	Drain   time.Duration  // how long requests may take to end after ctx has ended
	Systemd config.Service // what systemd passed
	Version string         // of the program
	Now     func() time.Time
	Log     *slog.Logger
	// Serving is called when all that may ask for a password has asked; from then on a prompt would
	// keep every host waiting.
	Serving func()
	// Advise returns what to do about an error, for the log.
	Advise func(error) string
	// KeyMetrics writes what is measured of the keys of the CA. nil: nothing is.
	KeyMetrics func(*metrics.Page)
}

// certificateCheck is the interval at which the server's certificate is checked.
const certificateCheck = time.Minute

// daemon is a server that runs.
type daemon struct {
	Config
	sockets sockets
	server  *enroll.Server
	systemd systemd.Notifier
	memory  memory

	settings atomic.Pointer[cadir.Settings]
	limited  *httpserver.RateLimited
	toPush   signal // a list was made
}

// Run serves until ctx ends, and reads the configuration again at every hangup. Before it listens
// it opens the key of the CA, which may ask for a password. Errors are *ListenError, *NoURLError
// and those of localca.CA.Issuer and enroll.Server.RenewCertificate.
func Run[T any](ctx context.Context, c Config, hangup <-chan T) error {
	d := &daemon{Config: c, systemd: systemd.Notifier{Socket: c.Systemd.NotifySocket}, limited: httpserver.NewRateLimited(c.Log), toPush: newSignal()}
	d.settings.Store(c.CA.Settings)
	d.memory = newMemory(besidePages)
	if c.CA.Ledger.IsRemote() {
		d.memory = newMemory(besideServer)
		collectLess()
	}
	if _, err := c.CA.Issuer(ctx, c.Issuer); err != nil {
		return err
	}
	if err := c.CA.Service.CheckCompared(ctx); err != nil {
		return err
	}
	var err error
	if d.sockets, err = c.open(ctx); err != nil {
		return err
	}
	defer d.sockets.close()
	terms, err := c.terms(c.CA.Settings, d.sockets.hosts)
	if err != nil {
		return err
	}
	d.memory.limit(terms.Limits.Connections)
	d.server, err = enroll.New(enroll.Config{Service: c.CA.Service, Terms: terms, Now: c.Now, Log: c.Log, Version: c.Version, KeyMetrics: c.KeyMetrics})
	if err != nil {
		return err
	}
	if err := d.server.RenewCertificate(ctx); err != nil {
		return err
	}
	if c.Serving != nil {
		c.Serving()
	}
	return run(ctx, d, hangup)
}

func run[T any](ctx context.Context, d *daemon, hangup <-chan T) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	ended, running := d.serve(ctx)
	wait := d.background(ctx)
	d.Log.Info("serving", "addresses", addresses(d.sockets.hosts), "http", addresses(d.sockets.plain), "metrics", addresses(d.sockets.metrics))
	if warning := portWarning(d.url(d.CA.Settings), d.sockets.hosts); warning != "" {
		d.Log.Warn(warning)
	}
	d.report(d.systemd.Ready("serving hosts"))
	go d.systemd.Watch(ctx, d.Systemd.Watchdog, d.server.Alive, httpserver.NewRateLimited(d.Log).Warn)
	var failed error
	for ctx.Err() == nil {
		select {
		case <-hangup:
			d.reload(ctx)
		case failed = <-ended:
			running--
			stop(failed)
		case <-ctx.Done():
		}
	}
	d.report(d.systemd.Stopping())
	d.Log.Info("stopping", "cause", context.Cause(ctx).Error())
	for range running {
		failed = errors.Join(failed, <-ended)
	}
	wait()
	d.server.KeepContacts(ctx, nil) // of the requests that ended last
	return failed
}

// serve starts the listeners. Each sends its error when it has ended.
func (d *daemon) serve(ctx context.Context) (ended chan error, running int) {
	ended = make(chan error, 3)
	start := func(serve func(context.Context, time.Duration, ...net.Listener) error, listeners []net.Listener) {
		if len(listeners) > 0 {
			running++
			go func() { ended <- serve(ctx, d.Drain, listeners...) }()
		}
	}
	start(d.server.Serve, d.sockets.hosts)
	start(d.server.ServePlain, d.sockets.plain)
	start(d.server.ServeMonitor, d.sockets.metrics)
	return ended, running
}

// reload reads the configuration again. If something is wrong with it, all goes on as before.
func (d *daemon) reload(ctx context.Context) {
	d.report(d.systemd.Reloading())
	defer func() { d.report(d.systemd.Ready("serving hosts")) }()
	if err := d.changeTerms(); err != nil {
		d.complain("not reloaded; all goes on as before", err)
		return
	}
	if err := d.server.RenewCertificate(ctx); err != nil {
		d.complain("reloaded; the certificate of the server is as before", err)
		return
	}
	d.Log.Info("reloaded")
}

func (d *daemon) changeTerms() error {
	settings, err := d.Folder.Settings()
	if err != nil {
		return err
	}
	terms, err := d.terms(settings, d.sockets.hosts)
	if err != nil {
		return err
	}
	d.server.SetTerms(terms)
	d.memory.limit(terms.Limits.Connections)
	d.settings.Store(settings)
	d.CA.Service.SetPublished(settings.Server.Published)
	return nil
}

func (d *daemon) complain(text string, err error) {
	log := d.Log
	if hint := d.hint(err); hint != "" {
		log = log.With("hint", hint)
	}
	log.Error(text, "error", err.Error())
}

// report logs what went wrong with systemd, which does not keep anything from being served.
func (d *daemon) report(err error) {
	if err != nil {
		d.Log.Warn(err.Error())
	}
}
