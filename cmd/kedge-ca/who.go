package main

import (
	"context"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
)

type whoOptions struct {
	host
	store  storeFlags
	output outputFlags
	text   string
}

func newWho(h host, run func(context.Context, *whoOptions) error) *cobra.Command {
	o := &whoOptions{host: h}
	cmd := &cobra.Command{
		Use:   "who <name>",
		Short: "Find the certificate and host behind a name in CloudTrail",
		Long: `Find the certificates and hosts behind a name, as CloudTrail, openssl or a person writes it:
a session name, source identity, ARN or principal id of an assumed role, a distinguished name
in any usual order, a serial in hex (with or without colons) or decimal, a SHA-256
fingerprint, a certificate file, a common name, host or subject alternative name. All that
are found are listed, each with what it was found by.`,
		Example: `  kedge-ca who CN=web-01
  kedge-ca who arn:aws:sts::111122223333:assumed-role/web/web-01`,
		Args: exactlyOne("give what is to be found: kedge-ca who NAME", "one name, in quotes if it has spaces"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.text = args[0]
			return run(cmd.Context(), o)
		},
	}
	o.store.addFolder(cmd)
	o.output.addList(cmd)
	return cmd
}

func runWho(ctx context.Context, o *whoOptions) (err error) {
	s, err := readStore(ctx, o.host, &o.store)
	if err != nil {
		return err
	}
	defer s.close(&err)
	found, err := s.who(ctx, o.text)
	if err != nil {
		return err
	}
	return whoListing().write(o.Out, o.output, func(yield func(whoJSON, error) bool) {
		for _, f := range found {
			d, err := o.output.describe(f.Certificate, o.inputs.Now())
			if !yield(whoJSON{f.by.String(), d}, err) || err != nil {
				return
			}
		}
	})
}

// match is a certificate and what it was found by.
type match struct {
	ledger.Certificate
	by queryKind
}

// who returns every certificate that text can mean, those of the likeliest query first. When
// there is none, the error is a *noneNamedError.
func (s *store) who(ctx context.Context, text string) ([]match, error) {
	all, err := parseQueries(text)
	if err != nil {
		return nil, err
	}
	return s.read(ctx, text, all, query.is)
}

// read returns every certificate that a query of text finds and that keep takes.
func (s *store) read(ctx context.Context, text string, all []query, keep func(query, *ledger.Certificate) bool) ([]match, error) {
	var matches []match
	seen := map[int64]bool{}
	for _, r := range all {
		f, ok, err := r.filter(ledger.Filter{})
		if err != nil {
			return nil, err
		}
		if !ok {
			continue
		}
		for c, err := range s.ledger.List(ctx, f) {
			if err != nil {
				return nil, err
			}
			if !seen[c.Seq] && keep(r, &c) {
				seen[c.Seq] = true
				matches = append(matches, match{c, r.kind})
			}
		}
	}
	if len(matches) == 0 {
		return nil, &noneNamedError{strings.TrimSpace(text)}
	}
	return matches, nil
}

// is reports whether the query names the certificate to the letter. For a filter a * stands for
// any characters; in a name it is one.
func (r query) is(c *ledger.Certificate) bool {
	if !strings.Contains(r.value, "*") {
		return true
	}
	switch r.kind {
	case bySubject:
		return c.Subject == r.value
	case byCommonName:
		return c.CommonName == r.value
	case byHost:
		return c.Host == r.value
	case bySAN:
		names, err := c.SANs()
		all := slices.Concat(names.URIs, names.IPs, names.Emails)
		return err == nil && (slices.Contains(all, r.value) || slices.ContainsFunc(names.DNS, func(name string) bool { return strings.EqualFold(name, r.value) }))
	}
	return true
}

type whoJSON struct {
	FoundBy string `json:"found_by"` // serial, subject, common name, …
	certificateJSON
}

func whoListing() listing[whoJSON] {
	by := column[whoJSON]{"found by", func(w whoJSON) string { return w.FoundBy }}
	columns, lines := []column[whoJSON]{}, []column[whoJSON]{by}
	for _, c := range certificateColumns() {
		columns = append(columns, column[whoJSON]{c.head, func(w whoJSON) string { return c.value(w.certificateJSON) }})
	}
	for _, c := range certificateCSV() {
		lines = append(lines, column[whoJSON]{c.head, func(w whoJSON) string { return c.value(w.certificateJSON) }})
	}
	return listing[whoJSON]{key: "certificates", json: func(w whoJSON) any { return w }, columns: append(columns, by), csv: lines}
}
