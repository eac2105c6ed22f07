package certinfo

import (
	"fmt"
	"slices"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// Change describes certificates that were revoked or released.
type Change struct {
	Done    string // the verb
	Changed *issuance.Changed
	Skipped int // others that were named
}

// Notes returns which certificates were changed, and how many were left as they were.
func (c Change) Notes() (n report.Notes) {
	if all := c.Changed.Certificates; len(all) > report.MaxNamed {
		n.Done("%s %d certificates", c.Done, len(all))
	} else {
		for _, one := range all {
			of := ""
			if one.Host != "" {
				of = fmt.Sprintf(" of the host %q", one.Host)
			}
			n.Done("%s %q%s, serial %s", c.Done, one.Subject, of, one.Serial)
		}
	}
	if c.Skipped > 0 {
		n.Done("left %d others that are named so as they were", c.Skipped)
	}
	return n
}

// Document is the JSON document of a change.
func (c Change) Document(now time.Time) (any, error) {
	all, err := All(c.Changed.Certificates, now)
	return struct {
		Certificates []Certificate `json:"certificates"`
	}{all}, err
}

// Next lists what is left to do until a revocation, or the end of a hold, takes effect; nothing if no
// certificate was changed.
func (c Change) Next() (n report.Notes) {
	if len(c.Changed.Certificates) == 0 {
		return nil
	}
	for _, warning := range c.Changed.Warnings {
		n.Warn("%s", warning)
	}
	command := "it takes effect at AWS once the list is imported there: make it with kedge-ca crl"
	for _, a := range c.Changed.Behind {
		command += " --issuer " + a.Name
	}
	n.Done("%s", command)
	return n
}

// RevokeQuestion asks whether to revoke certificates: if there are several, or one is of a CA.
// Otherwise it is empty. Those of probes do not count: they are revoked with the others, and no host has them.
func RevokeQuestion(certs []ledger.Certificate) string {
	const shown = 5
	certs = slices.DeleteFunc(slices.Clone(certs), func(c ledger.Certificate) bool { return c.Kind == ledger.Probe })
	var names []string
	authorities := 0
	for i, c := range certs {
		if c.Kind == ledger.Root || c.Kind == ledger.Intermediate {
			authorities++
		}
		if i < shown {
			names = append(names, fmt.Sprintf("%q (serial %s)", c.Subject, c.Serial))
		}
	}
	list := report.FirstOf(names, shown, len(certs))
	switch {
	case authorities > 0:
		return fmt.Sprintf("revoke %s, with %d of a CA, below which no host gets a session any more?", list, authorities)
	case len(certs) > 1:
		return fmt.Sprintf("revoke %d certificates: %s?", len(certs), list)
	}
	return ""
}
