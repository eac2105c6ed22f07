package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostcert"
	"kedge/internal/hostfiles"
	"kedge/internal/hostlist"
	"kedge/internal/report"
)

type issueOptions struct {
	host
	store   storeFlags
	output  outputFlags
	leaf    leafFlags
	form    formFlags
	out     string
	keys    leafKeyFlags
	from    string // hosts.csv
	workers int

	commonName string
	names      altNames
}

func newIssue(h host, run func(context.Context, *issueOptions) error) *cobra.Command {
	o := &issueOptions{host: h}
	cmd := &cobra.Command{
		Use:   "issue <name> | --from <hosts.csv>",
		Short: "Make a key and a certificate for a host or workload, or for a list of them",
		Long: `Make a key and a leaf certificate for a host or workload, and write
  NAME.key            the private key, PKCS#8 in PEM, mode 0600
  NAME.pem            the certificate
  NAME.chain.pem      the certificates of its issuers, up to the root
  NAME.fullchain.pem  the certificate and the intermediates, with --full-chain
  NAME.p12            all of it, encrypted, with --pkcs12
Nothing that is there is overwritten. A run that was interrupted is gone on with: what was
issued is not issued again.

With --from, a certificate is made for each line of a file with a header line: the column name,
and host, dns, uri, ip, email, profile and lifetime as needed. Several values of dns, uri, ip
and email are separated by spaces. Lines whose NAME.pem is there are done and left out; when it has
expired, or nearly so, a warning says how to renew it, and the exit code is still 0: kedge-ca status
--check is for monitoring.`,
		Example: `  kedge-ca issue web-01
  kedge-ca issue web-02 --dns web-02.example.com --host rack7 --lifetime 72h
  kedge-ca issue --from hosts.csv --out .`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 && o.from == "" {
				return errors.New("give the name: kedge-ca issue NAME")
			}
			if len(args) > 0 && o.from != "" {
				return errors.New("--from: the names are in the file; give none beside it")
			}
			return atMostOne("issue for one name, in quotes if it has spaces, or for many with --from FILE")(nil, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.commonName = args[0]
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.store.add(cmd)
	o.output.add(cmd)
	o.leaf.add(cmd)
	o.form.add(cmd)
	cmd.Flags().StringVar(&o.out, "out", ".", "`PATH` of the folder to write to; it is made, for this user alone, if it is not there")
	o.keys.add(cmd)
	cmd.Flags().StringVar(&o.from, "from", "", "`FILE` with a line for each host, or - for standard input")
	cmd.Flags().IntVar(&o.workers, "workers", defaultWorkers, "`NUMBER` of certificates of a file that are made at once")
	for _, flag := range []string{"dns", "uri", "ip", "email", "host"} {
		cmd.MarkFlagsMutuallyExclusive("from", flag)
	}
	return cmd
}

func (o *issueOptions) check(cmd *cobra.Command) (err error) {
	if err := o.keys.check(cmd); err != nil {
		return err
	}
	if err := checkWorkers(cmd, o.workers); err != nil {
		return err
	}
	if o.names, err = o.leaf.check(cmd); err != nil {
		return err
	}
	if o.from == "-" && (o.store.password == "-" || o.form.from == "-") {
		return cli.Usagef(cmd, "--from: standard input is read for a password already")
	}
	return o.form.check(cmd, o.store.password)
}

// defaultWorkers keeps the processors and the disk busy.
const defaultWorkers = 32

func checkWorkers(cmd *cobra.Command, n int) error {
	if n < 1 || n > 256 {
		return cli.Usagef(cmd, "--workers: %d is not between 1 and 256", n)
	}
	return nil
}

func runIssue(ctx context.Context, o *issueOptions) (err error) {
	if err := config.CheckNewFolder("out", o.out); err != nil {
		return err
	}
	if o.from != "" {
		return runIssueFrom(ctx, o)
	}
	files, err := hostfiles.In(o.out, o.commonName)
	if err != nil {
		return err
	}
	if err := config.CheckNewFolder("dir", o.store.dir); err != nil {
		return err
	}
	if _, err := files.Interrupted(); err != nil {
		return err
	}
	if err := o.form.readPassword(o.host, files.PKCS12); err != nil {
		return err
	}
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	i, err := s.hostIssuer(ctx, o.leaf.issuer, &o.form)
	if err != nil {
		return err
	}
	i.Recorded = s.CloseEarly
	profile, err := s.Settings.Profile(o.leaf.profile)
	if err != nil {
		return err
	}
	newKey, err := o.keys.generate(profile)
	if err != nil {
		return err
	}
	result, err := i.Make(ctx, hostcert.Request{Leaf: o.leaf.request(o.commonName, o.names), Profile: profile, NewKey: newKey, Files: files})
	if err != nil {
		return err
	}
	return o.report(result)
}

func (o *issueOptions) report(result hostcert.Result) error {
	verb := "issued"
	if result.Again {
		verb = "was interrupted after it issued"
	}
	issued, err := result.Issued()
	if err != nil {
		return err
	}
	o.say(fmt.Sprintf("%s %s: %s", verb, certinfo.InWords(o.commonName, issued.Certificate), result.Files))
	o.tell(result, "")
	if !o.output.json {
		return nil
	}
	return report.WriteJSON(o.Out, struct {
		Certificate certinfo.Certificate `json:"certificate"`
		Files       identityFiles        `json:"files"`
		Warnings    []string             `json:"warnings,omitempty"`
	}{certinfo.OfIssued(issued), result.Files, result.Warnings})
}

// leafFlags say what a leaf contains.
type leafFlags struct {
	profile  string
	issuer   string
	lifetime time.Duration
	names    cli.Names
	host     string
	why      string
	allow    allowFlag

	revokedKey bool
}

func (f *leafFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&f.profile, "profile", "", "`NAME` of the profile in the configuration; its default_profile when not given")
	flags.StringVar(&f.issuer, "issuer", "", "`NAME` of the authority that issues; the ledger's issuing one when not given")
	flags.Var((*lifetime)(&f.lifetime), "lifetime", "`TIME` that the certificate is valid, such as 90m, 12h or 30d; the profile's default, 24h at first, when not given")
	f.names.Add(flags)
	flags.StringVar(&f.host, "host", "", "`NAME` of the machine that gets it, for the ledger; the certificate's name when not given")
	flags.StringVar(&f.why, "why", "", "`TEXT` for the ledger: why it is issued")
	f.allow.add(cmd)
	addRevokedKey(cmd, &f.revokedKey)
}

// addRevokedKey adds the flag that allows keys with a revoked certificate.
func addRevokedKey(cmd *cobra.Command, allowed *bool) {
	cmd.Flags().BoolVar(allowed, "allow-revoked-key", false, "certify a key of which a certificate was revoked, which the ledger keeps; never after key-compromise or ca-compromise")
}

func (f *leafFlags) check(cmd *cobra.Command) (altNames, error) {
	var names altNames
	if f.lifetime < 0 || f.lifetime == 0 && cmd.Flags().Changed("lifetime") {
		return names, cli.Usagef(cmd, "--lifetime: %v is not a time to live", ca.Duration(f.lifetime))
	}
	for kind, values := range map[string][]string{"dns": f.names.DNS, "uri": f.names.URIs, "ip": f.names.IPs, "email": f.names.Emails} {
		for _, value := range values {
			if err := names.Add(kind, value); err != nil {
				return names, cli.Usagef(cmd, "--%s: %w", kind, err)
			}
		}
	}
	return names, nil
}

// request returns the request for a name, without a key.
func (f *leafFlags) request(name string, names altNames) ca.Request {
	r := ca.Request{
		Name: name, Lifetime: f.lifetime, DNS: names.DNS, URIs: names.URIs, IPs: names.IPs, Emails: names.Emails,
		AllowWarnings: f.allow, Host: f.host, Why: f.why, AllowRevokedKey: f.revokedKey,
	}
	if r.Host == "" {
		r.Host = name
	}
	return r
}

// lifetime is the value of --lifetime: a duration of Go, or days.
type lifetime time.Duration

func (l *lifetime) String() string {
	if *l == 0 {
		return ""
	}
	return ca.Duration(*l).String()
}

func (l *lifetime) Type() string { return "lifetime" } // a type that cli has no placeholder for

func (l *lifetime) Set(text string) error {
	d, err := hostlist.ParseLifetime(text)
	if err == nil {
		*l = lifetime(d)
	}
	return err
}

// altNames are subject alternative names.
type altNames = hostlist.Names
