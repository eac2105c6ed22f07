package pkcs12

import (
	"encoding/asn1"
	"errors"
	"fmt"
)

// RFC 7292 allows BER, and NSS, older Windows and Keychain write it: indefinite lengths and
// octet strings in pieces. encoding/asn1 reads DER only, so BER is rewritten first.

var errBER = errors.New("malformed PKCS#12: truncated or not BER")

const maxBERDepth = 32

// unmarshal reads exactly one value, in DER or in BER.
func unmarshal(der []byte, into any) error {
	rest, err := asn1.Unmarshal(der, into)
	if err != nil {
		converted, berErr := toDER(der)
		if berErr != nil {
			return berErr
		}
		rest, err = asn1.Unmarshal(converted, into)
	}
	if err != nil {
		return errors.New("malformed PKCS#12: its parts are not what RFC 7292 has there")
	}
	if len(rest) > 0 {
		return fmt.Errorf("malformed PKCS#12: %d bytes follow its end", len(rest))
	}
	return nil
}

// octets returns the contents of an OCTET STRING.
func octets(der []byte) ([]byte, error) {
	var out []byte
	err := unmarshal(der, &out)
	return out, err
}

// implicitOctets returns the contents of [0] IMPLICIT OCTET STRING, joining pieces.
func implicitOctets(value asn1.RawValue) ([]byte, error) {
	if !value.IsCompound {
		return value.Bytes, nil
	}
	var out []byte
	for rest := value.Bytes; len(rest) > 0; {
		var piece []byte
		next, err := asn1.Unmarshal(rest, &piece)
		if err != nil {
			return nil, errBER
		}
		out, rest = append(out, piece...), next
	}
	return out, nil
}

// toDER rewrites one BER value with definite lengths and whole octet strings.
func toDER(ber []byte) ([]byte, error) {
	der, rest, err := convert(ber, 0)
	if err == nil && len(rest) > 0 {
		err = fmt.Errorf("malformed PKCS#12: %d bytes follow its end", len(rest))
	}
	return der, err
}

type header struct {
	tag        byte
	length     int
	indefinite bool
}

func (h header) constructed() bool { return h.tag&0x20 != 0 }

func convert(ber []byte, depth int) (der, rest []byte, err error) {
	h, body, err := readHeader(ber)
	if err != nil || depth > maxBERDepth {
		return nil, nil, errBER
	}
	if !h.constructed() {
		if h.indefinite {
			return nil, nil, errBER
		}
		return wrap(h.tag, body[:h.length]), body[h.length:], nil
	}
	content, rest, err := convertMembers(h, body, depth)
	if err != nil {
		return nil, nil, err
	}
	if h.tag != 0x24 { // a constructed OCTET STRING
		return wrap(h.tag, content), rest, nil
	}
	whole, err := implicitOctets(asn1.RawValue{IsCompound: true, Bytes: content})
	return wrap(asn1.TagOctetString, whole), rest, err
}

// convertMembers converts up to the end of a definite length, or to the two zeros.
func convertMembers(h header, body []byte, depth int) (content, rest []byte, err error) {
	if !h.indefinite {
		body, rest = body[:h.length], body[h.length:]
	}
	for {
		if !h.indefinite && len(body) == 0 {
			return content, rest, nil
		}
		if h.indefinite && len(body) >= 2 && body[0] == 0 && body[1] == 0 {
			return content, body[2:], nil
		}
		var member []byte
		member, body, err = convert(body, depth+1)
		if err != nil {
			return nil, nil, err
		}
		content = append(content, member...)
	}
}

// readHeader reads a tag below 31 and a length that fits the data.
func readHeader(ber []byte) (header, []byte, error) {
	if len(ber) < 2 || ber[0]&0x1f == 0x1f {
		return header{}, nil, errBER
	}
	h := header{tag: ber[0], length: int(ber[1])}
	body := ber[2:]
	if h.length == 0x80 {
		return header{tag: h.tag, indefinite: true}, body, nil
	}
	if h.length > 0x80 {
		size := h.length & 0x7f
		if size > 4 || size > len(body) {
			return header{}, nil, errBER
		}
		h.length = 0
		for _, b := range body[:size] {
			h.length = h.length<<8 | int(b)
		}
		body = body[size:]
	}
	if h.length < 0 || h.length > len(body) {
		return header{}, nil, errBER
	}
	return h, body, nil
}

func wrap(tag byte, content []byte) []byte {
	n := len(content)
	out := make([]byte, 0, n+6)
	switch {
	case n < 0x80:
		out = append(out, tag, byte(n))
	case n < 0x100:
		out = append(out, tag, 0x81, byte(n))
	case n < 0x10000:
		out = append(out, tag, 0x82, byte(n>>8), byte(n))
	case n < 0x1000000:
		out = append(out, tag, 0x83, byte(n>>16), byte(n>>8), byte(n))
	default:
		out = append(out, tag, 0x84, byte(n>>24), byte(n>>16), byte(n>>8), byte(n))
	}
	return append(out, content...)
}
