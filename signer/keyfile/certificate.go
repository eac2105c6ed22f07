package keyfile

import (
	"crypto/x509"
	"fmt"
)

// addCertificate reads one certificate. One that cannot be read is noted, and the others stay.
// Whether the service would take it is for the rules to say.
func (p *parser) addCertificate(der []byte) error {
	if p.want == PrivateKeys {
		p.pass("a certificate")
		return nil
	}
	p.certificates++
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		p.found.Unreadable = append(p.found.Unreadable, newUnreadable(p.certificates, der, err))
		return nil
	}
	p.found.Certificates = append(p.found.Certificates, cert)
	return nil
}

// noneReadable returns an error that describes why there is no certificate among those of the input.
func noneReadable(bad []Unreadable) error {
	if len(bad) == 1 {
		return fmt.Errorf("the certificate in it cannot be read: %s", bad[0].Reason)
	}
	return fmt.Errorf("none of the %d certificates in it can be read; the first: %s", len(bad), bad[0].Reason)
}
