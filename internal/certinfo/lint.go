package certinfo

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"io"
	"iter"
	"slices"
	"time"

	"kedge/ca"
	"kedge/internal/report"
)

// WriteLint writes what was found in certificates.
func WriteLint(out io.Writer, f report.Format, all []Linted) error {
	switch f {
	case report.JSON:
		documents := make([]lintJSON, len(all))
		for i := range all {
			documents[i] = all[i].document()
		}
		return report.WriteJSON(out, struct {
			Certificates []lintJSON `json:"certificates"`
		}{documents})
	case report.CSV:
		return lintListing().Write(out, f, findingsOf(all))
	}
	var text bytes.Buffer
	for i := range all {
		if i > 0 {
			fmt.Fprintln(&text)
		}
		if err := all[i].writeText(&text); err != nil {
			return err
		}
	}
	return report.Write(out, text.Bytes())
}

// Linted is a certificate that was checked.
type Linted struct {
	File     string // where it is
	Cert     *x509.Certificate
	Anchor   bool // held against the rules for a trust anchor
	Findings []ca.Finding
}

// Lint fills in the findings, and returns how many of them are errors.
func (l *Linted) Lint(all []*x509.Certificate, allow []string, now time.Time) (errors int) {
	issuers := ca.IssuersAmong(l.Cert, all)
	l.Anchor = len(issuers) == 0 && bytes.Equal(l.Cert.RawSubject, l.Cert.RawIssuer)
	for _, f := range ca.LintAt(l.Cert, issuers, now) {
		if f.Severity == ca.Error {
			errors++
		} else if slices.Contains(allow, f.Rule) {
			continue
		}
		l.Findings = append(l.Findings, f)
	}
	return errors
}

func (l *Linted) kind() string {
	switch {
	case l.Anchor:
		return "trust anchor"
	case l.Cert.IsCA:
		return "intermediate"
	}
	return "leaf"
}

// writeText writes one certificate for a person.
func (l *Linted) writeText(out io.Writer) error {
	c := l.Cert
	fields := []report.Field{
		{"file", l.File},
		{"certificate", c.Subject.String()},
		{"kind", l.kind()},
		{"valid", c.NotBefore.UTC().Format(time.RFC3339) + " to " + c.NotAfter.UTC().Format(time.RFC3339)},
	}
	if !c.IsCA {
		tags := ca.SessionTags(c)
		fields = append(fields, report.Field{"source identity", ca.SourceIdentity(c)}, report.Field{"session name", ca.SerialHex(c)})
		for _, tag := range tags {
			fields = append(fields, report.Field{"session tag", tag.Key + "=" + tag.Value})
		}
		fields = append(fields, report.Field{"room for tags", fmt.Sprintf("about %d %% taken", ca.PackedSize(tags))})
	}
	if len(l.Findings) == 0 {
		fields = append(fields, report.Field{"findings", "none"})
	}
	if err := report.WriteFields(out, fields); err != nil || len(l.Findings) == 0 {
		return err
	}
	list := lintListing()
	list.Columns = list.Columns[2:] // file and certificate are above
	return list.Write(out, report.Text, findingsOf([]Linted{*l}))
}

// found is a finding with its certificate.
type found struct {
	*Linted
	ca.Finding
}

func findingsOf(all []Linted) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for i := range all {
			for _, f := range all[i].Findings {
				if !yield(found{&all[i], f}, nil) {
					return
				}
			}
		}
	}
}

func lintListing() report.Listing[found] {
	return report.Listing[found]{Columns: []report.Column[found]{
		{Head: "file", Value: func(f found) string { return f.File }},
		{Head: "certificate", Value: func(f found) string { return f.Cert.Subject.String() }},
		{Head: "severity", Value: func(f found) string { return f.Severity.String() }},
		{Head: "rule", Value: func(f found) string { return f.Rule }},
		{Head: "text", Value: func(f found) string { return f.Text }},
		{Head: "source", Value: func(f found) string { return f.Source }},
	}}
}

// lintJSON is a certificate in the JSON document of lint.
type lintJSON struct {
	File           string            `json:"file"`
	Subject        string            `json:"subject"` // RFC 2253
	Serial         string            `json:"serial"`
	Kind           string            `json:"kind"` // trust anchor, intermediate or leaf
	NotBefore      time.Time         `json:"not_before"`
	NotAfter       time.Time         `json:"not_after"`
	SourceIdentity string            `json:"source_identity,omitempty"`
	SessionName    string            `json:"session_name,omitempty"`
	SessionTags    map[string]string `json:"session_tags,omitempty"`
	PackedSize     int               `json:"packed_size_percent,omitempty"` // an estimate
	Findings       []findingJSON     `json:"findings"`
}

// Tags are session tags in JSON documents. No key is there twice.
func Tags(tags []ca.Tag) map[string]string {
	all := map[string]string{}
	for _, tag := range tags {
		all[tag.Key] = tag.Value
	}
	return all
}

type findingJSON struct {
	Rule     string `json:"rule"`
	Severity string `json:"severity"` // error or warning
	Text     string `json:"text"`
	Source   string `json:"source"`
}

func (l *Linted) document() lintJSON {
	c := l.Cert
	d := lintJSON{
		File: l.File, Subject: c.Subject.String(), Serial: ca.SerialHex(c), Kind: l.kind(),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Findings: []findingJSON{},
	}
	if !c.IsCA {
		tags := ca.SessionTags(c)
		d.SourceIdentity, d.SessionName, d.PackedSize = ca.SourceIdentity(c), ca.SerialHex(c), ca.PackedSize(tags)
		d.SessionTags = Tags(tags)
	}
	for _, f := range l.Findings {
		d.Findings = append(d.Findings, findingJSON{f.Rule, f.Severity.String(), f.Text, f.Source})
	}
	return d
}
