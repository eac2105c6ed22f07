package pkcs12

import (
	"crypto/hmac"
	"encoding/asn1"
	"errors"
	"unicode/utf16"

	"kedge/internal/pbe"
)

// attribute is RFC 7292 4.2, PKCS12Attribute.
type attribute struct {
	ID     asn1.ObjectIdentifier
	Values asn1.RawValue
}

type namedBag struct {
	ID         asn1.ObjectIdentifier
	Value      asn1.RawValue // [0] EXPLICIT, whole
	Attributes []attribute   `asn1:"set,optional"`
}

type writtenInfo struct {
	Type    asn1.ObjectIdentifier
	Content asn1.RawValue // [0] EXPLICIT, whole
}

type writtenPFX struct {
	Version  int
	AuthSafe writtenInfo
	MAC      macData
}

var errNotWritten = errors.New("malformed PKCS#12: it has another form than it is written in here")

// SetFriendlyName gives the key and its certificate a friendly name (RFC 2985 5.5.1), by which many
// programs list them. The file is one that has just been written, with this password, and marks the two
// by a local key id, as all writers do.
func SetFriendlyName(data, password []byte, name string) ([]byte, error) {
	var file writtenPFX
	if err := unmarshal(data, &file); err != nil {
		return nil, err
	}
	safe, err := octets(file.AuthSafe.Content.Bytes)
	if err != nil {
		return nil, err
	}
	var infos []writtenInfo
	if err := unmarshal(safe, &infos); err != nil {
		return nil, err
	}
	budget := &pbe.Budget{}
	friendly := friendlyName(name)
	for i := range infos {
		if infos[i].Content, err = nameContents(infos[i], password, friendly, budget); err != nil {
			return nil, err
		}
	}
	if safe, err = asn1.Marshal(infos); err != nil {
		return nil, err
	}
	key, h, err := file.MAC.key(password, budget)
	if err != nil {
		return nil, err
	}
	defer clear(key)
	mac := hmac.New(h, key)
	mac.Write(safe)
	file.MAC.Digest.Value = mac.Sum(nil)
	file.AuthSafe.Content = explicit(octetString(safe))
	return asn1.Marshal(file)
}

// nameContents names what is in one part of the file, encrypted or not, and returns its content.
func nameContents(info writtenInfo, password []byte, friendly attribute, budget *pbe.Budget) (asn1.RawValue, error) {
	if info.Type.String() == oidData {
		der, err := octets(info.Content.Bytes)
		if err != nil {
			return asn1.RawValue{}, err
		}
		der, err = nameBags(der, friendly)
		return explicit(octetString(der)), err
	}
	var sealed encryptedData
	if err := unmarshal(info.Content.Bytes, &sealed); err != nil {
		return asn1.RawValue{}, err
	}
	data, err := implicitOctets(sealed.Info.Content)
	if err != nil {
		return asn1.RawValue{}, err
	}
	der, err := budget.Open(sealed.Info.Algorithm, data, password)
	if err != nil {
		return asn1.RawValue{}, err
	}
	if der, err = nameBags(der, friendly); err != nil {
		return asn1.RawValue{}, err
	}
	if data, err = budget.Reseal(sealed.Info.Algorithm, der, password); err != nil {
		return asn1.RawValue{}, err
	}
	sealed.Info.Content = asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, Bytes: data}
	whole, err := asn1.Marshal(sealed)
	return explicit(whole), err
}

// nameBags names the bags that have a local key id.
func nameBags(der []byte, friendly attribute) ([]byte, error) {
	var bags []namedBag
	if err := unmarshal(der, &bags); err != nil {
		return nil, err
	}
	for i, bag := range bags {
		for _, a := range bag.Attributes {
			if a.ID.String() == "1.2.840.113549.1.9.21" { // localKeyId
				bags[i].Attributes = append(bag.Attributes[:len(bag.Attributes):len(bag.Attributes)], friendly)
				break
			}
		}
		if !bag.Value.IsCompound {
			return nil, errNotWritten
		}
	}
	return asn1.Marshal(bags)
}

func friendlyName(name string) attribute {
	var text []byte
	for _, unit := range utf16.Encode([]rune(name)) {
		text = append(text, byte(unit>>8), byte(unit))
	}
	value, _ := asn1.Marshal(asn1.RawValue{Tag: asn1.TagBMPString, Bytes: text}) // a RawValue is never refused
	return attribute{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 9, 20}, asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value}}
}

func octetString(data []byte) []byte {
	der, _ := asn1.Marshal(data) // bytes are never refused
	return der
}

func explicit(der []byte) asn1.RawValue {
	return asn1.RawValue{Class: asn1.ClassContextSpecific, Tag: 0, IsCompound: true, Bytes: der}
}
