package hostfiles

import (
	"crypto"
	"fmt"

	"kedge/internal/safefile"
	"kedge/signer"
)

// ReadKey reads a private key that is not encrypted, as this package writes it. It does not wait for
// a pipe in its place. The error names the path.
func ReadKey(path string) (crypto.Signer, error) {
	data, err := safefile.ReadRegular(path, signer.MaxFile)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return parseKey(path, data)
}

func parseKey(path string, data []byte) (crypto.Signer, error) {
	key, err := signer.ParsePrivateKey(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}
