package workload

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"os"
)

// Load reads a CA that kedge-ca made without a password: its certificate, and its key in PKCS #8.
func Load(certPath, keyPath string) (*x509.Certificate, crypto.Signer, error) {
	var blocks [2]*pem.Block
	for i, path := range []string{certPath, keyPath} {
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, nil, err
		}
		if blocks[i], _ = pem.Decode(data); blocks[i] == nil {
			return nil, nil, fmt.Errorf("%s is not PEM", path)
		}
	}
	cert, err := x509.ParseCertificate(blocks[0].Bytes)
	if err != nil {
		return nil, nil, err
	}
	key, err := x509.ParsePKCS8PrivateKey(blocks[1].Bytes)
	if err != nil {
		return nil, nil, err
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, nil, fmt.Errorf("%s holds no key that signs", keyPath)
	}
	return cert, signer, nil
}
