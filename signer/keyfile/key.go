package keyfile

import (
	"crypto"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"

	"kedge/internal/pkcs8"
)

// noPassword stands where nothing can be encrypted any more.
func noPassword() ([]byte, error) { return nil, ErrPasswordRequired }

// maxKey is above any key in use (RSA with 16384 bits has 9.5 KiB): checking the arithmetic
// of an RSA key takes time that grows with the cube of its size.
const maxKey = 16 << 10

// parseKey reads one private key in any of its DER forms, plain or encrypted.
func parseKey(der []byte, password PasswordFunc) (crypto.Signer, error) {
	if len(der) > maxKey {
		return nil, fmt.Errorf("private key of %d bytes, must be at most %d", len(der), maxKey)
	}
	switch formOf(der) {
	case formPKCS1:
		return readRSA(x509.ParsePKCS1PrivateKey(der))
	case formSEC1:
		return parseSEC1(der)
	case formPKCS8:
		return parsePKCS8(der)
	case formEncrypted:
		return decryptKey(der, password)
	}
	return nil, errors.New("the private key in it is damaged: it has none of the forms PKCS#1, SEC 1 and PKCS#8")
}

func decryptKey(der []byte, password PasswordFunc) (crypto.Signer, error) {
	secret, err := password()
	if err != nil {
		return nil, err
	}
	plain, err := pkcs8.Decrypt(der, secret)
	if err != nil {
		return nil, err
	}
	defer clear(plain)
	return parsePKCS8(plain)
}

// privateKeyInfo is RFC 5958 2 without what may follow.
type privateKeyInfo struct {
	Version    int
	Algorithm  pkix.AlgorithmIdentifier
	PrivateKey []byte
}

// parsePKCS8 adds to crypto/x509 the forms of ML-DSA keys that it does not read, and says
// of other keys what they are.
func parsePKCS8(der []byte) (crypto.Signer, error) {
	if len(der) > maxKey { // PKCS#12 comes here directly
		return nil, fmt.Errorf("private key of %d bytes, must be at most %d", len(der), maxKey)
	}
	var info privateKeyInfo
	if rest, err := asn1.Unmarshal(der, &info); err != nil || len(rest) > 0 {
		return nil, errors.New("the private key in it is damaged: it is not the PKCS#8 that it begins as")
	}
	switch oid := info.Algorithm.Algorithm; oid.String() {
	case oidRSA:
		return readRSA(x509.ParsePKCS8PrivateKey(der))
	case oidEC:
		if err := checkCurve(info.Algorithm.Parameters.FullBytes); err != nil {
			return nil, err
		}
		return readEC(x509.ParsePKCS8PrivateKey(der))
	default:
		if _, ok := pkcs8.MLDSAParameters(oid); ok {
			return readKey(pkcs8.ParseMLDSA(der))
		}
		return nil, fmt.Errorf("%s private key, for which Roles Anywhere has no algorithm: it takes RSA, EC and ML-DSA", keyName(oid.String()))
	}
}

// sec1 is ECPrivateKey of RFC 5915 3, as far as the curve.
type sec1 struct {
	Version    int
	PrivateKey []byte
	Parameters asn1.RawValue `asn1:"optional,explicit,tag:0"`
}

func parseSEC1(der []byte) (crypto.Signer, error) {
	var key sec1
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil, errors.New("the private key in it is damaged: it is not the SEC 1 that it begins as")
	}
	if err := checkCurve(key.Parameters.Bytes); err != nil {
		return nil, err
	}
	return readEC(x509.ParseECPrivateKey(der))
}

// checkCurve names what crypto/x509 would only call unknown.
func checkCurve(params []byte) error {
	var curve asn1.ObjectIdentifier
	if _, err := asn1.Unmarshal(params, &curve); err != nil {
		if len(params) > 0 && params[0] == derSequence {
			return errors.New(explicitText + " (name it: openssl pkey -in FILE -ec_param_enc named_curve)")
		}
		return nil // absent in PKCS#8: the key within may name it
	}
	if curveName(curve) == "" {
		return fmt.Errorf("EC key on the curve %v, only P-224, P-256, P-384 and P-521 can be used", curve)
	}
	return nil
}

// curveName names the curves of RFC 5480 2.1.1.1 that Go has.
func curveName(oid asn1.ObjectIdentifier) string {
	switch oid.String() {
	case "1.3.132.0.33":
		return "P-224"
	case "1.2.840.10045.3.1.7":
		return "P-256"
	case "1.3.132.0.34":
		return "P-384"
	case "1.3.132.0.35":
		return "P-521"
	}
	return ""
}

// keyName names the algorithms that people have keys of (RFC 8410, RFC 4055, RFC 3279).
func keyName(oid string) string {
	switch oid {
	case "1.3.101.112":
		return "an Ed25519"
	case oidEd448:
		return "an Ed448"
	case "1.3.101.110":
		return "an X25519"
	case "1.3.101.111":
		return "an X448"
	case "1.2.840.10040.4.1":
		return "a DSA"
	case oidPSS:
		return "an RSASSA-PSS"
	}
	return "a " + oid
}

// readRSA takes what a function of crypto/x509 returned for an RSA key.
func readRSA[K any](key K, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, errors.New("the RSA key in it is damaged: its numbers do not fit together, or are too few or too small")
	}
	return asSigner(key)
}

// readEC takes what a function of crypto/x509 returned for an EC key.
func readEC[K any](key K, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, errors.New("the EC key in it is damaged: it names no curve, or its number is not one of that curve")
	}
	return asSigner(key)
}

func readKey[K any](key K, err error) (crypto.Signer, error) {
	if err != nil {
		return nil, fmt.Errorf("unreadable private key: %w", err)
	}
	return asSigner(key)
}

// asSigner holds a key as the crypto.Signer that all of these are.
func asSigner(key any) (crypto.Signer, error) {
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, errors.New("the private key in it cannot sign: it is for key agreement alone")
	}
	return signer, nil
}
