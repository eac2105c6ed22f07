package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

// signature is a signature algorithm of requests.
type signature struct {
	name      string
	algorithm x509.SignatureAlgorithm // 0: crypto/x509 cannot verify it
	pss       *pssParameters          // of RSASSA-PSS, which is verified here with any length of salt
}

// signatureOf returns the signature algorithm of an AlgorithmIdentifier.
func signatureOf(der cryptobyte.String) signature {
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&der, cbasn1.SEQUENCE) || !der.ReadASN1ObjectIdentifier(&oid) {
		return signature{name: "an unknown algorithm"}
	}
	text := oid.String()
	if text == keyPSS {
		return pssSignature(der)
	}
	for _, known := range signatures() {
		if text == known.oid {
			return known.signature
		}
	}
	return signature{name: "the unknown algorithm " + text}
}

type namedSignature struct {
	oid string
	signature
}

// signatures lists the signature algorithms of requests: RFC 3279, 2.2; RFC 4055, 5; RFC 5758; RFC
// 8410; RFC 8692; RFC 9881; NIST CSOR, Digital Signature Algorithms.
func signatures() []namedSignature {
	list := []namedSignature{
		{"1.2.840.113549.1.1.11", signature{"RSA and SHA-256", x509.SHA256WithRSA, nil}},
		{"1.2.840.113549.1.1.12", signature{"RSA and SHA-384", x509.SHA384WithRSA, nil}},
		{"1.2.840.113549.1.1.13", signature{"RSA and SHA-512", x509.SHA512WithRSA, nil}},
		{"1.2.840.10045.4.3.2", signature{"ECDSA and SHA-256", x509.ECDSAWithSHA256, nil}},
		{"1.2.840.10045.4.3.3", signature{"ECDSA and SHA-384", x509.ECDSAWithSHA384, nil}},
		{"1.2.840.10045.4.3.4", signature{"ECDSA and SHA-512", x509.ECDSAWithSHA512, nil}},
		{"2.16.840.1.101.3.4.3.17", signature{"ML-DSA-44", x509.MLDSA44, nil}},
		{"2.16.840.1.101.3.4.3.18", signature{"ML-DSA-65", x509.MLDSA65, nil}},
		{"2.16.840.1.101.3.4.3.19", signature{"ML-DSA-87", x509.MLDSA87, nil}},
		{"1.2.840.113549.1.1.4", signature{"RSA and MD5", x509.MD5WithRSA, nil}},
		{"1.2.840.113549.1.1.5", signature{"RSA and SHA-1", x509.SHA1WithRSA, nil}},
		{"1.3.14.3.2.29", signature{"RSA and SHA-1", x509.SHA1WithRSA, nil}},
		{"1.2.840.10045.4.1", signature{"ECDSA and SHA-1", x509.ECDSAWithSHA1, nil}},
	}
	for _, unverified := range [][2]string{
		{"1.2.840.113549.1.1.2", "RSA and MD2"}, {"1.2.840.113549.1.1.3", "RSA and MD4"},
		{"1.2.840.113549.1.1.14", "RSA and SHA-224"}, {"1.2.840.10045.4.3.1", "ECDSA and SHA-224"},
		{"1.2.840.113549.1.1.15", "RSA and SHA-512/224"}, {"1.2.840.113549.1.1.16", "RSA and SHA-512/256"},
		{"1.2.840.10040.4.3", "DSA and SHA-1"}, {"2.16.840.1.101.3.4.3.1", "DSA and SHA-224"}, {"2.16.840.1.101.3.4.3.2", "DSA and SHA-256"},
		{"2.16.840.1.101.3.4.3.3", "DSA and SHA-384"}, {"2.16.840.1.101.3.4.3.4", "DSA and SHA-512"},
		{"2.16.840.1.101.3.4.3.9", "ECDSA and SHA3-224"}, {"2.16.840.1.101.3.4.3.10", "ECDSA and SHA3-256"},
		{"2.16.840.1.101.3.4.3.11", "ECDSA and SHA3-384"}, {"2.16.840.1.101.3.4.3.12", "ECDSA and SHA3-512"},
		{"2.16.840.1.101.3.4.3.13", "RSA and SHA3-224"}, {"2.16.840.1.101.3.4.3.14", "RSA and SHA3-256"},
		{"2.16.840.1.101.3.4.3.15", "RSA and SHA3-384"}, {"2.16.840.1.101.3.4.3.16", "RSA and SHA3-512"},
		{"1.3.101.112", "Ed25519"}, {"1.3.101.113", "Ed448"}, {"1.2.156.10197.1.501", "SM2 and SM3"},
		{"1.3.6.1.5.5.7.6.30", "RSASSA-PSS and SHAKE128"}, {"1.3.6.1.5.5.7.6.31", "RSASSA-PSS and SHAKE256"},
		{"1.3.6.1.5.5.7.6.32", "ECDSA and SHAKE128"}, {"1.3.6.1.5.5.7.6.33", "ECDSA and SHAKE256"},
	} {
		list = append(list, namedSignature{unverified[0], signature{name: unverified[1]}})
	}
	return list
}

// pssParameters are those of RFC 4055, 3.1 that crypto/rsa needs.
type pssParameters struct {
	hash crypto.Hash
	salt int
}

// pssSignature returns the RSASSA-PSS signature algorithm with these parameters.
func pssSignature(parameters cryptobyte.String) signature {
	p, digest, mask, ok := readPSS(parameters)
	s := signature{name: "RSASSA-PSS and " + digest}
	switch {
	case !ok:
		s.name = "RSASSA-PSS with parameters that cannot be read"
	case mask != digest:
		s.name += fmt.Sprintf(", with %s in its mask", mask)
	case p.hash == 0:
	default:
		s.pss = &p
		if p.salt == p.hash.Size() {
			s.algorithm = map[crypto.Hash]x509.SignatureAlgorithm{crypto.SHA256: x509.SHA256WithRSAPSS, crypto.SHA384: x509.SHA384WithRSAPSS, crypto.SHA512: x509.SHA512WithRSAPSS}[p.hash]
		}
	}
	return s
}

// readPSS parses RSASSA-PSS-params, each field of which has a default (RFC 4055, 3.1).
func readPSS(parameters cryptobyte.String) (p pssParameters, digest, mask string, ok bool) {
	p.salt, digest, mask = 20, "SHA-1", "SHA-1"
	trailer := 1 // the only value
	read := []func(cryptobyte.String) bool{
		func(v cryptobyte.String) bool { digest, p.hash = digestOf(v); return true },
		func(v cryptobyte.String) bool { mask = maskOf(v); return true },
		func(v cryptobyte.String) bool { return v.ReadASN1Integer(&p.salt) },
		func(v cryptobyte.String) bool { return v.ReadASN1Integer(&trailer) },
	}
	var in, value cryptobyte.String
	if !parameters.ReadASN1(&in, cbasn1.SEQUENCE) {
		return p, digest, mask, false
	}
	for i, field := range read {
		var present bool
		if !in.ReadOptionalASN1(&value, &present, cbasn1.Tag(i).ContextSpecific().Constructed()) || present && !field(value) {
			return p, digest, mask, false
		}
	}
	const maxSalt = 1024 // bytes: more than any RSA key has room for
	return p, digest, mask, in.Empty() && trailer == 1 && p.salt >= 0 && p.salt <= maxSalt
}

// maskOf names the digest of MGF1, the only mask generation function (RFC 8017, B.2).
func maskOf(der cryptobyte.String) string {
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&der, cbasn1.SEQUENCE) || !der.ReadASN1ObjectIdentifier(&oid) || oid.String() != "1.2.840.113549.1.1.8" {
		return "something other than MGF1"
	}
	name, _ := digestOf(der)
	return name
}

// digestOf names the digest of an AlgorithmIdentifier. The hash is 0 for digests that are not
// accepted.
func digestOf(der cryptobyte.String) (string, crypto.Hash) {
	var oid asn1.ObjectIdentifier
	if !der.ReadASN1(&der, cbasn1.SEQUENCE) || !der.ReadASN1ObjectIdentifier(&oid) {
		return "an unknown digest", 0
	}
	switch text := oid.String(); text {
	case "2.16.840.1.101.3.4.2.1":
		return "SHA-256", crypto.SHA256
	case "2.16.840.1.101.3.4.2.2":
		return "SHA-384", crypto.SHA384
	case "2.16.840.1.101.3.4.2.3":
		return "SHA-512", crypto.SHA512
	case "1.3.14.3.2.26":
		return "SHA-1", 0
	case "2.16.840.1.101.3.4.2.4":
		return "SHA-224", 0
	case "2.16.840.1.101.3.4.2.7", "2.16.840.1.101.3.4.2.8", "2.16.840.1.101.3.4.2.9", "2.16.840.1.101.3.4.2.10":
		return "SHA-3", 0
	default:
		return "the unknown digest " + text, 0
	}
}
