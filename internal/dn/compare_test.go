package dn

import (
	"encoding/asn1"
	"encoding/binary"
	"testing"
	"unicode/utf16"
	"unicode/utf8"
)

// name encodes a name of common names, one for each value.
func name(t *testing.T, values ...asn1.RawValue) []byte {
	t.Helper()
	var sequence []rdnSET
	for _, v := range values {
		sequence = append(sequence, rdnSET{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: v}})
	}
	der, err := asn1.Marshal(sequence)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func value(tag int, text string) asn1.RawValue {
	return asn1.RawValue{Tag: tag, Bytes: []byte(text)}
}

func TestKey(t *testing.T) {
	const utf8Tag, printable, t61, ia5, bmp, numeric = asn1.TagUTF8String, asn1.TagPrintableString, asn1.TagT61String, asn1.TagIA5String, asn1.TagBMPString, asn1.TagNumericString
	web := name(t, value(utf8Tag, "Web CA"))
	for _, tt := range []struct {
		what  string
		a, b  []byte
		equal bool
	}{
		{"itself", web, web, true},
		{"PrintableString", web, name(t, value(printable, "Web CA")), true},
		{"IA5String", web, name(t, value(ia5, "Web CA")), true},
		{"VisibleString", web, name(t, value(tagVisibleString, "Web CA")), true},
		{"TeletexString", web, name(t, value(t61, "Web CA")), true},
		{"BMPString", web, name(t, value(bmp, "\x00W\x00e\x00b\x00 \x00C\x00A")), true},
		{"UniversalString", web, name(t, value(tagUniversalString, "\x00\x00\x00W\x00\x00\x00e\x00\x00\x00b\x00\x00\x00 \x00\x00\x00C\x00\x00\x00A")), true},
		{"case", web, name(t, value(utf8Tag, "WEB ca")), true},
		{"spaces around and between", web, name(t, value(printable, "  Web   CA ")), true},
		{"letters outside ASCII", name(t, value(utf8Tag, "Zürich")), name(t, value(t61, "Z\xdcRICH")), true},
		{"outside the basic plane", name(t, value(utf8Tag, "😀")), name(t, value(bmp, "\xd8\x3d\xde\x00")), true},
		{"digits", name(t, value(numeric, "12 3")), name(t, value(printable, "12  3")), true},

		{"another word", web, name(t, value(utf8Tag, "Web CB")), false},
		{"no space", web, name(t, value(utf8Tag, "WebCA")), false},
		{"one name more", web, name(t, value(utf8Tag, "Web CA"), value(utf8Tag, "Web CA")), false},
		{"another order", name(t, value(utf8Tag, "a"), value(utf8Tag, "b")), name(t, value(utf8Tag, "b"), value(utf8Tag, "a")), false},
		{"a separator in the value", name(t, value(utf8Tag, "a"), value(utf8Tag, "b")), name(t, value(utf8Tag, `a",2.5.4.3="b`)), false},
		{"not a string", name(t, value(asn1.TagOctetString, "a")), name(t, value(utf8Tag, "a")), false},
		{"half a character", name(t, value(bmp, "\x00a\x00")), name(t, value(utf8Tag, "a")), false},
		{"an empty name", name(t), web, false},
		{"bytes behind it", append(web[:len(web):len(web)], 0), web, false},
	} {
		if got := Key(tt.a) == Key(tt.b); got != tt.equal {
			t.Errorf("%s: equal is %t, want %t: %q and %q", tt.what, got, tt.equal, Key(tt.a), Key(tt.b))
		}
	}
}

// The attributes of one RelativeDistinguishedName are a set, those of another type differ.
func TestKey_set(t *testing.T) {
	cn := attribute{asn1.ObjectIdentifier{2, 5, 4, 3}, value(asn1.TagUTF8String, "longer")}
	o := attribute{asn1.ObjectIdentifier{2, 5, 4, 10}, value(asn1.TagUTF8String, "o")}
	marshal := func(name []rdnSET) string {
		der, err := asn1.Marshal(name)
		if err != nil {
			t.Fatal(err)
		}
		return Key(der)
	}
	if marshal([]rdnSET{{cn, o}}) != marshal([]rdnSET{{o, cn}}) {
		t.Error("the order within a set counts")
	}
	if marshal([]rdnSET{{cn, o}}) == marshal([]rdnSET{{cn}, {o}}) {
		t.Error("a set of two equals two sets")
	}
}

// A text has one key in every encoding, and no bytes do harm.
func FuzzKey(f *testing.F) {
	f.Add("Web CA", []byte("\x30\x00"))
	f.Add("Zürich 😀", []byte("\x30\x0d\x31\x0b\x30\x09\x06\x03\x55\x04\x03\x13\x02\x61\x61"))
	f.Fuzz(func(t *testing.T, text string, der []byte) {
		Key(der)
		if !utf8.ValidString(text) {
			return
		}
		var bmp, universal []byte
		for _, unit := range utf16.Encode([]rune(text)) {
			bmp = binary.BigEndian.AppendUint16(bmp, unit)
		}
		for _, r := range text {
			universal = binary.BigEndian.AppendUint32(universal, uint32(r))
		}
		want := Key(name(t, value(asn1.TagUTF8String, text)))
		for tag, encoded := range map[int][]byte{asn1.TagBMPString: bmp, tagUniversalString: universal} {
			if got := Key(name(t, value(tag, string(encoded)))); got != want {
				t.Errorf("tag %d: %q, want %q", tag, got, want)
			}
		}
	})
}
