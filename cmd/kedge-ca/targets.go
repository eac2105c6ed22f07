package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/ledger"
)

// targetFlags name certificates that something is to be done with: words, which are read as
// by who, and flags that leave no doubt.
type targetFlags struct {
	serials, fingerprints, files, subjects, hosts []string

	all []target
}

// target is one name, with how it can be read. A precise one means one certificate, which must
// be fit for what is to be done with it; of the others those are taken that are.
type target struct {
	text     string
	readings []reading
	word     bool // in it a * is a character; in a flag it stands for any
	precise  bool
}

func (f *targetFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.serials, "serial", nil, "the certificate with the serial `NUMBER`, hex or decimal; may be repeated, as all of these")
	flags.StringArrayVar(&f.fingerprints, "fingerprint", nil, "the certificate with the SHA-256 `HASH`")
	flags.StringArrayVar(&f.files, "file", nil, "the certificate in the `FILE`")
	flags.StringArrayVar(&f.subjects, "subject", nil, "those with the subject `NAME`: a common name, or a distinguished name in any order; * stands for any characters")
	flags.StringArrayVar(&f.hosts, "host", nil, "those of the host `NAME`; * stands for any characters")
}

// set checks what was given.
func (f *targetFlags) set(words []string) error {
	for _, word := range words {
		all, err := readings(word)
		if err != nil {
			return err
		}
		f.all = append(f.all, target{text: word, readings: all, word: true})
	}
	for _, flag := range []struct {
		name   string
		what   string
		values []string
		read   func(string) []reading
	}{
		{"serial", "a serial number, hex or decimal", f.serials, only(bySerial)},
		{"fingerprint", "a SHA-256, 64 digits in hex", f.fingerprints, only(byFingerprint)},
		{"file", "a file", f.files, func(path string) []reading { return []reading{{byFile, path}} }},
		{"subject", "a name", f.subjects, subjectReadings},
		{"host", "a name", f.hosts, func(name string) []reading { return []reading{{byHost, name}} }},
	} {
		for _, value := range flag.values {
			all := flag.read(value)
			if len(all) == 0 || value == "" {
				return fmt.Errorf("--%s: %q is not %s", flag.name, value, flag.what)
			}
			f.all = append(f.all, target{text: value, readings: all, precise: flag.name != "subject" && flag.name != "host"})
		}
	}
	if len(f.all) == 0 {
		return errors.New("nothing is named: give a name, --serial, --fingerprint, --file, --subject or --host")
	}
	return nil
}

// only returns the readings of a number that are of one kind.
func only(kind targetKind) func(string) []reading {
	return func(text string) []reading {
		var all []reading
		for _, r := range numberReadings(text) {
			if r.kind == kind {
				all = append(all, r)
			}
		}
		return all
	}
}

func subjectReadings(text string) []reading {
	var all []reading
	for _, name := range subjects(text) {
		all = append(all, reading{bySubject, name})
	}
	if len(all) == 0 {
		all = append(all, reading{bySubject, text}) // a common name, or a pattern
	}
	return all
}

// choice is what was named and can be taken.
type choice struct {
	certs   []ledger.Certificate
	skipped int // named as well, and not fit
}

// choose returns the certificates that are named. usable says why one is not fit; a target
// must have one that is. Nothing but an error is returned when a target has none.
func (s *store) choose(ctx context.Context, f *targetFlags, usable func(*ledger.Certificate) error) (*choice, error) {
	chosen := &choice{}
	seen := map[int64]bool{}
	for _, t := range f.all {
		if !t.word && t.readings[0].kind == byFile {
			if _, err := readCertificate(t.text); err != nil { // it was meant, and not one way among others
				return nil, err
			}
		}
		hits, err := s.read(ctx, t.text, t.readings, t.keeps)
		if err != nil {
			return nil, err
		}
		fit := false
		var unfit error
		for _, one := range hits {
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

func (t target) keeps(r reading, c *ledger.Certificate) bool { return !t.word || r.is(c) }

// maxNamed is how many certificates are reported one by one.
const maxNamed = 10

// reportChanged tells what was done with the certificates, as they are in the ledger now.
func (s *store) reportChanged(ctx context.Context, done string, chosen *choice, output outputFlags) error {
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
