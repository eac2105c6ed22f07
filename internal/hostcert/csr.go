package hostcert

import (
	"cmp"
	"crypto/x509"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/internal/report"
)

// NamelessError reports that neither a certificate request nor the caller has a name.
type NamelessError struct{}

func (*NamelessError) Error() string { return "the request has no common name" }

// FromCSR adds what a certificate request asks for, as far as the profile allows it, to a request
// without name and key. The host is the name unless it is given. dropped lists what is left out.
func FromCSR(p *ca.Profile, csr *x509.CertificateRequest, o ca.CSROptions, r ca.Request) (all ca.Request, dropped []string, err error) {
	asked, dropped, err := p.FromCSR(csr, o)
	if err != nil {
		return r, nil, err
	}
	if asked.Name == "" {
		return r, nil, &NamelessError{}
	}
	r.Name, r.Host, r.Public = asked.Name, cmp.Or(r.Host, asked.Name), asked.Public
	r.DNS = append(asked.DNS, r.DNS...)
	r.URIs = append(asked.URIs, r.URIs...)
	r.IPs = append(asked.IPs, r.IPs...)
	r.Emails = append(asked.Emails, r.Emails...)
	for i, what := range dropped {
		dropped[i] = "left out of the request: " + what
	}
	return r, dropped, nil
}

// ShortWarnings returns a warning if a certificate ends before the lifetime that was asked for, since
// its issuer does; 0 asks for none. what is the certificate.
func ShortWarnings(what string, i ca.Issued, asked time.Duration) []string {
	if asked <= 0 || i.At.Add(asked).Sub(i.Certificate.NotAfter) < time.Second { // certificate times have whole seconds
		return nil
	}
	return []string{fmt.Sprintf("%s is valid until %s only, when the CA itself ends", what, report.Time(i.Certificate.NotAfter))}
}
