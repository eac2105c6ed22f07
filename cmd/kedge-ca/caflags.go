package main

import (
	"crypto/x509/pkix"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"kedge/ca"
	"kedge/internal/cli"
)

// caFlags say what the certificate of a CA contains.
type caFlags struct {
	commonName   string
	organization string
	unit         string
	country      string
	locality     string
	province     string
	days         int
	pathLength   int
	permitted    constraintFlags
	excluded     constraintFlags
	crlURLs      []string
	allow        allowFlag
	why          string
}

type constraintFlags struct{ dns, uri, ip, email []string }

// maxDays is a hundred years.
const maxDays = 100 * 366

// caDefaults are the defaults that differ between a root and an intermediate.
type caDefaults struct{ days, pathLength int }

func (f *caFlags) add(cmd *cobra.Command, d caDefaults) {
	flags := cmd.Flags()
	flags.StringVar(&f.organization, "organization", "", "`NAME` of the organization in the CA's name")
	flags.StringVar(&f.unit, "organizational-unit", "", "`NAME` of the unit in the CA's name")
	flags.StringVar(&f.country, "country", "", "two-letter `CODE` of the country in the CA's name")
	flags.StringVar(&f.locality, "locality", "", "`NAME` of the place in the CA's name")
	flags.StringVar(&f.province, "province", "", "`NAME` of the state or province in the CA's name")
	flags.IntVar(&f.days, "days", d.days, "`NUMBER` of days that the CA is valid")
	flags.IntVar(&f.pathLength, "path-length", d.pathLength, "how many CAs may follow below it, as a `NUMBER`; -1 for no limit of its own")
	for _, c := range []struct {
		to         *constraintFlags
		verb, what string
	}{{&f.permitted, "permit", "only names such as `NAME` may be issued below it"}, {&f.excluded, "exclude", "no names such as `NAME` may be issued below it"}} {
		flags.Var(cli.LimitList(&c.to.dns), c.verb+"-dns", c.what+": a domain, with all below")
		flags.Var(cli.LimitList(&c.to.uri), c.verb+"-uri", c.what+": the host in a URI, or .DOMAIN for all hosts below")
		flags.Var(cli.LimitList(&c.to.ip), c.verb+"-ip", c.what+": a range of addresses, such as 10.0.0.0/8")
		flags.Var(cli.LimitList(&c.to.email), c.verb+"-email", c.what+": an address, or the domain of addresses")
	}
	flags.StringSliceVar(&f.crlURLs, "crl-url", nil, "`URL` where the CRL of its issuer is, for its certificate")
	f.allow.add(cmd)
	flags.StringVar(&f.why, "why", "", "`TEXT` for the ledger: why it is made")
}

// config checks the flags. Package ca checks what the certificate may contain.
func (f *caFlags) config(cmd *cobra.Command) (ca.AuthorityConfig, error) {
	switch {
	case f.days < 1 || f.days > maxDays:
		return ca.AuthorityConfig{}, cli.Usagef(cmd, "--days: %d is not between 1 and %d", f.days, maxDays)
	case f.pathLength < -1:
		return ca.AuthorityConfig{}, cli.Usagef(cmd, "--path-length: %d is neither a number of CAs nor -1", f.pathLength)
	}
	permitted, err := f.permitted.prefixes("permit-ip")
	if err != nil {
		return ca.AuthorityConfig{}, cli.Usagef(cmd, "%w", err)
	}
	excluded, err := f.excluded.prefixes("exclude-ip")
	if err != nil {
		return ca.AuthorityConfig{}, cli.Usagef(cmd, "%w", err)
	}
	return ca.AuthorityConfig{
		Subject:    f.subject(),
		Lifetime:   time.Duration(f.days) * 24 * time.Hour,
		MaxPathLen: f.pathLength,
		Constraints: ca.NameConstraints{
			PermittedDNS: f.permitted.dns, PermittedURI: f.permitted.uri, PermittedEmail: f.permitted.email, PermittedIP: permitted,
			ExcludedDNS: f.excluded.dns, ExcludedURI: f.excluded.uri, ExcludedEmail: f.excluded.email, ExcludedIP: excluded,
		},
		CRLURLs: f.crlURLs, AllowWarnings: f.allow, Why: f.why,
	}, nil
}

func (f *caFlags) subject() pkix.Name {
	one := func(text string) []string {
		if text == "" {
			return nil
		}
		return []string{text}
	}
	return pkix.Name{
		CommonName: f.commonName, Organization: one(f.organization), OrganizationalUnit: one(f.unit),
		Country: one(f.country), Locality: one(f.locality), Province: one(f.province),
	}
}

func (f *constraintFlags) prefixes(flag string) ([]netip.Prefix, error) {
	var all []netip.Prefix
	for _, text := range f.ip {
		prefix, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, fmt.Errorf("--%s: %q is not a range of addresses, such as 10.0.0.0/8", flag, text)
		}
		all = append(all, prefix)
	}
	return all, nil
}
