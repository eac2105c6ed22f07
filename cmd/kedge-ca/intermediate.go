package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/hostfiles"
	"kedge/internal/localca"
	"kedge/internal/report"
)

type intermediateOptions struct {
	caOptions
	ca         caFlags
	key        newKeyFlags
	name       string
	parent     string
	keepIssuer bool

	csr         bool   // create a key and a request
	from        string // sign a request
	out         string
	reissue     bool
	certificate string // import the answer
	root        string
	chain       []string

	kind   keyKind
	config ca.AuthorityConfig
}

func newIntermediate(h host, run func(context.Context, *intermediateOptions) error) *cobra.Command {
	o := &intermediateOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "intermediate [name]",
		Short: "Make a CA below the root, which issues from then on",
		Long: `Make an intermediate CA: NAME.key, encrypted with a password, and NAME.pem in the CA's folder.
With --key, the key is one that is there already, as for init; --new-password-from has its PIN.
It issues from then on, unless --keep-issuer is given or its root is only being rotated to. The
trust anchor stays the root: hosts send the intermediate along, from their NAME.chain.pem. A
leaf can have 5 intermediates above it.

The key of the root can stay on a machine without network:
  1. kedge-ca intermediate NAME --csr                     makes NAME.key and NAME.csr here
  2. kedge-ca intermediate --from NAME.csr --out NAME.pem signs it there, and records it there
  3. kedge-ca intermediate NAME --certificate NAME.pem --root root.pem
                                                          takes it in here; --chain has what is between
The last two are also how such an intermediate is renewed, with the --reissue of step 2.`,
		Example: `  kedge-ca intermediate issuing-1 --no-password
  kedge-ca intermediate issuing-2 --dir online --csr --no-password`,
		Args: atMostOne("make one intermediate at a time"),
		RunE: func(cmd *cobra.Command, args []string) (err error) {
			if len(args) > 0 {
				o.name = args[0]
			}
			if err := o.check(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *intermediateOptions) addFlags(cmd *cobra.Command) {
	o.addKeys(cmd)
	flags := cmd.Flags()
	flags.StringVar(&o.ca.commonName, "name", "", "common `NAME` of the CA; that of its files when not given")
	o.ca.add(cmd, caDefaults{days: 1825, pathLength: 0})
	o.key.add(cmd)
	o.key.addPassword(cmd)
	flags.StringVar(&o.parent, "parent", "", "`NAME` of the authority that signs it; the root when not given")
	flags.BoolVar(&o.keepIssuer, "keep-issuer", false, "leave issuing to the authority that issues now")
	flags.BoolVar(&o.csr, "csr", false, "make the key and a request for a certificate, for a parent elsewhere")
	flags.StringVar(&o.from, "from", "", "sign the request in `FILE` (- is standard input), for an intermediate elsewhere")
	flags.StringVar(&o.out, "out", "", "`FILE` to write the certificate of --from to; standard output when not given")
	flags.BoolVar(&o.reissue, "reissue", false, "with --from: issue another certificate for a key that has a valid one")
	flags.StringVar(&o.certificate, "certificate", "", "take in the certificate in `FILE`, which a parent elsewhere signed")
	flags.StringVar(&o.root, "root", "", "`FILE` with the root, for --certificate")
	flags.StringSliceVar(&o.chain, "chain", nil, "`FILE` with certificates between that of --certificate and the root")
	cmd.MarkFlagsMutuallyExclusive("csr", "from", "certificate")
	cmd.MarkFlagsRequiredTogether("certificate", "root")
}

// check refuses contradictory flags.
func (o *intermediateOptions) check(cmd *cobra.Command) (err error) {
	mode, err := o.mode(cmd)
	if err == nil {
		err = o.checkNoVerb(cmd)
	}
	switch {
	case err != nil:
		return err
	case o.from == "" && o.name == "":
		return cli.Usagef(cmd, "give the name: kedge-ca intermediate NAME")
	case o.from != "" && o.name != "":
		return cli.Usagef(cmd, "the name is in the request of --from; unexpected argument %q", o.name)
	}
	if err := o.checkPasswords(cmd, mode); err != nil {
		return err
	}
	if o.config, err = o.ca.config(cmd); err != nil {
		return err
	}
	o.config.Subject.CommonName = cmp.Or(o.ca.commonName, o.name)
	o.kind, err = o.key.keyKind(cmd)
	return err
}

// checkPasswords refuses passwords that cannot be read, or are not needed.
func (o *intermediateOptions) checkPasswords(cmd *cobra.Command, mode string) error {
	switch {
	case o.store.password == "-" && (o.from == "-" || o.certificate == "-" || o.root == "-"):
		return cli.Usagef(cmd, "--key-password-from: standard input is read for a certificate or request already; take fd:N, env:NAME or a file")
	case o.csr && o.key.noPassword && o.store.password != "":
		return cli.Usagef(cmd, "--no-password and --key-password-from contradict each other with --csr")
	case mode == "" && !o.key.noPassword && o.key.from == "" && cadir.ReadOnce(o.store.password):
		return cli.Usagef(cmd, "--key-password-from: %s can be read once, for the parent's key; give --new-password-from or --no-password too", o.store.password)
	}
	return nil
}

// mode returns the flag that selects how an intermediate is created, without its hyphens; empty if its
// parent is in this folder. It refuses flags for another mode.
func (o *intermediateOptions) mode(cmd *cobra.Command) (string, error) {
	content := []string{"days", "path-length", "permit-dns", "permit-uri", "permit-ip", "permit-email",
		"exclude-dns", "exclude-uri", "exclude-ip", "exclude-email", "crl-url", "allow"}
	subject := []string{"name", "organization", "organizational-unit", "country", "locality", "province"}
	key := []string{"key", "key-type", "no-password", "new-password-from"}
	mode, foreign := "", []string{"out", "reissue", "chain"}
	switch {
	case o.csr:
		mode, foreign = "csr", slices.Concat(foreign, content, []string{"parent", "keep-issuer", "why"})
	case o.from != "":
		mode, foreign = "from", slices.Concat(subject, key, []string{"keep-issuer", "chain"})
	case o.certificate != "":
		mode, foreign = "certificate", slices.Concat(content, subject, key, []string{"parent", "out", "reissue"})
	}
	for _, name := range foreign {
		switch {
		case !cmd.Flags().Changed(name):
		case mode == "":
			return "", cli.Usagef(cmd, "--%s is for an intermediate whose parent is elsewhere", name)
		default:
			return "", cli.Usagef(cmd, "--%s has no meaning with --%s", name, mode)
		}
	}
	return mode, nil
}

func runIntermediate(ctx context.Context, o *intermediateOptions) error {
	switch {
	case o.csr:
		return o.request(ctx)
	case o.from != "":
		return o.sign(ctx)
	case o.certificate != "":
		return o.takeIn(ctx)
	}
	return o.make(ctx)
}

// intermediate returns what the flags say of the authority. The password of its key can be its own.
func (o *intermediateOptions) intermediate() localca.Intermediate {
	keys := o.store
	keys.password = cmp.Or(o.key.from, o.store.password)
	key := o.key.request(o.host, keys.password, o.kind)
	return localca.Intermediate{Name: o.name, Parent: o.parent, Config: o.config, Keys: keys.keys(o.host), Key: key, KeepIssuer: o.keepIssuer}
}

// make signs a certificate for a new key with a parent of this folder.
func (o *intermediateOptions) make(ctx context.Context) (err error) {
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	a, err := s.MakeIntermediate(ctx, o.intermediate())
	if err != nil {
		return err
	}
	return o.report(a)
}

// request creates a key, or takes the existing one, and a certificate request; the folder may be new.
func (o *intermediateOptions) request(ctx context.Context) error {
	if err := config.CheckNewFolder("dir", o.store.dir); err != nil {
		return err
	}
	made, err := localca.RequestIntermediate(ctx, o.store.local(o.host), o.intermediate())
	if err != nil {
		return err
	}
	return o.writeJSON(made)
}

// sign answers a request from elsewhere.
func (o *intermediateOptions) sign(ctx context.Context) (err error) {
	if err := checkOutput(o.out); err != nil {
		return err
	}
	csr, err := o.readRequest()
	if err != nil {
		return err
	}
	s, err := openStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	cert, err := s.SignIntermediate(ctx, o.intermediate(), csr, o.reissue, o.out)
	switch {
	case err != nil:
		return err
	case o.output.json:
		return o.writeJSON(struct {
			Certificate certinfo.Certificate `json:"certificate"`
			File        string               `json:"file,omitempty"`
			PEM         string               `json:"pem"`
		}{o.describe(cert), o.out, string(hostfiles.CertificatePEM(cert))})
	case o.out == "":
		return report.Write(o.Out, hostfiles.CertificatePEM(cert))
	}
	return nil
}

func (o *intermediateOptions) readRequest() (*x509.CertificateRequest, error) {
	data, err := cadir.ReadInput(o.from, o.inputs.Stdin)
	if err != nil {
		return nil, err
	}
	csr, err := ca.ParseAuthorityCSR(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.from, err)
	}
	return csr, nil
}

// takeIn makes an authority of a key here and a certificate from elsewhere, or renews one.
func (o *intermediateOptions) takeIn(ctx context.Context) error {
	if err := config.CheckFolder("dir", o.store.dir); err != nil {
		return err
	}
	files := localca.PathFiles{Certificate: o.certificate, Chain: o.chain, Root: o.root, Stdin: o.inputs.Stdin}
	a, err := localca.TakeInIntermediate(ctx, o.store.local(o.host), o.intermediate(), files)
	if err != nil {
		return err
	}
	return o.report(a)
}

// report writes the authority as JSON.
func (o *intermediateOptions) report(a ledger.Authority) error {
	return o.writeJSON(struct {
		Authority   string               `json:"authority"`
		Parent      string               `json:"parent"`
		State       string               `json:"state"`
		Issuing     bool                 `json:"issuing"`
		Certificate certinfo.Certificate `json:"certificate"`
		Files       identityFiles        `json:"files"`
	}{a.Name, a.Parent, a.State, a.Issuing, o.describe(a.Certificate), o.store.authorityFiles(a.Name)})
}

func (o *intermediateOptions) describe(cert *x509.Certificate) certinfo.Certificate {
	return certinfo.OfIssued(ca.Issued{Certificate: cert, Why: o.ca.why, At: o.inputs.Now()})
}
