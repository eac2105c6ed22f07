package pemread

import (
	"bytes"
	"unicode"
)

// Tags of X.690, 8.1.2, with the bit of constructed types.
const (
	tagInteger     = 0x02
	tagBitString   = 0x03
	tagOctetString = 0x04
	tagOID         = 0x06
	tagSequence    = 0x30
	tagUTCTime     = 0x17
	tagTime        = 0x18
	tagExplicit0   = 0xa0
)

// element is one value of DER.
type element struct {
	tag           byte
	content, full []byte
}

// next cuts the first element off. It reads tags of one byte and definite lengths.
func next(der []byte) (e element, rest []byte, ok bool) {
	if len(der) < 2 || der[0]&0x1f == 0x1f {
		return e, nil, false
	}
	size, head := int(der[1]), 2
	if size&0x80 != 0 {
		n := size & 0x7f
		if n == 0 || n > 4 || len(der) < 2+n {
			return e, nil, false
		}
		size, head = 0, 2+n
		for _, b := range der[2:head] {
			size = size<<8 | int(b)
		}
	}
	if size < 0 || size > len(der)-head {
		return e, nil, false
	}
	return element{der[0], der[head : head+size], der[:head+size]}, der[head+size:], true
}

// isIndefinite reports whether data is BER whose end is marked rather than counted, as old
// PKCS #12 files are.
func isIndefinite(data []byte) bool {
	return len(data) > 1 && data[0] == tagSequence && data[1] == 0x80
}

// isDER reports whether data begins as a SEQUENCE, and not as text with the digit 0.
func isDER(data []byte) bool {
	switch {
	case len(data) < 2 || data[0] != tagSequence:
		return false
	case data[1]&0x80 != 0:
		return true
	case everyOtherIsZero(data, 1):
		return false
	}
	return bytes.ContainsFunc(data, func(r rune) bool { return unicode.IsControl(r) && !unicode.IsSpace(r) })
}

// isMore reports whether what follows an element may be something that was meant: another
// element, or PEM. Anything else, such as the white space of editors and the zeros of padded
// blocks, changes nothing about the element before it.
func isMore(rest []byte) bool {
	start := bytes.TrimLeft(rest, "\x00\t\r\n ")
	return len(start) > 0 && start[0] == tagSequence || bytes.Contains(rest, []byte(beginMark))
}

// derBlocks reads elements one after another.
func derBlocks(data []byte) ([]Block, error) {
	if isIndefinite(data) {
		b := Block{DER: data}
		b.Kind = b.kind()
		return []Block{b}, nil
	}
	var blocks []Block
	for rest := data; len(rest) > 0; {
		if len(blocks) > 0 && !isMore(rest) {
			break
		}
		e, after, ok := next(rest)
		switch {
		case rest[0] != tagSequence:
			return nil, fail(Damaged, "%d bytes of something else follow the DER in it", len(rest))
		case !ok:
			return nil, fail(Cut, "it is cut short: the DER in it is longer than the %d bytes that are there", len(rest))
		}
		b := Block{DER: e.full}
		b.Kind = b.kind()
		blocks = append(blocks, b)
		rest = after
	}
	return blocks, nil
}
