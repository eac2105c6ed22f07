package takeover

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math/big"
)

// maxSerial is the maximum length of a serial number in bytes (RFC 5280, 4.1.2.2).
const maxSerial = 20

// serial is a serial number with leading zeros: a map key without pointers.
type serial [maxSerial]byte

func newSerial(n *big.Int) (s serial, err error) {
	switch size := n.BitLen()/8 + 1; { // its highest bit is a sign
	case n.Sign() <= 0:
		return s, fmt.Errorf("the serial number is %v; only positive ones can be on a CRL", n)
	case size > maxSerial:
		return s, fmt.Errorf("the serial number takes %d bytes; at most %d can be on a CRL", size, maxSerial)
	}
	n.FillBytes(s[:])
	return s, nil
}

// parseSerial parses a serial number as openssl writes it: in hexadecimal.
func parseSerial(text string) (s serial, err error) {
	if len(text) > 2*maxSerial+2 {
		return s, fmt.Errorf("the serial number has %d digits; at most %d bytes can be on a CRL", len(text), maxSerial)
	}
	for _, c := range []byte(text) {
		if !isHex(c) {
			return s, fmt.Errorf("the serial number %.50q is not hexadecimal", text)
		}
	}
	n, ok := new(big.Int).SetString(text, 16)
	if !ok {
		return s, errors.New("there is no serial number")
	}
	return newSerial(n)
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F'
}

func (s serial) big() *big.Int { return new(big.Int).SetBytes(s[:]) }

// String returns the form that openssl uses in file names: upper-case hexadecimal, whole bytes.
func (s serial) String() string { return fmt.Sprintf("%X", s.big().Bytes()) }

// fingerprint is a truncated hash, enough to recognize a certificate: only the CA could make two
// with the same.
type fingerprint [16]byte

func fingerprintOf(der []byte) fingerprint {
	sum := sha256.Sum256(der)
	return fingerprint(sum[:16])
}
