package awsadmin

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/internal/report"
)

// Linted is what was found in a trust policy.
type Linted struct {
	File     string // where it is
	Findings []ca.Finding
	Reach    Reach
}

// Errors returns the number of findings that are errors.
func (l *Linted) Errors() (n int) {
	for _, f := range l.Findings {
		if f.Severity == ca.Error {
			n++
		}
	}
	return n
}

// Write writes the findings and, except in CSV, the hosts that get the role.
func (l *Linted) Write(out io.Writer, f report.Format) error {
	switch f {
	case report.JSON:
		return report.WriteJSON(out, l.document())
	case report.CSV:
		return findings(l.File).Write(out, f, records(l.Findings))
	}
	var text bytes.Buffer
	fields := []report.Field{{"file", l.File}, {"hosts that get the role", l.Reach.String()}}
	if len(l.Findings) == 0 {
		fields = append(fields, report.Field{"findings", "none"})
	}
	if err := report.WriteFields(&text, fields); err != nil {
		return err
	}
	if len(l.Findings) > 0 {
		table := findings(l.File)
		table.Columns = table.Columns[1:] // the file is above
		if err := table.Write(&text, f, records(l.Findings)); err != nil {
			return err
		}
	}
	return report.Write(out, text.Bytes())
}

// Notes returns the lines about a policy that is written: what was found, and the hosts that get the role.
func (l *Linted) Notes() (notes report.Notes) {
	for _, f := range l.Findings {
		notes.Warn("%s", f.Text)
	}
	if len(l.Reach.Names) > 0 {
		notes.Done("hosts of the ledger that get the role: %s", l.Reach)
	}
	return notes
}

// String names the hosts: "2 of 30: web-01, web-02".
func (r Reach) String() string {
	text := fmt.Sprintf("%d of %d", len(r.Names), r.Hosts)
	if len(r.Names) > 0 {
		text += ": " + report.FirstOf(r.Names[:min(len(r.Names), report.MaxNamed)], report.MaxNamed, len(r.Names))
	}
	return text
}

func findings(file string) report.Listing[ca.Finding] {
	return report.Listing[ca.Finding]{Columns: []report.Column[ca.Finding]{
		{Head: "file", Value: func(ca.Finding) string { return file }},
		{Head: "severity", Value: func(f ca.Finding) string { return f.Severity.String() }},
		{Head: "rule", Value: func(f ca.Finding) string { return f.Rule }},
		{Head: "text", Value: func(f ca.Finding) string { return f.Text }},
		{Head: "source", Value: func(f ca.Finding) string { return f.Source }},
	}}
}

// records yields values that are there.
func records[T any](values []T) func(func(T, error) bool) {
	return func(yield func(T, error) bool) {
		for _, v := range values {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// lintDocument is the JSON document of aws policy lint.
type lintDocument struct {
	File     string            `json:"file"`
	Hosts    []string          `json:"hosts"`           // that get the role
	InLedger int               `json:"hosts_in_ledger"` // with a certificate that is valid
	Findings []findingDocument `json:"findings"`
}

type findingDocument struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"` // error or warning
	Text     string `json:"text"`
	Source   string `json:"source"`
}

func (l *Linted) document() lintDocument {
	d := lintDocument{File: l.File, Hosts: slices.Concat([]string{}, l.Reach.Names), InLedger: l.Reach.Hosts, Findings: []findingDocument{}}
	for _, f := range l.Findings {
		d.Findings = append(d.Findings, findingDocument{f.Rule, f.Severity.String(), f.Text, f.Source})
	}
	return d
}

// LintError reports that a trust policy breaks rules. The findings have been written.
type LintError struct {
	File   string
	Errors int
}

func (e *LintError) Error() string {
	return fmt.Sprintf("%s in %s", report.Count(e.Errors, "error"), cmp.Or(e.File, "the trust policy"))
}

// Err returns a *LintError if there are errors among the findings.
func (l *Linted) Err() error {
	if n := l.Errors(); n > 0 {
		return &LintError{File: l.File, Errors: n}
	}
	return nil
}

// Check lints a trust policy, or what "aws iam get-role" prints, and finds the hosts that get the role.
func (l Linter) Check(file string, data []byte, hosts iter.Seq2[issuance.Host, error]) (*Linted, error) {
	trust, err := ReadTrust(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	reach, err := l.Reach(trust, hosts)
	return &Linted{File: file, Findings: append(l.Lint(trust), reach.findings()...), Reach: reach}, err
}
