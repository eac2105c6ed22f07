package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/mldsa"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// Limits of RSA keys. The minimum is that of NIST SP 800-131A; above the maximum, a host takes too
// long for a signature.
const (
	minRSABits     = 2048
	maxRSABits     = 4096
	minRSAExponent = 65537
	maxRSAExponent = 1<<31 - 1 // the limit of crypto/rsa
)

// KeyType returns the type of a public key as in a profile: "P-256", "RSA-2048", "ML-DSA-44". For a
// key that is not RSA, EC or ML-DSA it is the Go type.
func KeyType(public crypto.PublicKey) string {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA-%d", key.N.BitLen())
	case *ecdsa.PublicKey:
		return key.Curve.Params().Name
	case *mldsa.PublicKey:
		return key.Parameters().String()
	}
	return fmt.Sprintf("%T", public)
}

// keyTypes lists the types that a profile can name.
func keyTypes() []string {
	return []string{"P-256", "P-384", "P-521", "RSA-2048", "RSA-3072", "RSA-4096", "ML-DSA-44", "ML-DSA-65", "ML-DSA-87"}
}

// CheckKey refuses a public key that the service does not accept or that is known to be weak:
// anything but RSA of 2048 to 4096 bits, the curves P-256, P-384 and P-521, and ML-DSA; RSA with an
// even or small exponent, a small factor, primes too close to each other or the structure of ROCA.
//
// Source: NIST SP 800-131A; SP 800-56B, 6.4.1.1 (modulus and exponent); SP 800-89, 5.3.3.
func CheckKey(public crypto.PublicKey) error {
	switch key := public.(type) {
	case *rsa.PublicKey:
		return checkRSA(key)
	case *ecdsa.PublicKey:
		return checkEC(key)
	case *mldsa.PublicKey:
		return nil // any value of the right size is valid, for its constructor and by FIPS 204
	case nil:
		return errors.New("there is no public key, or one of an unknown type")
	}
	return fmt.Errorf("a key of type %T cannot be used; take RSA, EC or ML-DSA", public)
}

func checkEC(key *ecdsa.PublicKey) error {
	switch key.Curve {
	case elliptic.P256(), elliptic.P384(), elliptic.P521():
	case nil:
		return errors.New("an EC key without a curve")
	default:
		return fmt.Errorf("the curve %s cannot be used; take P-256, P-384 or P-521", key.Curve.Params().Name)
	}
	if _, err := key.ECDH(); err != nil {
		return errors.New("the EC key is not a point of its curve")
	}
	return nil
}

func checkRSA(key *rsa.PublicKey) error {
	if key.N == nil {
		return errors.New("an RSA key without a modulus")
	}
	switch n := key.N.BitLen(); {
	case n < minRSABits:
		return fmt.Errorf("an RSA key of %d bits is too short; take %d to %d", n, minRSABits, maxRSABits)
	case n > maxRSABits:
		return fmt.Errorf("an RSA key of %d bits is too long; take %d to %d", n, minRSABits, maxRSABits)
	case n%8 != 0:
		return fmt.Errorf("an RSA key of %d bits does not fill its bytes; take 2048, 3072 or 4096", n)
	case key.E%2 == 0:
		return fmt.Errorf("the RSA exponent %d is even", key.E)
	case key.E < minRSAExponent:
		return fmt.Errorf("the RSA exponent %d is too small; take 65537", key.E)
	case key.E > maxRSAExponent:
		return fmt.Errorf("the RSA exponent %d is too large; take 65537", key.E)
	}
	return checkModulus(key.N)
}

// KeyHash identifies the public key of a certificate: the SHA-256 of its SubjectPublicKeyInfo as Go
// re-encodes it after parsing. Two certificates with one key have the same hash, however it was
// encoded: an RSA key that is labelled for PSS only (id-RSASSA-PSS, RFC 4055, section 1.2) is
// hashed as the key without the label. A key that Go cannot parse is hashed as it is encoded.
func KeyHash(c *x509.Certificate) [sha256.Size]byte {
	public := c.PublicKey
	if public == nil {
		public = keyForPSS(c.RawSubjectPublicKeyInfo)
	}
	if der, err := x509.MarshalPKIXPublicKey(public); err == nil {
		return sha256.Sum256(der)
	}
	return sha256.Sum256(c.RawSubjectPublicKeyInfo)
}

// keyForPSS parses the RSA key of a SubjectPublicKeyInfo with the algorithm id-RSASSA-PSS, which
// crypto/x509 does not. For any other it returns nil.
func keyForPSS(info []byte) crypto.PublicKey {
	in := cryptobyte.String(info)
	var algorithm cryptobyte.String
	var id asn1.ObjectIdentifier
	var bits []byte
	if !in.ReadASN1(&in, cbasn1.SEQUENCE) || !in.ReadASN1(&algorithm, cbasn1.SEQUENCE) ||
		!algorithm.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidRSASSAPSS) || !in.ReadASN1BitStringAsBytes(&bits) {
		return nil
	}
	key, err := x509.ParsePKCS1PublicKey(bits)
	if err != nil {
		return nil
	}
	return key
}

var oidRSASSAPSS = asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 10} // RFC 4055, section 3.1
