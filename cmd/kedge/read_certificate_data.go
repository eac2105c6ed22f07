package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"

	"github.com/spf13/cobra"

	"kedge/internal/config"
	"kedge/signer"
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
		Short: "Print what a certificate file holds, as JSON",
		Long: `Prints key type, DER, serial number and signature algorithms of the certificate as one JSON
object: the first certificate in the file that is not a CA, else the first.`,
		Example: "  kedge read-certificate-data --certificate cert.pem",
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

// certificateData is the official helper's output, field by field.
type certificateData struct {
	KeyType             string   `json:"keyType"`
	CertificateData     string   `json:"certificateData"` // base64 of the DER
	SerialNumber        string   `json:"serialNumber"`    // decimal
	SupportedAlgorithms []string `json:"supportedAlgorithms"`
}

func runReadCertificateData(_ context.Context, o *readCertificateDataOptions) error {
	certs, name, err := o.load()
	if err != nil {
		return &keyError{err}
	}
	leaf := firstLeaf(certs)
	if trace := o.trace(o.debug); trace != nil {
		trace("%s holds %d certificates; this is %q", name, len(certs), leaf.Subject)
	}
	data, err := json.Marshal(describeCertificate(leaf))
	if err != nil {
		return err
	}
	return o.print(data)
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
	if certs, err = signer.ParseCertificates(data, password); err != nil {
		return nil, "", &signer.FileError{File: blob.Name(), Err: err}
	}
	return certs, blob.Name(), nil
}

func firstLeaf(certs []*x509.Certificate) *x509.Certificate {
	for _, cert := range certs {
		if !cert.IsCA {
			return cert
		}
	}
	return certs[0]
}

// describeCertificate fills the official helper's fields. ML-DSA, which it does not know, is
// keyType "MLDSA" with the parameter sets as algorithms; other keys have none.
func describeCertificate(cert *x509.Certificate) certificateData {
	d := certificateData{
		CertificateData:     base64.StdEncoding.EncodeToString(cert.Raw),
		SerialNumber:        cert.SerialNumber.String(),
		SupportedAlgorithms: []string{},
	}
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		d.KeyType = "RSA"
		d.SupportedAlgorithms = []string{"RSASHA256", "RSASHA384", "RSASHA512"}
	case *ecdsa.PublicKey:
		d.KeyType = "EC"
		d.SupportedAlgorithms = []string{"ECSHA256", "ECSHA384", "ECSHA512"}
	case *mldsa.PublicKey:
		d.KeyType = "MLDSA"
		d.SupportedAlgorithms = []string{key.Parameters().String()}
	}
	return d
}
