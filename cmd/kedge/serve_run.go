package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/httpserver"
	"kedge/internal/serve"
	"kedge/internal/systemd"
)

// firstAttempt bounds the wait for the first credentials, or for an error instead; then systemd is notified
// all the same that the service has started.
const firstAttempt = 10 * time.Second

// reloadTime is how long a reload may take; each role has the limits of --timeout, too.
const reloadTime = 5 * time.Minute

// daemon is kedge serve while it runs.
type daemon struct {
	*serveOptions
	log     *slog.Logger
	service config.Service
	sockets sockets
	token   *serve.TokenFile
	roles   []*served
	server  *serve.Server
	systemd systemd.Notifier
}

func runServe(ctx context.Context, o *serveOptions) error {
	service, err := config.ReadService()
	if err != nil {
		return err
	}
	d := &daemon{serveOptions: o, log: o.logger(), service: service, systemd: systemd.Notifier{Socket: service.NotifySocket}}
	o.logClock(d.log)
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ctx, stop := interruptible(ctx)
	defer stop()
	if err := d.start(ctx); err != nil {
		d.end()
		return err
	}
	defer d.end()
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	return d.run(ctx, hangup)
}

func (o *serveOptions) logger() *slog.Logger {
	options := &slog.HandlerOptions{Level: o.logLevel(o.debug)}
	if o.logFormat == "json" {
		return slog.New(slog.NewJSONHandler(o.Err, options))
	}
	return slog.New(slog.NewTextHandler(o.Err, options))
}

// start does all that can fail before anything is served, and prints how to use it.
func (d *daemon) start(ctx context.Context) (err error) {
	if d.sockets, err = d.openSockets(ctx, d.service.Sockets); err != nil {
		return err
	}
	for _, l := range d.sockets.endpoint {
		if err := serve.CheckHopLimit(l, d.hopLimit); err != nil {
			return err
		}
	}
	path := d.tokenFile
	if path == "" { // where files last as long as the process or the user's session
		path = config.ServiceFile("token-" + portOf(d.sockets.endpoint[0]))
	}
	if d.token, err = serve.NewTokenFile(path); err != nil {
		return err
	}
	if d.roles, err = startRoles(context.WithoutCancel(ctx), d.host, d.wanted, d.log); err != nil {
		return err
	}
	d.server, err = serve.New(serve.Config{
		Roles: rolesOf(d.roles), Authorization: d.token.Token(), Hosts: d.hosts, HopLimit: d.hopLimit,
		Version: cli.Version(), Log: d.log, Now: d.inputs.Now,
	})
	if err != nil {
		return err
	}
	return d.print([]byte(d.exports()))
}

// exports is what makes SDKs find the endpoint, for a shell.
func (d *daemon) exports() string {
	base := d.sockets.url()
	if base == "" {
		return ""
	}
	var b strings.Builder
	fmt.Fprintf(&b, "export AWS_EC2_METADATA_SERVICE_ENDPOINT=%s\n", base)
	if d.token.Path() != "" {
		fmt.Fprintf(&b, "export AWS_CONTAINER_CREDENTIALS_FULL_URI=%sv1/credentials/%s\n", base, d.roles[0].Name)
		fmt.Fprintf(&b, "export AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE=%s\n", quoteShell(d.token.Path()))
		for _, other := range d.roles[1:] {
			fmt.Fprintf(&b, "# %s: AWS_CONTAINER_CREDENTIALS_FULL_URI=%sv1/credentials/%[1]s\n", other.Name, base)
		}
	}
	if endpoint, err := url.Parse(base); err == nil {
		for _, v := range config.NoProxyFor(endpoint.Hostname()) {
			fmt.Fprintf(&b, "export %s=%s\n", v[0], quoteShell(v[1]))
		}
	}
	return b.String()
}

// quoteShell quotes where it must.
func quoteShell(text string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("/._-+:@%,", r)
	}
	if strings.ContainsFunc(text, func(r rune) bool { return !plain(r) }) {
		return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
	}
	return text
}

// run serves until ctx ends, and reloads at every hangup. One that comes meanwhile waits.
func (d *daemon) run(ctx context.Context, hangup <-chan os.Signal) error {
	d.sayServing()
	ended := make(chan error, 2)
	go func() { ended <- d.server.Serve(ctx, d.drain, d.sockets.endpoint...) }()
	running := 1
	if d.sockets.monitor != nil {
		running++
		go func() { ended <- d.server.ServeMonitor(ctx, d.sockets.monitor) }()
	}
	go d.tellReady(ctx, d.roles)
	go d.systemd.Watch(ctx, d.service.Watchdog, d.server.Alive, httpserver.NewRateLimited(d.log).Warn)
	reloading, stopReload := context.WithCancel(ctx)
	defer stopReload()
	var reloaded chan struct{} // not nil while there is a reload
	next := hangup
	var failed error
	for ctx.Err() == nil && failed == nil {
		select {
		case <-next:
			reloaded, next = make(chan struct{}), nil
			go func() {
				defer close(reloaded)
				d.reload(reloading)
			}()
		case <-reloaded:
			reloaded, next = nil, hangup
		case failed = <-ended:
			running--
		case <-ctx.Done():
		}
	}
	stopReload()
	awaitReload(reloaded)
	if ctx.Err() == nil {
		return failed
	}
	d.report(d.systemd.Stopping())
	d.log.Info("stopping", "cause", context.Cause(ctx).Error())
	for range running {
		failed = errors.Join(failed, <-ended)
	}
	return failed
}

// awaitReload waits for a reload that was stopped, but for no file that it hangs at.
func awaitReload(reloaded <-chan struct{}) {
	if reloaded == nil {
		return
	}
	select {
	case <-reloaded:
	case <-time.After(time.Second):
	}
}

func (d *daemon) sayServing() {
	log := d.log.With("addresses", d.sockets.addresses(), "roles", names(d.roles), "container", d.token.Path() != "")
	if d.sockets.monitor != nil {
		log = log.With("monitor", d.sockets.monitor.Addr().String())
	}
	log.Info("serving")
}

// tellReady tells systemd that the service has started, once the first credentials have come or
// were refused: who is started after it finds what there is.
func (d *daemon) tellReady(ctx context.Context, roles []*served) {
	limited, cancel := context.WithTimeout(ctx, firstAttempt)
	defer cancel()
	status := "serving " + names(roles)
	for _, r := range roles {
		if _, err := r.refresher.Retrieve(limited); err != nil {
			status += ", without credentials of " + r.Name + " so far"
		}
	}
	if ctx.Err() == nil {
		d.report(d.systemd.Ready(status))
	}
}

// reload opens keys and certificates again. The new ones take over with the first credentials that
// they get; until then, and if there are none, the old ones stay.
func (d *daemon) reload(ctx context.Context) {
	d.report(d.systemd.Reloading())
	err := d.renew(ctx)
	switch {
	case err != nil && ctx.Err() != nil:
		return // nobody waits for it any more
	case err != nil:
		log := d.log
		if hint := advise(err).Hint; hint != "" {
			log = log.With("hint", hint)
		}
		log.Error("not reloaded; all goes on as before", "error", err.Error())
	default:
		d.log.Info("reloaded")
	}
	d.report(d.systemd.Ready("serving " + names(d.roles)))
}

func (d *daemon) renew(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, reloadTime, fmt.Errorf("they had %s", reloadTime))
	defer cancel()
	if err := d.token.Write(); err != nil {
		return err
	}
	wanted, err := d.chooseAgain()
	if err != nil {
		return err
	}
	log, release := serve.HoldLog(d.log) // of roles that are not served, nothing is said but the error
	roles, err := startRoles(ctx, d.host, wanted, log)
	if err != nil {
		return err
	}
	for _, r := range roles {
		if _, failed := r.refresher.Retrieve(ctx); failed != nil {
			err = errors.Join(err, fmt.Errorf("role %s: %w", r.Name, failed))
		}
	}
	if err == nil {
		err = d.server.SetRoles(rolesOf(roles))
	}
	if err != nil {
		stopRoles(roles)
		return err
	}
	release()
	stopRoles(d.roles)
	d.roles = roles
	return nil
}

// report logs what went wrong with systemd, which does not keep anything from being served.
func (d *daemon) report(err error) {
	if err != nil {
		d.log.Warn(err.Error())
	}
}

// end lets go of everything.
func (d *daemon) end() {
	d.sockets.close()
	stopRoles(d.roles)
	if d.token != nil {
		d.report(d.token.Remove())
	}
}

func names(all []*served) string {
	var text []string
	for _, r := range all {
		text = append(text, r.Name)
	}
	return strings.Join(text, " ")
}

func rolesOf(all []*served) []serve.Role {
	var roles []serve.Role
	for _, r := range all {
		roles = append(roles, r.Role)
	}
	return roles
}
