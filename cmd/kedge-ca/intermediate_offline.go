package main

import (
	"cmp"
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/atomicfile"
	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/config"
	"kedge/internal/hostfiles"
	"kedge/internal/localca"
	"kedge/internal/report"
)

// request creates a key, or takes the existing one, and a certificate request. It needs no ledger:
// the folder may be new.
func (o *intermediateOptions) request(ctx context.Context) (err error) {
	if err := config.CheckNewFolder("dir", o.store.dir); err != nil {
		return err
	}
	if err := issuance.CheckName(o.name); err != nil {
		return err
	}
	path := filepath.Join(o.store.dir, o.name+".csr")
	if err := atomicfile.Vacant(path); err != nil {
		return err
	}
	key, err := o.newKey(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	subject := o.config.Subject
	if there, err := atomicfile.Exists(o.store.certPath(o.name)); err != nil {
		return err
	} else if there { // a renewal
		old, err := cadir.ReadCertificate(o.store.certPath(o.name))
		if err != nil {
			return err
		}
		subject = old.Subject
	}
	der, err := ca.NewCSR(key, subject)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(o.store.dir, 0o700); err != nil {
		return err
	}
	if err := key.Write(); err != nil {
		return err
	}
	if err := atomicfile.Create(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE REQUEST", Bytes: der}), 0o644); err != nil {
		return err
	}
	o.say(fmt.Sprintf("made %s, a request for the certificate of %q: sign it where its parent is", path, subject))
	o.tellKey(key)
	if !o.output.json {
		return nil
	}
	return report.WriteJSON(o.Out, struct {
		Request string `json:"request"`
		Key     string `json:"key"`
		Subject string `json:"subject"`
	}{path, key.Where(), subject.String()})
}

// sign answers a request from elsewhere. It records the certificate; the authority itself belongs
// to the folder of the request.
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
	above, err := s.Service.Parent(ctx, o.parent)
	if err != nil {
		return err
	}
	parent, err := s.Issuing(ctx, above.Name)
	if err != nil {
		return err
	}
	o.config.Subject = csr.Subject
	prepared, err := parent.PrepareCA(csr.PublicKey, o.config, o.inputs.Now())
	if err != nil {
		return err
	}
	if o.reissue {
		cert, err := s.Service.IssueAnotherCA(ctx, prepared)
		if err != nil {
			return err
		}
		return o.handOut(cert, false)
	}
	cert, again, err := s.Service.IssueCA(ctx, prepared)
	if err != nil {
		return err
	}
	return o.handOut(cert, again)
}

func (o *intermediateOptions) readRequest() (*x509.CertificateRequest, error) {
	data, err := readInput(o.from, o.inputs.Stdin)
	if err != nil {
		return nil, err
	}
	csr, err := ca.ParseCSR(data)
	if err == nil {
		err = cmp.Or(ca.CheckCSR(csr), ca.CheckSubject(csr)) // the whole subject is used
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", o.from, err)
	}
	return csr, nil
}

// handOut writes the certificate of an intermediate elsewhere.
func (o *intermediateOptions) handOut(cert *x509.Certificate, again bool) error {
	text := hostfiles.CertificatePEM(cert)
	if o.out != "" {
		if err := atomicfile.Create(o.out, text, 0o644); err != nil {
			return &unwrittenError{ca.SerialHex(cert), err}
		}
	}
	until := cert.NotAfter.UTC().Format(time.DateOnly)
	if again {
		o.say(fmt.Sprintf("%q has a certificate already, valid until %s, which is written again; --reissue makes another", cert.Subject, until))
	} else {
		o.say(fmt.Sprintf("signed the intermediate CA %q, serial %s, valid until %s", cert.Subject, ca.SerialHex(cert), until))
	}
	switch {
	case o.output.json:
		return report.WriteJSON(o.Out, struct {
			Certificate certinfo.Certificate `json:"certificate"`
			File        string               `json:"file,omitempty"`
			PEM         string               `json:"pem"`
		}{o.describe(cert), o.out, string(text)})
	case o.out == "":
		return report.Write(o.Out, text)
	}
	return nil
}

// takeIn makes an authority of a key here and a certificate from elsewhere, or renews one. A new
// folder gets a ledger.
func (o *intermediateOptions) takeIn(ctx context.Context) (err error) {
	if err := config.CheckFolder("dir", o.store.dir); err != nil {
		return err
	}
	if err := issuance.CheckName(o.name); err != nil {
		return err
	}
	key, err := o.store.readKey(ctx, o.host, o.name, nil)
	if err != nil {
		return &cadir.UnusableError{Err: err}
	}
	defer func() { err = errors.Join(err, key.Close()) }()
	path, err := o.readPath()
	if err != nil {
		return err
	}
	if _, err := ca.New(path[0], key, path[1:]...); err != nil {
		return fmt.Errorf("%s and %s: %w", o.certificate, key, err)
	}
	if err := issuance.CheckValidity(o.inputs.Now(), path...); err != nil {
		return err
	}
	warnings, err := localca.Foreign{File: o.certificate, Name: o.name, Path: path}.Lint(o.ca.allow, o.inputs.Now())
	if err != nil {
		return fmt.Errorf("%s: %w", o.certificate, err)
	}
	s, err := o.store.open(ctx, o.host, ledger.Options{Create: true})
	if err != nil {
		return err
	}
	defer s.close(&err)
	a, err := s.TakeIn(ctx, issuance.TakeIn{Name: o.name, Path: path, KeepIssuer: o.keepIssuer, Why: o.ca.why}, o.certificate)
	if err != nil {
		return err
	}
	o.say(fmt.Sprintf("took in the intermediate CA %q, valid until %s", path[0].Subject.CommonName, path[0].NotAfter.UTC().Format(time.DateOnly)))
	o.warnAll(slices.Concat(key.Warnings, warnings))
	return o.report(a)
}

// readPath returns the certificate and those above it, the root last.
func (o *intermediateOptions) readPath() ([]*x509.Certificate, error) {
	var all []*x509.Certificate
	for _, file := range append(append([]string{o.certificate}, o.chain...), o.root) {
		data, err := readInput(file, o.inputs.Stdin)
		if err != nil {
			return nil, err
		}
		certs, err := cadir.ParseCertificates(data)
		if slices.Contains(o.chain, file) && is[*ca.UnreadableError](err) {
			o.warn(fmt.Sprintf("%s: %v", file, err))
			err = nil
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		all = append(all, certs...)
	}
	if root := all[len(all)-1]; !ca.IsRoot(root) {
		return nil, fmt.Errorf("%s is not a root: %q is issued by %q", o.root, root.Subject, root.Issuer)
	}
	if ca.IsRoot(all[0]) {
		return nil, fmt.Errorf("%s is a root; give the certificate of the intermediate", o.certificate)
	}
	return append(all[:1:1], ca.IssuersAmong(all[0], all)...), nil
}
