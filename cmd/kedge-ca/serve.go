package main

import (
	"context"
	"os"
	"os/signal"
	"sync/atomic"
	"syscall"

	"github.com/spf13/cobra"

	"kedge/internal/caserver"
	"kedge/internal/cli"
	"kedge/internal/config"
)

type serveOptions struct {
	host
	store     storeFlags
	config    caserver.Config
	logFormat string
}

const defaultListen = ":8443"

func newServe(h host, run func(context.Context, *serveOptions) error) *cobra.Command {
	o := &serveOptions{host: h}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Let hosts get their certificates, and renew them, over HTTPS",
		Long: `Let hosts get their certificates, and renew them, over HTTPS: kedge enroll, with a token that
kedge-ca token makes, and kedge renew. The profiles in kedge-ca.yaml say which proofs a host can
give, and for how long after its end a certificate can be renewed.

The server's own certificate is issued by the CA. Its key exists in memory only; hosts know the
CA by the key of its root, which is in their token. The names in it are those of the URL.

With server.est in the configuration, devices enroll and renew by EST (RFC 7030) at /.well-known/est/,
by the same rules: with a token as the password of HTTP Basic, and by mTLS.

Several servers can share a ledger in PostgreSQL. Each can have a folder and a key of its own, of an
intermediate that --issuer names; hosts enroll and renew at any of them. The address of a host is read
from X-Forwarded-For alone, and only from proxies under server.trusted_proxies in the configuration.
For EST, a request that any proxy has sent, by its address or headers, renews no certificate by mTLS.

The server makes the revocation lists of the authorities whose key is here: within a minute after
something was revoked, and when half of their time has passed. --http serves them, the same bytes
from every server; with server.http_url, certificates say where. With aws: crl: push:
true in the configuration, each is pushed to IAM Roles Anywhere, and again every minute until it arrives;
without, it has to be given each list: kedge-ca crl.

Each address, and each host, can make so many requests, and so many are decided at the same time:
server.limits. Renewals that are due are not limited. With notify, copies of hosts, hosts that are late,
and lists and CA certificates that are about to end are reported to a URL.

Signals: SIGHUP reads the configuration again; SIGTERM ends the server after the requests in
progress. systemd can open the sockets (those with the name http are for --http, metrics for --metrics), is notified when
the server is ready, and can watch it (WatchdogSec).`,
		Example: `  kedge-ca serve --url https://ca.example.com:8443
  kedge-ca serve --listen 127.0.0.1:8443 --http 127.0.0.1:8080`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			err := o.config.Check()
			if err == nil {
				o.config.Log, err = caserver.NewLog(o.logFormat, o.Err)
			}
			if err != nil {
				return cli.Usagef(cmd, "%w", err)
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.add(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&o.config.Listen, "listen", []string{defaultListen}, "`IP:port` for hosts, or :port for all addresses; may be repeated")
	flags.StringSliceVar(&o.config.Plain, "http", nil, "`IP:port` for /crl/NAME.crl and /ca/NAME.cer without TLS; may be repeated (default: none)")
	flags.StringSliceVar(&o.config.Metrics, "metrics", nil, "`IP:port` for /metrics, /readyz and /healthz without TLS; may be repeated (default: none)")
	flags.StringVar(&o.config.URL, "url", "", "`URL` by which hosts reach the server; server.url of the configuration when not given")
	flags.StringVar(&o.config.Issuer, "issuer", "", "`NAME` of the authority that issues; the ledger's issuing one when not given")
	cli.AddDrain(flags, &o.config.Drain)
	cli.AddLogFormat(flags, &o.logFormat)
	return cmd
}

func runServe(ctx context.Context, o *serveOptions) (err error) {
	service, err := config.ReadService()
	if err != nil {
		return err
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	ctx, stop := cli.UntilSignal(ctx)
	defer stop()
	serving := o.stopAsking()
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	c := o.config
	c.CA, c.Folder, c.Serving, c.Systemd, c.Version, c.Now = s.CA, o.store.folder(), serving, service, cli.Version(), o.inputs.Now
	c.KeyMetrics = o.store.kms.WriteMetrics
	c.Advise = func(err error) string { return advise(err).Hint }
	return caserver.Run(ctx, c, hangup)
}

// stopAsking returns a function after which no password is asked for on the terminal: the key of an
// authority that begins to issue while the server runs must be one that needs none.
func (o *serveOptions) stopAsking() func() {
	ask := o.inputs.Ask
	var stopped atomic.Bool
	o.inputs.Ask = func(prompt string) ([]byte, error) {
		if stopped.Load() {
			return nil, cli.ErrNoTerminal
		}
		return ask(prompt)
	}
	return func() { stopped.Store(true) }
}
