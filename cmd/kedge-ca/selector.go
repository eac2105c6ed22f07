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

// maxNamed is how many certificates are reported individually.
const maxNamed = 10

// reportChanged reports the certificates that were changed, and how many were skipped.
func (h host) reportChanged(done string, changed *issuance.Changed, skipped int, output outputFlags) error {
	if len(changed.Certificates) > maxNamed {
		h.say(fmt.Sprintf("%s %d certificates", done, len(changed.Certificates)))
	} else {
		for _, c := range changed.Certificates {
			of := ""
			if c.Host != "" {
				of = fmt.Sprintf(" of the host %q", c.Host)
			}
			h.say(fmt.Sprintf("%s %q%s, serial %s", done, c.Subject, of, c.Serial))
		}
	}
	if skipped > 0 {
		h.say(fmt.Sprintf("left %d others that are named so as they were", skipped))
	}
	if !output.json {
		return nil
	}
	all, err := certinfo.All(changed.Certificates, h.inputs.Now())
	if err != nil {
		return err
	}
	return report.WriteJSON(h.Out, struct {
		Certificates []certinfo.Certificate `json:"certificates"`
	}{all})
}

// reportNext reports the next steps until a revocation, or the end of a hold, takes effect.
func (h host) reportNext(changed *issuance.Changed) {
	h.warnAll(changed.Warnings)
	command := "it counts once the list is imported: make it with kedge-ca crl"
	for _, a := range changed.Behind {
		command += " --issuer " + a.Name
	}
	h.say(command)
}
