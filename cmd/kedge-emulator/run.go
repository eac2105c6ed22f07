package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"kedge/internal/atomicfile"
	"kedge/internal/cli"
	"kedge/internal/emulator"
)

const name = "kedge-emulator"

// run is the whole program but for the process around it.
func run(ctx context.Context, args []string, s cli.Streams) int {
	return cli.Main(ctx, cli.Program{Name: name, Root: newRoot(s, serve), Advise: advise}, args, s)
}

func newRoot(s cli.Streams, serve func(context.Context, *cobra.Command, *options, cli.Streams) error) *cobra.Command {
	o := &options{}
	root := &cobra.Command{
		Use:   name,
		Short: "IAM Roles Anywhere and STS on loopback",
		Long: `kedge-emulator answers CreateSession of IAM Roles Anywhere, and GetCallerIdentity, AssumeRole and
GetSessionToken of STS for the credentials it gave out. It verifies every request as the service is
documented to, says on standard error why it refused one, and needs no AWS account.

The AWS CLI and SDKs manage its trust anchors, profiles, CRLs and subjects, with all operations of
IAM Roles Anywhere, and its roles, users and policies, with those of IAM that they need. The key for
that is in KEDGE_ADMIN_ACCESS_KEY_ID and KEDGE_ADMIN_SECRET_ACCESS_KEY.
What the flags and --config name is there at every start; with --state, what operations changed or deleted
of it stays so until its entry in the configuration changes. What has no entry any more is gone at the next
start, with its access keys; what operations made stays. With --state it needs no --trust-anchor: CreateTrustAnchor can make the first.

Once ready it prints the environment a client needs, as shell commands. It stops at SIGTERM and SIGINT.
GET /_emulator/sessions and /_emulator/calls show what happened; /_emulator/explain/ID why the request with this
id, of the log or of the client's error, was refused, as text or, with "Accept: application/json", JSON. POST /_emulator/faults makes it misbehave.

--cloudtrail appends what AWS CloudTrail would record to a file, one event a line: CreateSession and the AssumeRole behind
it, and the calls of STS, IAM and the control plane, without secrets. "kedge-ca who FILE" names the hosts in it.

--config has roles such as these; trustPolicy is the policy, or the name of its file. With it, trustAnchorArns, externalId
and actions are left out:
  {"roles": [{"arn": "arn:aws:iam::111122223333:role/web", "maxSessionDuration": 3600, "trustPolicy": "trust.json"}]}
Roles and users have policies by "policies": {"NAME": "policy.json"}, "managedPolicyArns" and "permissionsBoundary". Without
any, a role or user of --config may assume every role that trusts it, and do nothing else.

Kinds of --fault: ` + strings.Join(emulator.FaultKinds(), ", ") + `.
SERVICE is sts, iam or rolesanywhere, which is the control plane; without it, the fault meets CreateSession. @FIRST is the number of
the first request that meets it. --request-rate, --propagation-delay and --lost-answers are for as long as it runs; --config has them as
  {"conditions": {"requestRate": 1, "propagationDelaySeconds": 10, "lostAnswers": 0.1, "seed": 7}, "faults": ["iam:lost@3"]}

Exit codes:
  0  done: it was stopped
  1  failed: files, certificates, the port
  2  the command line is wrong; nothing was tried
  3  simulate: the trust policy does not allow the session`,
		Example: `  kedge-emulator --trust-anchor ca.pem
  kedge-emulator --trust-anchor ca.pem --env-file emulator.env --pid-file emulator.pid &`,
		Version: cli.Version(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return serve(cmd.Context(), cmd, o, s)
		},
	}
	o.addFlags(root)
	root.AddCommand(newSimulate(s), cli.NewVersion(name))
	root.InitDefaultCompletionCmd() // now, so that cli.Main sees it and checks its arguments
	return root
}

func serve(ctx context.Context, cmd *cobra.Command, o *options, s cli.Streams) error {
	faults, err := o.check(cmd)
	if err != nil {
		return err
	}
	stale := takeStale(o.envFile)
	c, err := o.config(cmd, s)
	if err != nil {
		return err
	}
	if c.StateDir != "" {
		unlock, err := emulator.LockState(c.StateDir)
		if err != nil {
			return err
		}
		defer unlock()
	}
	e, err := emulator.New(c)
	if err != nil {
		return err
	}
	if err := o.prepare(e, faults, s); err != nil {
		return err
	}
	l, err := o.open(ctx, s)
	if err != nil {
		return errors.Join(err, putBack(o.envFile, stale)) // the files may be those of an emulator that runs
	}
	defer l.Close()
	// From here on there is something to end and to clean up; until here a signal just ends the
	// program, whatever file it waits for.
	ctx, stop := signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
	defer stop()
	files := announced{}
	defer files.remove()
	if !e.HasTrustAnchor() {
		cli.Say(s.Err, name, "note", "there is no trust anchor yet: hosts get sessions once CreateTrustAnchor has made one")
	}
	if err := o.announce(files, e, l.Addr(), s); err != nil {
		return err
	}
	return emulator.Run(ctx, l, e)
}

// open listens, with TLS where it is wanted.
func (o *options) open(ctx context.Context, s cli.Streams) (net.Listener, error) {
	l, err := emulator.Listen(ctx, o.listen, o.allowRemote)
	if err != nil {
		return nil, unheard(o.listen, err)
	}
	if o.allowRemote {
		cli.Say(s.Err, name, "warning", fmt.Sprintf("listening on %s, which other machines may reach; the emulator protects nothing, so use certificates and keys that are worth nothing", l.Addr()))
	}
	if o.tlsCA == "" {
		return l, nil
	}
	host, _, _ := net.SplitHostPort(o.listen) // Listen split it before
	var hosts []string
	if host != "" {
		hosts = append(hosts, host)
	}
	ca, config, err := emulator.NewTLS(time.Now(), hosts...)
	if err == nil {
		err = atomicfile.Write(o.tlsCA, ca, 0o644)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("--tls: %w", err)
	}
	return tls.NewListener(l, config), nil
}

// announce reports that the emulator is ready: to the program that reads standard output, and to scripts
// that wait for a file.
func (o *options) announce(files announced, e *emulator.Emulator, addr net.Addr, s cli.Streams) error {
	if err := files.write("pid-file", o.pidFile, strconv.Itoa(os.Getpid())+"\n", 0o644); err != nil {
		return err
	}
	env := o.environment(e, addr)
	if err := files.write("env-file", o.envFile, env, 0o600); err != nil { // it has a key
		return err
	}
	_, err := fmt.Fprint(s.Out, env)
	return err
}

// environment is what a client needs, as shell commands. AWS_ENDPOINT_URL_* are the
// variables of the AWS SDKs ("Service-specific endpoints"). The administrator's key has names of its
// own: under those of the SDKs it would come before the credentials of kedge.
func (o *options) environment(e *emulator.Emulator, addr net.Addr) string {
	scheme := "http"
	if o.tlsCA != "" {
		scheme = "https"
	}
	url := scheme + "://" + o.reachable(addr)
	lines := [][2]string{{"KEDGE_ENDPOINT", url}}
	if !o.noAnchor && e.HasTrustAnchor() {
		lines = append(lines, [2]string{"KEDGE_TRUST_ANCHOR_ARN", e.TrustAnchorARN()})
	}
	if !o.noAnchor { // else hosts use what is made later, and these would come before that
		lines = append(lines, [][2]string{{"KEDGE_PROFILE_ARN", e.ProfileARN()}, {"KEDGE_ROLE_ARN", e.RoleARN()}}...)
	}
	lines = append(lines, [][2]string{
		{"KEDGE_STS_ENDPOINT", url},
		{"KEDGE_ADMIN_ACCESS_KEY_ID", e.Administrator().AccessKeyID},
		{"KEDGE_ADMIN_SECRET_ACCESS_KEY", e.Administrator().SecretAccessKey},
		{"AWS_ENDPOINT_URL_ROLESANYWHERE", url},
		{"AWS_ENDPOINT_URL_IAM", url},
		{"AWS_ENDPOINT_URL_STS", url},
		{"AWS_REGION", e.Region()},
		{"AWS_DEFAULT_REGION", e.Region()},
	}...)
	if o.tlsCA != "" {
		bundle, err := filepath.Abs(o.tlsCA) // clients run in other folders
		if err != nil {
			bundle = o.tlsCA
		}
		lines = append(lines, [2]string{"AWS_CA_BUNDLE", bundle})
	}
	var b strings.Builder
	for _, line := range lines {
		fmt.Fprintf(&b, "export %s='%s'\n", line[0], strings.ReplaceAll(line[1], "'", `'\''`))
	}
	return b.String()
}

// reachable is the address for a client on this machine, which is loopback where the emulator
// listens on every address. The flag tells the two of them apart: addr is [::] for both.
func (o *options) reachable(addr net.Addr) string {
	host, port, _ := net.SplitHostPort(addr.String())
	if !net.ParseIP(host).IsUnspecified() {
		return addr.String()
	}
	host = "127.0.0.1"
	if wanted, _, _ := net.SplitHostPort(o.listen); strings.Contains(wanted, ":") {
		host = "::1"
	}
	return net.JoinHostPort(host, port)
}
