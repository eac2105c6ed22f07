package main

import (
	"context"
	"crypto/x509"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"kedge/internal/cadir"
	"kedge/internal/certinfo"
	"kedge/internal/report"
)

type lintOptions struct {
	host
	output outputFlags
	allow  allowFlag
	files  []string
}

func newLint(h host, run func(context.Context, *lintOptions) error) *cobra.Command {
	o := &lintOptions{host: h}
	cmd := &cobra.Command{
		Use:   "lint <file>...",
		Short: "Check certificates against what IAM Roles Anywhere accepts",
		Long: `Check each certificate in the files against what IAM Roles Anywhere accepts and what RFC 5280
requires, and show which rules it breaks, with the source of each. The certificates may be of any CA,
PEM, DER or base64, in UTF-8 or UTF-16; - is standard input. Issuers are searched among all certificates
that are given: give the chain too, to have the path checked.

Of a leaf it shows what its sessions get: source identity, session name, and the session tags
under the default attribute mapping.

The findings are on standard output also when there are errors, or when a file cannot be read, and the exit
code is 1 then.`,
		Example: `  kedge-ca lint ca/ca.pem
  kedge-ca lint web-01.pem web-01.chain.pem --json`,
		Args: atLeastOne("give the files: kedge-ca lint FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return run(cmd.Context(), o)
		},
	}
	o.output.addList(cmd)
	o.allow.add(cmd)
	return cmd
}

func runLint(_ context.Context, o *lintOptions) error {
	all, unreadable := o.read()
	if len(all) == 0 {
		return &lintedError{unreadable: unreadable}
	}
	certs := make([]*x509.Certificate, len(all))
	for i := range all {
		certs[i] = all[i].Cert
	}
	failed, broken := 0, 0
	for i := range all {
		n := all[i].Lint(certs, o.allow, o.inputs.Now())
		broken += n
		failed += min(n, 1)
	}
	if err := certinfo.WriteLint(o.Out, o.output.format(), all); err != nil {
		return err
	}
	if broken > 0 || len(unreadable) > 0 {
		return &lintedError{errors: broken, failed: failed, all: len(all), unreadable: unreadable}
	}
	return nil
}

// lintedError reports that certificates break rules, or cannot be read. The findings about those that can have been
// written.
type lintedError struct {
	errors, failed, all int
	unreadable          []error // which files or certificates cannot be read, and why
}

func (e *lintedError) Error() string {
	var texts []string
	for _, err := range e.unreadable {
		texts = append(texts, err.Error())
	}
	if e.errors > 0 {
		texts = append(texts, fmt.Sprintf("%s in %d of %s", report.Count(e.errors, "error"), e.failed, report.Count(e.all, "certificate")))
	}
	return strings.Join(texts, "; ")
}

func (e *lintedError) Unwrap() []error { return e.unreadable }

// read returns the certificates that can be read, and the errors of the files that cannot, or of which only a part can.
func (o *lintOptions) read() (all []certinfo.Linted, unreadable []error) {
	for _, path := range o.files {
		certs, err := o.readFile(path)
		if err != nil {
			unreadable = append(unreadable, err)
		}
		for _, cert := range certs {
			all = append(all, certinfo.Linted{File: path, Cert: cert})
		}
	}
	return all, unreadable
}

// readFile returns the certificates in a file that can be read, also with an error.
func (o *lintOptions) readFile(path string) ([]*x509.Certificate, error) {
	data, err := cadir.ReadInput(path, o.inputs.Stdin)
	if err != nil {
		return nil, err
	}
	certs, err := cadir.ParseCertificates(data)
	if err != nil {
		return certs, fmt.Errorf("%s: %w", path, err)
	}
	return certs, nil
}
