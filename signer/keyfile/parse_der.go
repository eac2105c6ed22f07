package keyfile

import "encoding/asn1"

const derSequence = 0x30

// keyForm is which of the forms of a private key some DER has, by the tags of its first members.
type keyForm int

const (
	formUnknown   keyForm = iota
	formPKCS1             // RFC 8017, A.1.2
	formSEC1              // RFC 5915
	formPKCS8             // RFC 5958
	formEncrypted         // RFC 5958, 3
)

// formOf reads the tags only: what it names may still be malformed.
func formOf(der []byte) keyForm {
	var outer, first, second asn1.RawValue
	if rest, err := asn1.Unmarshal(der, &outer); err != nil || len(rest) > 0 || outer.Tag != asn1.TagSequence {
		return formUnknown
	}
	rest, err := asn1.Unmarshal(outer.Bytes, &first)
	if err != nil {
		return formUnknown
	}
	if _, err := asn1.Unmarshal(rest, &second); err != nil {
		return formUnknown
	}
	switch [2]int{first.Tag, second.Tag} {
	case [2]int{asn1.TagInteger, asn1.TagInteger}:
		return formPKCS1
	case [2]int{asn1.TagInteger, asn1.TagOctetString}:
		return formSEC1
	case [2]int{asn1.TagInteger, asn1.TagSequence}:
		return formPKCS8
	case [2]int{asn1.TagSequence, asn1.TagOctetString}:
		return formEncrypted
	}
	return formUnknown
}
