package main

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/creds"
	"kedge/signer"
	"kedge/signer/session"
)

type credentialProcessOptions struct {
	host
	keyFlags
	sessionFlags
	keys   *config.Keys
	client *session.Client
}

func newCredentialProcess(h host, run func(context.Context, *credentialProcessOptions) error) *cobra.Command {
	o := &credentialProcessOptions{host: h}
	cmd := &cobra.Command{
		Use:   "credential-process",
		Short: "Print temporary credentials, as AWS SDKs read them from credential_process",
		Long: `Prints one JSON object with temporary credentials, for credential_process in ~/.aws/config.
It reads neither that file nor AWS_PROFILE.`,
		Example: `  kedge credential-process --certificate cert.pem --private-key key.pem \
    --trust-anchor-arn arn:aws:rolesanywhere:eu-west-1:111122223333:trust-anchor/<id> \
    --profile-arn arn:aws:rolesanywhere:eu-west-1:111122223333:profile/<id> \
    --role-arn arn:aws:iam::111122223333:role/<name>`,
		PreRunE: o.prepare,
		RunE:    func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	flags := cmd.Flags()
	o.addCertificate(flags)
	o.addPrivateKey(flags)
	o.addForeignKeys(flags)
	flags.StringVar(&o.Intermediates, "intermediates", "", "more certificates for the chain, in any order: "+inputHelp)
	o.sessionFlags.add(flags)
	return cmd
}

// prepare checks everything that can be checked before a key is touched.
func (o *credentialProcessOptions) prepare(cmd *cobra.Command, _ []string) (err error) {
	if o.keys, err = o.check(cmd); err != nil {
		return err
	}
	if err := needAll(cmd, "trust-anchor-arn", "profile-arn", "role-arn", "certificate"); err != nil {
		return err
	}
	o.client, err = o.sessionFlags.client(cmd, o.host, o.trace(o.debug))
	return err
}

func runCredentialProcess(ctx context.Context, o *credentialProcessOptions) error {
	if o.noVerify {
		o.warn("--no-verify-ssl: the server is not verified; anyone on the way can take the credentials. Use --ca-bundle instead")
	}
	id, err := o.load()
	if err != nil {
		return &keyError{err}
	}
	o.warn(o.keys.Warnings()...)
	ctx, stop := interruptible(ctx)
	defer stop()
	c, err := session.NewProvider(o.client, id).Retrieve(ctx)
	if err != nil {
		return o.explain(err)
	}
	document, err := creds.Process(c)
	if err != nil {
		return err
	}
	return o.print(document)
}

func (o *credentialProcessOptions) load() (*signer.Identity, error) {
	files, err := o.keys.Files(o.inputs)
	if err != nil {
		return nil, err
	}
	id, err := signer.Load(files)
	if err != nil {
		switch {
		case swapped(files, err):
			err = &filesError{err, "are --certificate and --private-key swapped?"}
		case certificateOfCA(files, err):
			err = &filesError{err, "the certificate is that of a CA: give the one that was issued for this key"}
		}
		return nil, err
	}
	if trace := o.trace(o.debug); trace != nil {
		trace("certificate %q, serial %s, %s, with %d intermediates", id.Leaf().Subject, id.Leaf().SerialNumber, id.Algorithm(), len(id.Chain()))
	}
	return id, nil
}

// swapped tells that the certificate's input holds a key alone, or the key's certificates alone.
func swapped(files signer.Files, err error) bool {
	file, ok := errors.AsType[*signer.FileError](err)
	if !ok || files.PrivateKey.IsZero() || files.PrivateKey.Name() == files.Certificate.Name() {
		return false
	}
	return errors.Is(err, signer.ErrNoPrivateKey) ||
		file.File == files.Certificate.Name() && strings.HasPrefix(file.Err.Error(), "a private key, not")
}

// certificateOfCA tells that the key does not belong to the certificate because that is a CA's.
func certificateOfCA(files signer.Files, err error) bool {
	if _, ok := errors.AsType[*signer.KeyMismatchError](err); !ok {
		return false
	}
	data, err := files.Certificate.Read()
	if err != nil {
		return false
	}
	certs, err := signer.ParseCertificates(data, nil)
	return err == nil && firstLeaf(certs).IsCA
}

// explain adds what only the flags know to an error, for the hints.
func (o *credentialProcessOptions) explain(err error) error {
	return &requestError{
		error: err, direct: o.proxy == "" && !o.proxyFromEnv,
		region: o.region, trustAnchor: o.trustAnchor, profile: o.profile, role: o.role,
	}
}

// needAll refuses a command line that lacks any of the named flags, and names all of them.
func needAll(cmd *cobra.Command, names ...string) error {
	var missing []string
	for _, name := range names {
		if cmd.Flags().Lookup(name).Value.String() == "" {
			missing = append(missing, "--"+name)
		}
	}
	if missing == nil {
		return nil
	}
	return cli.Usagef(cmd, "missing %s", strings.Join(missing, ", "))
}
