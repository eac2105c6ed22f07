package pemread

import (
	"bytes"
	"fmt"
	"strings"
)

// Kind is what a block is.
type Kind int

// The kinds.
const (
	Unknown        Kind = iota
	Certificate         // RFC 5280, 4.1
	Request             // PKCS #10, RFC 2986, 4
	RevocationList      // RFC 5280, 5.1
	PrivateKey          // PKCS #1, SEC 1 or PKCS #8
	EncryptedKey        // PKCS #8, or with the headers of RFC 1421
	PublicKey           // RFC 5280, 4.1.2.7, or PKCS #1
	PKCS12              // RFC 7292
	PKCS7               // RFC 5652: certificates alone, most often
	OpenSSHKey          // openssh-key-v1
	TPMKey              // TSS2 PRIVATE KEY
	Parameters          // of EC, DH or DSA keys
	Armor               // of PGP or SSH2
)

// String returns the kind in words, with an article.
func (k Kind) String() string {
	switch k {
	case Certificate:
		return "a certificate"
	case Request:
		return "a certificate request"
	case RevocationList:
		return "a revocation list"
	case PrivateKey:
		return "a private key"
	case EncryptedKey:
		return "an encrypted private key"
	case PublicKey:
		return "a public key"
	case PKCS12:
		return "a PKCS #12 file"
	case PKCS7:
		return "a PKCS #7 bundle"
	case OpenSSHKey:
		return "an OpenSSH private key"
	case TPMKey:
		return "a TPM key"
	case Parameters:
		return "parameters of a key"
	case Armor:
		return "a block of PGP or SSH2"
	}
	return "something of an unknown kind"
}

// String returns what the block is, in words with an article.
func (b Block) String() string {
	if b.Kind == Unknown && b.Label != "" {
		return fmt.Sprintf("a block %q", b.Label)
	}
	return b.Kind.String()
}

func (b *Block) kind() Kind {
	if strings.Contains(b.Headers["Proc-Type"], "ENCRYPTED") {
		return EncryptedKey
	}
	if k := shape(b.DER); k != Unknown {
		return k
	}
	return kindOf(b.Label)
}

// kindOf is the kind that a label names.
func kindOf(label string) Kind {
	switch {
	case isArmor(label):
		return Armor
	case label == "OPENSSH PRIVATE KEY":
		return OpenSSHKey
	case label == "ENCRYPTED PRIVATE KEY":
		return EncryptedKey
	case strings.HasPrefix(label, "TSS2 "):
		return TPMKey
	case strings.HasSuffix(label, "PRIVATE KEY"):
		return PrivateKey
	case strings.HasSuffix(label, "PUBLIC KEY"):
		return PublicKey
	case strings.HasSuffix(label, "CERTIFICATE REQUEST"):
		return Request
	case strings.HasSuffix(label, "CERTIFICATE"):
		return Certificate
	case strings.HasSuffix(label, "CRL"):
		return RevocationList
	case label == "PKCS12":
		return PKCS12
	case label == "PKCS7", label == "CMS", label == "PKCS #7 SIGNED DATA":
		return PKCS7
	case strings.HasSuffix(label, "PARAMETERS"):
		return Parameters
	}
	return Unknown
}

// shape is the kind that the tags of the first members tell.
func shape(der []byte) Kind {
	if isIndefinite(der) {
		return shapeOf(der[2:])
	}
	outer, rest, ok := next(der)
	if !ok || len(rest) > 0 || outer.tag != tagSequence {
		return Unknown
	}
	return shapeOf(outer.content)
}

func shapeOf(content []byte) Kind {
	first, rest, ok := next(content)
	if ok && first.tag == tagOID {
		return shapeTagged(first)
	}
	if ok && isIndefinite(rest) { // what stands behind the version of a PKCS #12 file
		rest = []byte{tagSequence, 0}
	}
	second, rest, ok2 := next(rest)
	if !ok || !ok2 {
		return Unknown
	}
	switch [2]byte{first.tag, second.tag} {
	case [2]byte{tagSequence, tagSequence}:
		return shapeSigned(first, rest)
	case [2]byte{tagSequence, tagOctetString}:
		return EncryptedKey
	case [2]byte{tagSequence, tagBitString}:
		return PublicKey
	case [2]byte{tagInteger, tagOctetString}:
		return PrivateKey
	case [2]byte{tagInteger, tagInteger}:
		if len(rest) == 0 { // RFC 8017, A.1.1; the private key has nine
			return PublicKey
		}
		return PrivateKey
	case [2]byte{tagInteger, tagSequence}:
		if bytes.Equal(first.content, []byte{3}) { // RFC 7292, 4; of PKCS #8 it is 0 or 1
			return PKCS12
		}
		return PrivateKey
	}
	return Unknown
}

// shapeTagged tells what begins with an object identifier: pkcs-7 of RFC 5652, 14, or
// id-tpmkey of the TSS2 format.
func shapeTagged(oid element) Kind {
	switch {
	case bytes.HasPrefix(oid.content, []byte{0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 7}):
		return PKCS7
	case bytes.HasPrefix(oid.content, []byte{0x67, 0x81, 5, 10, 1}):
		return TPMKey
	}
	return Unknown
}

// shapeSigned tells certificates, requests and lists by what is signed. A certificate begins
// with its version in [0] or, of version 1, has a serial, an algorithm, an issuer and a
// validity; a request has a version, a name, a key and perhaps attributes in [0]; a list has
// an algorithm and an issuer, behind a version or not, and then a time.
func shapeSigned(tbs element, after []byte) Kind {
	if algorithm, _, ok := next(after); !ok || algorithm.tag != tagBitString {
		return Unknown
	}
	var tags []byte
	for rest := tbs.content; len(rest) > 0 && len(tags) < 4; {
		e, more, ok := next(rest)
		if !ok {
			return Unknown
		}
		tags = append(tags, e.tag)
		rest = more
	}
	switch {
	case len(tags) > 0 && tags[0] == tagExplicit0:
		return Certificate
	case bytes.Equal(tags, []byte{tagInteger, tagSequence, tagSequence, tagSequence}):
		return Certificate
	case bytes.Equal(tags, []byte{tagInteger, tagSequence, tagSequence}),
		bytes.Equal(tags, []byte{tagInteger, tagSequence, tagSequence, tagExplicit0}):
		return Request
	case bytes.ContainsAny(tags, string([]byte{tagUTCTime, tagTime})):
		return RevocationList
	}
	return Unknown
}
