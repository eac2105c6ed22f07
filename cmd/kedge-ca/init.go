package main

import (
	"context"
	"crypto/x509"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/certinfo"
	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/localca"
)

type initOptions struct {
	caOptions
	ca    caFlags
	key   newKeyFlags
	adopt bool
	past  pastFlags // with adopt

	kind   keyKind
	config ca.AuthorityConfig
}

func newInit(h host, run func(context.Context, *initOptions) error) *cobra.Command {
	o := &initOptions{caOptions: caOptions{host: h}}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Make a root CA: a key, encrypted, its certificate, and a ledger",
		Long: `Make a root CA in a folder:
  ca.key     the private key, encrypted with a password, mode 0600
  ca.pem     the certificate to register as a trust anchor
  ledger.db  what is issued and revoked, unless kedge-ca.yaml in the folder names another place
Nothing that is there is overwritten. With --adopt, ca.key and ca.pem of another program are
taken over as they are, once they pass the checks, and only the ledger is made. What that CA
issued and revoked is taken in from --issued and --crl, now or later: see kedge-ca ledger import.

With --key, the key is one that is there already: on a PKCS#11 token, in a TPM, in AWS KMS, or in
a file elsewhere, such as
  kedge-ca init --key 'pkcs11:token=ca;object=root' --key-password-from pin
  kedge-ca init --key 'awskms:key-id=1234abcd-12ab-34cd-56ef-1234567890ab;region=eu-central-1'
It stays there; ca.key-uri in the folder says where, and has no PIN. All commands
that sign use it, and take its PIN or auth value from --key-password-from, from the pin-source
or auth-source of the URI, or from the terminal. For KMS, credentials, profiles and endpoints are
those of the AWS CLI; kedge-ca key create makes a key there.`,
		Example: `  kedge-ca init
  kedge-ca init --dir workloads --name "Example Workloads" --country CH`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if !o.adopt && o.past.Any() {
				return cli.Usagef(cmd, "--issued, --crl and --nothing-missing are for a CA that is taken over, with --adopt")
			}
			if o.config, err = o.ca.config(cmd); err != nil {
				return err
			}
			if o.kind, err = o.key.keyKind(cmd); err != nil {
				return err
			}
			return run(cmd.Context(), o)
		},
	}
	o.addKeys(cmd)
	cmd.Flags().StringVar(&o.ca.commonName, "name", "kedge CA", "common `NAME` of the CA")
	o.ca.add(cmd, caDefaults{days: 3650, pathLength: -1})
	o.key.add(cmd)
	cmd.MarkFlagsMutuallyExclusive("no-password", "key-password-from")
	cmd.Flags().BoolVar(&o.adopt, "adopt", false, "take over the ca.key and ca.pem that are in the folder")
	cmd.Flags().StringArrayVar(&o.past.Sources.Paths, "issued", nil, "with --adopt, `PATH` of what the CA issued: a folder, certificates, an index.txt or a CRL; may be repeated")
	o.past.add(cmd)
	for _, flag := range []string{"name", "key-type", "days", "path-length", "no-password"} {
		cmd.MarkFlagsMutuallyExclusive("adopt", flag)
	}
	return cmd
}

func runInit(ctx context.Context, o *initOptions) (err error) {
	check := config.CheckNewFolder
	if o.adopt {
		check = config.CheckFolder
	}
	if err := check("dir", o.store.dir); err != nil {
		return err
	}
	cert, taken, err := o.make(ctx)
	if err != nil {
		return err
	}
	return o.writeJSON(struct {
		Authority   string               `json:"authority"`
		Certificate certinfo.Certificate `json:"certificate"`
		Files       identityFiles        `json:"files"`
		TakenIn     *localca.Taken       `json:"taken_in,omitempty"`
	}{
		rootName,
		certinfo.OfIssued(ca.Issued{Certificate: cert, Why: o.ca.why, At: o.inputs.Now()}),
		o.store.authorityFiles(rootName),
		taken,
	})
}

// make makes the CA, or takes over the one that is there, with what it issued.
func (o *initOptions) make(ctx context.Context) (*x509.Certificate, *localca.Taken, error) {
	key := o.key.request(o.host, o.store.password, o.kind)
	if !o.adopt {
		cert, err := localca.Make(ctx, o.store.local(o.host), o.config, key)
		return cert, nil, err
	}
	return localca.Adopt(ctx, o.store.local(o.host), localca.Adoption{Key: key, Allow: o.ca.allow, Past: o.past.request(o.host, rootName, o.ca.why)})
}
