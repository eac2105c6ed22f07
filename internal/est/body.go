package est

import (
	"bytes"
	"encoding/asn1"
	"encoding/base64"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"
)

func oidData() asn1.ObjectIdentifier       { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1} }
func oidSignedData() asn1.ObjectIdentifier { return asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 2} }

// CertsOnly returns a message of certificates, each in DER, and nothing else: a SignedData without
// content and signers (RFC 5652, 5.1 and RFC 8551, 3.8).
func CertsOnly(certs ...[]byte) ([]byte, error) {
	context0 := cbasn1.Tag(0).ContextSpecific().Constructed()
	var b cryptobyte.Builder
	b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { // ContentInfo
		b.AddASN1ObjectIdentifier(oidSignedData())
		b.AddASN1(context0, func(b *cryptobyte.Builder) {
			b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1Int64(1)
				b.AddASN1(cbasn1.SET, func(*cryptobyte.Builder) {}) // digestAlgorithms
				b.AddASN1(cbasn1.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier(oidData()) })
				b.AddASN1(context0, func(b *cryptobyte.Builder) {
					for _, der := range certs {
						b.AddBytes(der)
					}
				})
				b.AddASN1(cbasn1.SET, func(*cryptobyte.Builder) {}) // signerInfos
			})
		})
	})
	der, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("write certificates as PKCS #7: %w", err)
	}
	return der, nil
}

// Flat is the base64 of a body on one line, without an end of line (RFC 8951, 3.1).
func Flat(der []byte) []byte { return base64.StdEncoding.AppendEncode(nil, der) }

// wrappedLine is how many characters a line of Wrapped has, as in PEM (RFC 7468, 2).
const wrappedLine = 64

// Wrapped is Flat in lines, each with an end.
func Wrapped(der []byte) []byte {
	flat, out := Flat(der), bytes.Buffer{}
	for len(flat) > 0 {
		n := min(wrappedLine, len(flat))
		out.Write(flat[:n])
		out.WriteByte('\n')
		flat = flat[n:]
	}
	return out.Bytes()
}
