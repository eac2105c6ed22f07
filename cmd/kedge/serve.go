package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/serve"
)

// The port and the limits of the official helper's serve and of EC2's metadata service.
const (
	defaultPort     = 9911
	defaultHopLimit = 1
)

type serveOptions struct {
	host
	roleFlags
	port           int
	addresses      []string
	hosts          []string
	hopLimit       int
	name, first    string
	tokenFile      string
	monitorAddress string
	logFormat      string
	drain          time.Duration

	cmd    *cobra.Command // after validate
	wanted []wantedRole
}

func newServe(h host, run func(context.Context, *serveOptions) error) *cobra.Command {
	o := &serveOptions{host: h}
	cmd := &cobra.Command{
		Use:   "serve",
		Short: "Serve temporary credentials on this machine, as EC2 and ECS do",
		Long: `Serves temporary credentials to the AWS SDKs on this machine: as the metadata service of EC2
(IMDSv2 alone), and as the container credentials endpoint of ECS and EKS. It renews them before they
expire, and prints the environment variables that make SDKs find it:

  AWS_EC2_METADATA_SERVICE_ENDPOINT      credentials for every program on this machine
  AWS_CONTAINER_CREDENTIALS_FULL_URI,    credentials for who can read the token's file,
  AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE   which only this user can

With a configuration, every profile in it is served under its name, unless flags choose a role: at the
container endpoint as .../v1/credentials/NAME; clients of IMDS find the one of --default.

Where both are set, SDKs take the container's. The token changes with every start. Clients from before
2024, such as the AWS CLI 2.9, want the token itself, in AWS_CONTAINER_AUTHORIZATION_TOKEN. Some
SDKs ask HTTP_PROXY for addresses of this machine as well: where there is a proxy, NO_PROXY is printed, too.

SIGTERM ends it, after the requests that are being answered. SIGHUP reads configuration, keys,
certificates and CA bundle again; changed certificates are seen without it. It takes sockets from systemd (one named
"metrics" for --metrics-address), and tells systemd when it is ready.`,
		Example: `  kedge serve --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>

  AWS_EC2_METADATA_SERVICE_ENDPOINT=http://127.0.0.1:9911/ aws sts get-caller-identity`,
		PreRunE: func(cmd *cobra.Command, _ []string) error { return o.validate(cmd) },
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	flags.IntVar(&o.port, "port", defaultPort, "port to listen on; 0 for one that is free")
	flags.StringSliceVar(&o.addresses, "address", []string{"127.0.0.1"}, "IP `address` to listen on, IPv4 or IPv6; may be repeated")
	flags.IntVar(&o.hopLimit, "hop-limit", defaultHopLimit, "routers that a token of IMDSv2 may pass, plus one: 1 to 64")
	flags.StringSliceVar(&o.hosts, "allow-host", nil, "`name` that clients may use for this machine, besides localhost; may be repeated")
	flags.StringVar(&o.name, "role-name", "", "name of the role in paths (default: that of --role-arn)")
	flags.StringVar(&o.first, "default", "", "of the profiles of a configuration, the one that clients of IMDS find (default: the first by name)")
	flags.StringVar(&o.tokenFile, "token-file", "", "file to make for the token of the container endpoint, or with an old one (default: one in RUNTIME_DIRECTORY or XDG_RUNTIME_DIR)")
	flags.StringVar(&o.monitorAddress, "metrics-address", "", "`IP:port` for /healthz, /readyz and /metrics (default: none)")
	cli.AddLogFormat(flags, &o.logFormat)
	cli.AddDrain(flags, &o.drain)
	cli.RefuseEmpty(flags, "token-file")
	o.add(flags)
	return cmd
}

// validate checks what can be checked before a key is touched or a port is opened.
func (o *serveOptions) validate(cmd *cobra.Command) (err error) {
	if err := o.settle(cmd, o.host.environment); err != nil {
		return err
	}
	if err := o.checkServing(cmd); err != nil {
		return err
	}
	o.cmd = cmd
	o.wanted, err = o.choose()
	return err
}

// checkServing refuses values of the flags that serve alone has.
func (o *serveOptions) checkServing(cmd *cobra.Command) error {
	if o.port < 0 || o.port > 65535 {
		return badValue(cmd, "port", fmt.Errorf("must be between 0 and 65535 (0: a free one), not %d", o.port))
	}
	if o.hopLimit < 1 || o.hopLimit > 64 {
		return badValue(cmd, "hop-limit", fmt.Errorf("it must be 1 to 64, not %d", o.hopLimit))
	}
	if len(o.addresses) == 0 {
		return badValue(cmd, "address", errors.New("there must be one"))
	}
	for _, address := range o.addresses {
		if _, err := netip.ParseAddr(address); err != nil {
			return badValue(cmd, "address", fmt.Errorf("%q is not an IP address", address))
		}
	}
	if o.monitorAddress != "" {
		if _, err := netip.ParseAddrPort(o.monitorAddress); err != nil {
			return badValue(cmd, "metrics-address", fmt.Errorf("%q is not an IP address and a port", o.monitorAddress))
		}
	}
	if o.name != "" {
		if err := serve.CheckName(o.name); err != nil {
			return badValue(cmd, "role-name", err)
		}
	}
	if o.logFormat != "text" && o.logFormat != "json" {
		return badValue(cmd, "log-format", fmt.Errorf("%q is none of text, json", o.logFormat))
	}
	if o.drain < 0 {
		return badValue(cmd, "drain", fmt.Errorf("it must not be less than zero, as %s is", o.drain))
	}
	return nil
}

// listenError reports that an address is not to be had.
type listenError struct {
	flag    string // that chose it
	address netip.AddrPort
	error
}

func (e *listenError) Error() string {
	if system, ok := errors.AsType[*os.SyscallError](e.error); ok {
		return fmt.Sprintf("cannot listen on %s: %v", e.address, system.Err)
	}
	return e.error.Error()
}
func (e *listenError) Unwrap() error { return e.error }

// listen opens exactly this address: what is said to be IPv4 is not IPv6 as well.
func (o *serveOptions) listen(ctx context.Context, flag string, address netip.AddrPort) (net.Listener, error) {
	network := "tcp6"
	if address.Addr().Is4() {
		network = "tcp4"
	}
	l, err := new(net.ListenConfig).Listen(ctx, network, address.String())
	if err != nil {
		return nil, &listenError{flag, address, err}
	}
	o.warnIfOpen(l, flag)
	return l, nil
}

// warnIfOpen warns that other machines reach an endpoint.
func (o *serveOptions) warnIfOpen(l net.Listener, flag string) {
	tcp, ok := l.Addr().(*net.TCPAddr)
	if !ok || tcp.IP.IsLoopback() {
		return
	}
	text := "%s is not loopback: EVERY MACHINE THAT REACHES IT CAN TAKE THE CREDENTIALS, and they pass the network in the clear. Let a firewall close the port to all but those that are meant"
	if flag == "metrics-address" {
		text = "%s is not loopback: every machine that reaches it can read the names of the roles, their errors, and when credentials and certificates expire. Let a firewall close the port to all but the monitoring; scrapers that use a name for this machine need --allow-host NAME"
	}
	o.host.warn(fmt.Sprintf(text, tcp))
}
