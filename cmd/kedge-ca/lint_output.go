package main

import (
	"bytes"
	"fmt"
	"io"
	"iter"
	"time"

	"kedge/ca"
	"kedge/internal/report"
)

func (o *lintOptions) write(all []linted) error {
	switch {
	case o.output.json:
		documents := make([]lintJSON, len(all))
		for i := range all {
			documents[i] = all[i].document()
		}
		return report.WriteJSON(o.Out, struct {
			Certificates []lintJSON `json:"certificates"`
		}{documents})
	case o.output.csv:
		return lintListing().Write(o.Out, o.output.format(), findingsOf(all))
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
	return report.Write(o.Out, text.Bytes())
}

// writeText writes one certificate for a person.
func (l *linted) writeText(out io.Writer) error {
	c := l.cert
	fields := []report.Field{
		{"file", l.file},
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
	if len(l.findings) == 0 {
		fields = append(fields, report.Field{"findings", "none"})
	}
	if err := report.WriteFields(out, fields); err != nil || len(l.findings) == 0 {
		return err
	}
	list := lintListing()
	list.Columns = list.Columns[2:] // file and certificate are above
	return list.Write(out, report.Text, findingsOf([]linted{*l}))
}

// found is a finding with its certificate.
type found struct {
	*linted
	ca.Finding
}

func findingsOf(all []linted) iter.Seq2[found, error] {
	return func(yield func(found, error) bool) {
		for i := range all {
			for _, f := range all[i].findings {
				if !yield(found{&all[i], f}, nil) {
					return
				}
			}
		}
	}
}

func lintListing() report.Listing[found] {
	return report.Listing[found]{Columns: []report.Column[found]{
		{Head: "file", Value: func(f found) string { return f.file }},
		{Head: "certificate", Value: func(f found) string { return f.cert.Subject.String() }},
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

// tagsJSON are session tags in JSON documents. No key is there twice.
func tagsJSON(tags []ca.Tag) map[string]string {
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

func (l *linted) document() lintJSON {
	c := l.cert
	d := lintJSON{
		File: l.file, Subject: c.Subject.String(), Serial: ca.SerialHex(c), Kind: l.kind(),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(), Findings: []findingJSON{},
	}
	if !c.IsCA {
		tags := ca.SessionTags(c)
		d.SourceIdentity, d.SessionName, d.PackedSize = ca.SourceIdentity(c), ca.SerialHex(c), ca.PackedSize(tags)
		d.SessionTags = tagsJSON(tags)
	}
	for _, f := range l.findings {
		d.Findings = append(d.Findings, findingJSON{f.Rule, f.Severity.String(), f.Text, f.Source})
	}
	return d
}
