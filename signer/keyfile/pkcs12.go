package keyfile

import (
	"crypto"
	"errors"
	"fmt"

	"kedge/internal/pkcs12"
)

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
	var unusable error // a key of an algorithm that is of no use here is passed over if there are others
	for _, der := range file.Keys {
		err := p.addKey(func() (crypto.Signer, error) { return parsePKCS8(der) })
		if errors.Is(err, errManyKeys) {
			return err
		}
		if err != nil {
			unusable = err
		}
	}
	if unusable != nil && len(p.found.Keys) == 0 {
		return unusable
	}
	for _, der := range file.Certificates {
		if err := p.addCertificate(der); err != nil {
			return err
		}
	}
	if len(p.found.Keys)+len(p.found.Certificates)+len(p.found.Unreadable) == 0 {
		return fmt.Errorf("the PKCS#12 file does not hold %s", p.want)
	}
	return nil
}
