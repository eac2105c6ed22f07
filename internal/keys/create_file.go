package keys

import (
	"encoding/pem"
	"fmt"

	"kedge/internal/atomicfile"
	"kedge/internal/pkcs8"
)

// createFile writes PKCS#8 in PEM, encrypted if there is a password.
func createFile(o CreateOptions) (string, error) {
	if err := vacant(o.Out); err != nil {
		return "", err
	}
	var password []byte
	if o.Secret != nil {
		var err error
		if password, err = o.Secret(); err != nil {
			return "", err
		}
		defer clear(password)
	}
	kind, err := ParseKind(o.Type)
	if err != nil {
		return "", err
	}
	_, der, err := kind.Generate(pkcs8.FormSeed) // the form that every reader should support: RFC 9881, section 6
	if err != nil {
		return "", fmt.Errorf("make a %s key: %w", o.Type, err)
	}
	defer clear(der)
	block := &pem.Block{Type: "PRIVATE KEY", Bytes: der}
	if o.Secret != nil {
		if block.Bytes, err = pkcs8.Encrypt(der, password); err != nil {
			return "", fmt.Errorf("encrypt %s: %w", o.Out, err)
		}
		block.Type = "ENCRYPTED PRIVATE KEY"
	}
	if err := atomicfile.Create(o.Out, pem.EncodeToMemory(block), 0o600); err != nil {
		return "", &UnwrittenError{Err: err}
	}
	return o.Out, nil
}
