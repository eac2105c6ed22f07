package pemread

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// plainText takes byte order marks off and turns UTF-16 into UTF-8. Windows writes both: certreq
// UTF-16, PowerShell and Notepad either.
func plainText(data []byte, noUTF16 bool) ([]byte, error) {
	switch {
	case bytes.HasPrefix(data, []byte(mark)):
		return data[len(mark):], nil
	case bytes.HasPrefix(data, []byte("\xff\xfe\x00\x00")), bytes.HasPrefix(data, []byte("\x00\x00\xfe\xff")):
		return nil, fail(Foreign, "it is UTF-32 text; save it as UTF-8")
	case noUTF16 && IsUTF16(data):
		return nil, fail(Foreign, "it is UTF-16 text; save it as UTF-8")
	case bytes.HasPrefix(data, []byte("\xff\xfe")):
		return fromUTF16(data[2:], binary.LittleEndian), nil
	case bytes.HasPrefix(data, []byte("\xfe\xff")):
		return fromUTF16(data[2:], binary.BigEndian), nil
	case everyOtherIsZero(data, 1):
		return fromUTF16(data, binary.LittleEndian), nil
	case everyOtherIsZero(data, 0):
		return fromUTF16(data, binary.BigEndian), nil
	}
	return data, nil
}

// mark is the byte order mark of UTF-8.
const mark = "\xef\xbb\xbf"

// IsUTF16 reports whether data is text in UTF-16, with a byte order mark or without.
func IsUTF16(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) ||
		everyOtherIsZero(data, 0) || everyOtherIsZero(data, 1)
}

// everyOtherIsZero reports whether data begins as ASCII in UTF-16 does, the zeros at the even
// (0) or odd (1) places.
func everyOtherIsZero(data []byte, first int) bool {
	const enough = 16
	if len(data) < enough {
		return false
	}
	for i := range enough {
		if (data[i] == 0) != (i%2 == first) {
			return false
		}
	}
	return true
}

func fromUTF16(data []byte, order binary.ByteOrder) []byte {
	units := make([]uint16, len(data)/2)
	for i := range units {
		units[i] = order.Uint16(data[2*i:])
	}
	var text []byte
	for _, r := range utf16.Decode(units) {
		text = utf8.AppendRune(text, r)
	}
	return text
}

// unescape undoes what writing text as a string of JSON, or of a shell, makes of line breaks,
// slashes and plus signs, however often it was done.
func unescape(text []byte) []byte {
	if !bytes.Contains(text, []byte(`\`)) {
		return text
	}
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); i++ {
		if text[i] != '\\' {
			out = append(out, text[i])
			continue
		}
		for i+1 < len(text) && text[i+1] == '\\' {
			i++
		}
		char, size := escaped(text[i+1:])
		if size == 0 {
			out = append(out, '\\')
		} else {
			out = append(out, char)
		}
		i += size
	}
	return out
}

// escaped returns the character that what follows a backslash stands for, and how much it takes.
func escaped(text []byte) (char byte, size int) {
	if len(text) == 0 {
		return 0, 0
	}
	switch text[0] {
	case 'n', 'r':
		return '\n', 1
	case 't':
		return '\t', 1
	case '/', '\n', '\r': // a shell's continued line
		return text[0], 1
	case 'u':
		if len(text) < 5 {
			return 0, 0
		}
		if code, err := strconv.ParseUint(string(text[1:5]), 16, 7); err == nil {
			return byte(code), 5
		}
	}
	return 0, 0
}

// digitsOf returns the characters of base64 in text, without the white space. Anything else is
// an error that names it and its line.
func digitsOf(text []byte) ([]byte, error) {
	digits := make([]byte, 0, len(text))
	line := 1
	for i := 0; i < len(text); {
		c := text[i]
		if isDigit(c) {
			digits = append(digits, c)
			i++
			continue
		}
		r, size := utf8.DecodeRune(text[i:])
		if !unicode.IsSpace(r) && !isInvisible(r) {
			return nil, fail(Damaged, "has %s in its line %d, which is not of base64", name(r, text[i]), line)
		}
		if c == '\n' || c == '\r' && (i+1 == len(text) || text[i+1] != '\n') {
			line++
		}
		i += size
	}
	return digits, nil
}

// name names a character, or a byte that is not part of one.
func name(r rune, first byte) string {
	if r == utf8.RuneError {
		return fmt.Sprintf("the byte 0x%02X", first)
	}
	return fmt.Sprintf("the character %q", r)
}

func isDigit(c byte) bool {
	return 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '+' || c == '/' || c == '='
}

// isInvisible reports whether a character is one of no width that web pages and word
// processors put into long lines.
func isInvisible(r rune) bool {
	return 0x200b <= r && r <= 0x200d || r == 0x2060 || r == 0xfeff || r == 0xad
}
