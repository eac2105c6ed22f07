package hostfiles

import (
	"crypto"
	"crypto/x509"
	"fmt"
	"io"

	"kedge/internal/safefile"
	"kedge/signer"
)

// maxKey bounds the bytes of a key's file.
const maxKey = signer.MaxFile

// ReadKey reads a private key that is not encrypted, as this package writes it. It does not wait for
// a pipe in its place. The error names the path.
func ReadKey(path string) (crypto.Signer, error) {
	data, err := safefile.ReadRegular(path, maxKey)
	if err != nil {
		return nil, err
	}
	defer clear(data)
	return parseKey(path, data)
}

// ReadCertificate reads the first certificate of a PEM or DER file. It does not wait for a pipe in its
// place. The error names the path.
func ReadCertificate(path string) (*x509.Certificate, error) {
	data, err := safefile.ReadRegular(path, signer.MaxFile)
	if err != nil {
		return nil, err
	}
	certs, err := signer.ParseCertificates(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return certs[0], nil
}

// readLeftover reads a key that an interrupted run left, from the file that was checked.
func readLeftover(path string) (key crypto.Signer, text []byte, err error) {
	file, err := safefile.OpenLeftover(path)
	if err != nil {
		return nil, nil, err
	}
	defer file.Close()
	text, err = io.ReadAll(io.LimitReader(file, maxKey+1))
	if err == nil && len(text) > maxKey {
		err = fmt.Errorf("%s is larger than the %d KiB that a key can take", path, maxKey>>10)
	}
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
	key, err := signer.ParsePrivateKey(data, nil)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return key, nil
}
