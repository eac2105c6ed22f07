package main

import (
	"bytes"
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/signer"
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
		Short: "Hold certificates against what IAM Roles Anywhere accepts",
		Long: `Hold each certificate in the files against what IAM Roles Anywhere accepts and what RFC 5280
asks, and show what it breaks, with the source of each rule. The certificates may be of any CA,
PEM, DER or base64, in UTF-8 or UTF-16; - is standard input. Issuers are looked for among all certificates that are given,
so give the chain too if the path is to be looked at.

Of a leaf it shows what its sessions get: source identity, session name, and the session tags
under the default attribute mapping.

The findings are on standard output also when there are errors, and the exit code is 1 then.`,
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

// linted is a certificate that was looked at.
type linted struct {
	file     string
	cert     *x509.Certificate
	anchor   bool // held against the rules for a trust anchor
	findings []ca.Finding
}

func runLint(_ context.Context, o *lintOptions) error {
	all, err := o.read()
	if err != nil {
		return err
	}
	certs := make([]*x509.Certificate, len(all))
	for i := range all {
		certs[i] = all[i].cert
	}
	failed, broken := 0, 0
	for i := range all {
		n := all[i].lint(certs, o.allow, o.inputs.Now())
		broken += n
		failed += min(n, 1)
	}
	if err := o.write(all); err != nil {
		return err
	}
	if broken > 0 {
		return &lintedError{errors: broken, failed: failed, all: len(all)}
	}
	return nil
}

// lintedError says that certificates break rules. What they break was written already.
type lintedError struct{ errors, failed, all int }

func (e *lintedError) Error() string {
	return fmt.Sprintf("%s in %d of %s", count(e.errors, "error"), e.failed, count(e.all, "certificate"))
}

// count writes a number of things: "1 host", "2 hosts".
func count(n int, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

func (o *lintOptions) read() ([]linted, error) {
	var all []linted
	for _, path := range o.files {
		data, err := readInput(path, o.inputs.Stdin)
		if err != nil {
			return nil, err
		}
		certs, err := parseCertificates(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		for _, cert := range certs {
			all = append(all, linted{file: path, cert: cert})
		}
	}
	return all, nil
}

// readInput reads a file with certificates, or standard input for "-".
func readInput(path string, stdin io.Reader) ([]byte, error) {
	if path != "-" {
		return signer.File(path).Read()
	}
	data, err := io.ReadAll(io.LimitReader(stdin, signer.MaxFile+1))
	if err != nil {
		return nil, fmt.Errorf("standard input: %w", err)
	}
	return signer.Bytes("standard input", data).Read()
}

// lint fills in the findings, and returns how many of them are errors.
func (l *linted) lint(all []*x509.Certificate, allow []string, now time.Time) (errors int) {
	issuers := issuersOf(l.cert, all)
	l.anchor = len(issuers) == 0 && bytes.Equal(l.cert.RawSubject, l.cert.RawIssuer)
	for _, f := range ca.LintAt(l.cert, issuers, now) {
		if f.Severity == ca.Error {
			errors++
		} else if slices.Contains(allow, f.Rule) {
			continue
		}
		l.findings = append(l.findings, f)
	}
	return errors
}

// issuersOf returns the certificates above one, as far as they are among all.
func issuersOf(cert *x509.Certificate, all []*x509.Certificate) []*x509.Certificate {
	var path []*x509.Certificate
	for below := cert; len(path) < len(all) && !isRoot(below); {
		i := slices.IndexFunc(all, func(c *x509.Certificate) bool {
			return !c.Equal(below) && bytes.Equal(c.RawSubject, below.RawIssuer) && below.CheckSignatureFrom(c) == nil
		})
		if i < 0 {
			break
		}
		below = all[i]
		path = append(path, below)
	}
	return path
}

func (l *linted) kind() string {
	switch {
	case l.anchor:
		return "trust anchor"
	case l.cert.IsCA:
		return "intermediate"
	}
	return "leaf"
}
