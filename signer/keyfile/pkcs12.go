package keyfile

import (
	"crypto"
	"fmt"

	"kedge/internal/pkcs12"
)

// isPKCS12 reports whether the data begins as a PFX does (RFC 7292 4): version 3 first. BER
// with an indefinite length is looked at too, and nothing else that is read here is BER.
func isPKCS12(data []byte) bool {
	const indefinite = 0x80
	if len(data) > 4 && data[1] == indefinite {
		return string(data[2:5]) == "\x02\x01\x03"
	}
	kind, err := shape(data)
	return err == nil && kind == shapePKCS12
}

func (p *parser) pkcs12(data []byte) error {
	file, err := pkcs12.Parse(data, p.password)
	if err != nil {
		return err
	}
	defer func() {
		for _, key := range file.Keys {
			clear(key)
		}
	}()
	for _, der := range file.Keys {
		if err := p.addKey(func() (crypto.Signer, error) { return parsePKCS8(der) }); err != nil {
			return err
		}
	}
	for _, der := range file.Certificates {
		if err := p.addCertificate(der); err != nil {
			return err
		}
	}
	if len(p.found.Keys)+len(p.found.Certificates) == 0 {
		return fmt.Errorf("the PKCS#12 file does not hold %s", p.want)
	}
	return nil
}
