package main

import (
	"context"
	"crypto/sha1" // the name of a certificate in lists, as the official helper has it
	"crypto/x509"
	"encoding/json"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/internal/config"
	"kedge/internal/keys"
	"kedge/internal/official"
	"kedge/internal/role"
	"kedge/signer"
	"kedge/signer/keyfile"
)

type readCertificateDataOptions struct {
	host
	keyFlags
	keys *config.Keys
}

func newReadCertificateData(h host, run func(context.Context, *readCertificateDataOptions) error) *cobra.Command {
	o := &readCertificateDataOptions{host: h}
	cmd := &cobra.Command{
		Use:   "read-certificate-data",
		Short: "Print what a certificate file holds, as JSON, or list a token's certificates",
		Long: `Prints key type, DER, serial number and signature algorithms of the certificate as one JSON
object: the first certificate in the file that is not a CA, else the first.

A pkcs11: URI with object or id reads the one certificate that it matches. Without, it lists all
that it matches, each with a URI to copy.`,
		Example: `  kedge read-certificate-data --certificate cert.pem
  kedge read-certificate-data --certificate pkcs11:
  kedge read-certificate-data --certificate 'pkcs11:token=host;object=kedge'`,
		PreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			if o.keys, err = o.check(cmd); err != nil {
				return err
			}
			return needOneOf(cmd, "certificate")
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return run(cmd.Context(), o) },
	}
	o.addCertificate(cmd.Flags())
	return cmd
}

func runReadCertificateData(ctx context.Context, o *readCertificateDataOptions) error {
	if uri := o.keys.CertificateURI(); uri != "" {
		return o.readToken(ctx, uri)
	}
	certs, name, err := o.load()
	if err != nil {
		return &role.KeyError{Err: err}
	}
	leaf := role.FirstLeaf(certs)
	if trace := o.trace(o.debug); trace != nil {
		trace("%s holds %d certificates; this is %q", name, len(certs), leaf.Subject)
	}
	return o.printData(leaf)
}

func (o *readCertificateDataOptions) printData(cert *x509.Certificate) error {
	data, err := json.Marshal(official.Describe(cert))
	if err != nil {
		return err
	}
	return o.print(data)
}

// readToken prints the one certificate that a URI names, or a list as the official helper's.
func (o *readCertificateDataOptions) readToken(ctx context.Context, uri string) error {
	ctx, stop := interruptible(ctx)
	defer stop()
	found, one, err := keys.Certificates(ctx, uri, o.keys.Options(o.inputs))
	if err != nil {
		return &role.KeyError{Err: err}
	}
	if one {
		if found[0].X509 == nil {
			return &role.KeyError{Err: found[0].Error}
		}
		return o.printData(found[0].X509)
	}
	list := []byte("Matching identities\n")
	for i, c := range found {
		what := "unreadable"
		if c.X509 != nil {
			what = fmt.Sprintf("%x %q", sha1.Sum(c.X509.Raw), c.X509.Subject)
		}
		list = fmt.Appendf(list, "%d) %s\n\tURI: %s\n", i+1, what, c.URI)
	}
	return o.print(list)
}

func (o *readCertificateDataOptions) load() (certs []*x509.Certificate, name string, err error) {
	blob, password, err := o.keys.Certificate(o.inputs)
	if err != nil {
		return nil, "", err
	}
	data, err := blob.Read()
	if err != nil {
		return nil, "", err
	}
	if certs, err = keyfile.ParseCertificates(data, password); err != nil {
		return nil, "", &signer.FileError{File: blob.Name(), Err: err}
	}
	return certs, blob.Name(), nil
}
