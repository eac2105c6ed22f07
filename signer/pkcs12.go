package signer

import (
	"errors"
)

// isPKCS12 reports whether the data begins as a PFX does (RFC 7292 4).
func isPKCS12(data []byte) bool {
	kind, err := shape(data)
	return err == nil && kind == shapePKCS12
}

func (p *parser) pkcs12(data []byte) error { return errors.New("PKCS#12 is not supported yet") }
