package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"kedge/ca/issuance"
	"kedge/internal/certinfo"
	"kedge/internal/report"
)

// selectorFlags select certificates for an operation: arguments, which are parsed as by who, and
// unambiguous flags.
type selectorFlags struct {
	serials, fingerprints, files, subjects, hosts []string

	all []issuance.Selector
}

func (f *selectorFlags) add(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringArrayVar(&f.serials, "serial", nil, "the certificate with the serial `NUMBER`, hex or decimal; may be repeated, as all of these")
	flags.StringArrayVar(&f.fingerprints, "fingerprint", nil, "the certificate with the SHA-256 `HASH`")
	flags.StringArrayVar(&f.files, "file", nil, "the certificate in the `FILE`")
	flags.StringArrayVar(&f.subjects, "subject", nil, "those with the subject `NAME`: a common name, or a distinguished name in any order; * stands for any characters")
	flags.StringArrayVar(&f.hosts, "host", nil, "those of the host `NAME`; * stands for any characters")
}

// set parses the arguments and checks the flags.
func (f *selectorFlags) set(words []string) error {
	for _, word := range words {
		one, err := issuance.SelectName(word)
		if err != nil {
			return err
		}
		f.all = append(f.all, one)
	}
	for _, flag := range []struct {
		name   string
		values []string
		read   func(string) (issuance.Selector, error)
	}{
		{"serial", f.serials, issuance.SelectSerial},
		{"fingerprint", f.fingerprints, issuance.SelectFingerprint},
		{"file", f.files, issuance.SelectFile},
		{"subject", f.subjects, issuance.SelectSubject},
		{"host", f.hosts, issuance.SelectHost},
	} {
		for _, value := range flag.values {
			one, err := flag.read(value)
			if err != nil {
				return fmt.Errorf("--%s: %w", flag.name, err)
			}
			f.all = append(f.all, one)
		}
	}
	if len(f.all) == 0 {
		return errors.New("nothing is named: give a name, --serial, --fingerprint, --file, --subject or --host")
	}
	return nil
}

// reportChange reports certificates that were changed, what else was done, and what is left to do.
func (o *caOptions) reportChange(c certinfo.Change, done ...string) error {
	o.note(c.Notes())
	if o.output.json {
		document, err := c.Document(o.inputs.Now())
		if err != nil {
			return err
		}
		if err := report.WriteJSON(o.Out, document); err != nil {
			return err
		}
	}
	for _, text := range done {
		o.say(text)
	}
	o.note(c.Next())
	return nil
}
