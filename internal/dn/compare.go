package dn

import (
	"encoding/asn1"
	"slices"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// attribute is an AttributeTypeAndValue whose value is still encoded.
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue
}

// rdnSET is a RelativeDistinguishedName; encoding/asn1 takes the SET from the type's name.
type rdnSET []attribute

// Key returns a text that is the same for encoded names that are equal by RFC 5280 7.1: the
// encoding of a string, the case of its letters and the number of spaces do not count. The
// normal forms of Unicode, which need tables that a host does not carry, are not applied. What is
// not a name equals itself alone.
func Key(der []byte) string {
	var name []rdnSET
	if rest, err := asn1.Unmarshal(der, &name); err != nil || len(rest) > 0 {
		return "#" + string(der)
	}
	var key strings.Builder
	for _, rdn := range name {
		attributes := make([]string, len(rdn))
		for i, a := range rdn {
			attributes[i] = a.Type.String() + "=" + strconv.Quote(foldValue(a.Value))
		}
		slices.Sort(attributes)
		key.WriteString(strings.Join(attributes, "+") + ",")
	}
	return key.String()
}

// foldValue returns what counts of a value: of a string its words in lower case, of anything else
// its encoding.
func foldValue(v asn1.RawValue) string {
	text, ok := decodeString(v)
	if !ok {
		return "#" + string(v.FullBytes)
	}
	return strings.Join(strings.Fields(strings.ToLower(text)), " ")
}

// tagVisibleString and tagUniversalString are missing from encoding/asn1.
const (
	tagVisibleString   = 26
	tagUniversalString = 28
)

func decodeString(v asn1.RawValue) (string, bool) {
	if v.Class != asn1.ClassUniversal || v.IsCompound {
		return "", false
	}
	switch v.Tag {
	case asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagIA5String, asn1.TagNumericString, tagVisibleString:
		return string(v.Bytes), utf8.Valid(v.Bytes)
	case asn1.TagT61String: // in certificates it is ISO 8859-1
		return decodeUnits(v.Bytes, 1)
	case asn1.TagBMPString:
		return decodeUnits(v.Bytes, 2)
	case tagUniversalString:
		return decodeUnits(v.Bytes, 4)
	}
	return "", false
}

// decodeUnits reads characters of a fixed size in bytes; those of two may be halves of UTF-16.
func decodeUnits(data []byte, size int) (string, bool) {
	if len(data)%size != 0 {
		return "", false
	}
	var runes []rune
	var units []uint16
	for unit := range slices.Chunk(data, size) {
		r := rune(0)
		for _, b := range unit {
			r = r<<8 | rune(b)
		}
		runes, units = append(runes, r), append(units, uint16(r))
	}
	if size == 2 {
		runes = utf16.Decode(units)
	}
	return string(runes), true
}
