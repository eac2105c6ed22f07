package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
)

// selectorFlags name certificates that something is to be done with: words, which are read as
// by who, and flags that leave no doubt.
type selectorFlags struct {
	serials, fingerprints, files, subjects, hosts []string

	all []selector
}

// selector is one name, with how it can be read. A precise one means one certificate, which must
// be fit for what is to be done with it; of the others those are taken that are.
type selector struct {
	text    string
	queries []query
	word    bool // in it a * is a character; in a flag it stands for any
	precise bool
}

func (f *selectorFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.serials, "serial", nil, "the certificate with the serial `NUMBER`, hex or decimal; may be repeated, as all of these")
	flags.StringArrayVar(&f.fingerprints, "fingerprint", nil, "the certificate with the SHA-256 `HASH`")
	flags.StringArrayVar(&f.files, "file", nil, "the certificate in the `FILE`")
	flags.StringArrayVar(&f.subjects, "subject", nil, "those with the subject `NAME`: a common name, or a distinguished name in any order; * stands for any characters")
	flags.StringArrayVar(&f.hosts, "host", nil, "those of the host `NAME`; * stands for any characters")
}

// set checks what was given.
func (f *selectorFlags) set(words []string) error {
	for _, word := range words {
		all, err := parseQueries(word)
		if err != nil {
			return err
		}
		f.all = append(f.all, selector{text: word, queries: all, word: true})
	}
	for _, flag := range []struct {
		name   string
		what   string
		values []string
		read   func(string) []query
	}{
		{"serial", "a serial number, hex or decimal", f.serials, only(bySerial)},
		{"fingerprint", "a SHA-256, 64 digits in hex", f.fingerprints, only(byFingerprint)},
		{"file", "a file", f.files, func(path string) []query { return []query{{byFile, path}} }},
		{"subject", "a name", f.subjects, subjectQueries},
		{"host", "a name", f.hosts, func(name string) []query { return []query{{byHost, name}} }},
	} {
		for _, value := range flag.values {
			all := flag.read(value)
			if len(all) == 0 || value == "" {
				return fmt.Errorf("--%s: %q is not %s", flag.name, value, flag.what)
			}
			f.all = append(f.all, selector{text: value, queries: all, precise: flag.name != "subject" && flag.name != "host"})
		}
	}
	if len(f.all) == 0 {
		return errors.New("nothing is named: give a name, --serial, --fingerprint, --file, --subject or --host")
	}
	return nil
}

// only returns the queries of a number that are of one kind.
func only(kind queryKind) func(string) []query {
	return func(text string) []query {
		var all []query
		for _, r := range numberQueries(text) {
			if r.kind == kind {
				all = append(all, r)
			}
		}
		return all
	}
}

func subjectQueries(text string) []query {
	var all []query
	for _, name := range subjects(text) {
		all = append(all, query{bySubject, name})
	}
	if len(all) == 0 {
		all = append(all, query{bySubject, text}) // a common name, or a pattern
	}
	return all
}

// selection is what was named and can be taken.
type selection struct {
	certs   []ledger.Certificate
	skipped int // named as well, and not fit
}

// choose returns the certificates that are named. usable says why one is not fit; a selector
// must have one that is. Nothing but an error is returned when a selector has none.
func (s *store) choose(ctx context.Context, f *selectorFlags, usable func(*ledger.Certificate) error) (*selection, error) {
	chosen := &selection{}
	seen := map[int64]bool{}
	for _, t := range f.all {
		if !t.word && t.queries[0].kind == byFile {
			if _, err := readCertificate(t.text); err != nil { // it was meant, and not one way among others
				return nil, err
			}
		}
		matches, err := s.read(ctx, t.text, t.queries, t.keeps)
		if err != nil {
			return nil, err
		}
		fit := false
		var unfit error
		for _, one := range matches {
			switch err := usable(&one.Certificate); {
			case err != nil && t.precise:
				return nil, err
			case err != nil:
				unfit = err
				chosen.skipped++
				continue
			}
			fit = true
			if !seen[one.Seq] {
				seen[one.Seq] = true
				chosen.certs = append(chosen.certs, one.Certificate)
			}
		}
		if !fit {
			return nil, unfit
		}
	}
	return chosen, nil
}

func (t selector) keeps(r query, c *ledger.Certificate) bool { return !t.word || r.is(c) }

// maxNamed is how many certificates are reported one by one.
const maxNamed = 10

// reportChanged tells what was done with the certificates, as they are in the ledger now.
func (s *store) reportChanged(ctx context.Context, done string, chosen *selection, output outputFlags) error {
	for i, c := range chosen.certs {
		var err error
		if chosen.certs[i], err = s.ledger.Certificate(ctx, c.Fingerprint); err != nil {
			return err
		}
	}
	if len(chosen.certs) > maxNamed {
		s.host.say(fmt.Sprintf("%s %d certificates", done, len(chosen.certs)))
	} else {
		for _, c := range chosen.certs {
			of := ""
			if c.Host != "" {
				of = fmt.Sprintf(" of the host %q", c.Host)
			}
			s.host.say(fmt.Sprintf("%s %q%s, serial %s", done, c.Subject, of, c.Serial))
		}
	}
	if chosen.skipped > 0 {
		s.host.say(fmt.Sprintf("left %d others that are named so as they were", chosen.skipped))
	}
	if !output.json {
		return nil
	}
	all, err := describeAll(chosen.certs, s.host.inputs.Now())
	if err != nil {
		return err
	}
	return writeJSON(s.host.Out, struct {
		Certificates []certificateJSON `json:"certificates"`
	}{all})
}

func fingerprints(certs []ledger.Certificate) [][]byte {
	var all [][]byte
	for _, c := range certs {
		all = append(all, c.Fingerprint)
	}
	return all
}
