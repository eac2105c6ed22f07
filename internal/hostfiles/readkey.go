package hostfiles

import (
	"crypto"
	"crypto/x509"
	"fmt"

	"kedge/internal/safefile"
	"kedge/signer"
	"kedge/signer/keyfile"
)

// ReadKey reads a private key that is not encrypted, as this package writes it. It does not block
// on a named pipe. The error names the path.
func ReadKey(path string) (crypto.Signer, error) {
	data, err := safefile.ReadRegular(path, signer.MaxFile)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return parseKey(path, data)
}

// ReadCertificate reads the first certificate of a PEM or DER file. It does not block on a named
// pipe. The error names the path.
func ReadCertificate(path string) (*x509.Certificate, error) {
	data, err := safefile.ReadRegular(path, signer.MaxFile)
	if err != nil {
		return nil, err
	}
	certs, err := keyfile.ParseCertificates(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs[0], nil
}

// readLeftover reads a key that an interrupted run left, from the file that was checked.
func readLeftover(path string) (key crypto.Signer, text []byte, err error) {
	text, err = safefile.ReadLeftover(path, signer.MaxFile)
	if err != nil {
		return nil, nil, err
	}
	key, err = parseKey(path, text)
	return key, text, err
}

// checkLeftover is readLeftover without reading.
func checkLeftover(path string) error {
	file, err := safefile.OpenLeftover(path)
	if err != nil {
		return err
	}
	return file.Close()
}

func parseKey(path string, data []byte) (crypto.Signer, error) {
	key, err := keyfile.ParsePrivateKey(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}
