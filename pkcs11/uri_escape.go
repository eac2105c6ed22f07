package pkcs11

import (
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
)

// String prints the URI in the order of the RFC, without pin-value, so that it may be shown
// and logged. ParseURI takes it.
func (u URI) String() string { return u.without("pin-value").WithPIN() }

// WithPIN prints the whole URI, pin-value included.
func (u URI) WithPIN() string {
	var b strings.Builder
	b.WriteString("pkcs11:")
	for i, a := range u.path {
		if i > 0 {
			b.WriteByte(';')
		}
		writeAttribute(&b, a, "path")
	}
	for i, a := range u.query {
		b.WriteByte("?&"[min(i, 1)])
		writeAttribute(&b, a, "query")
	}
	return b.String()
}

// writeAttribute encodes every byte of an id, as RFC 7512 section 2.3 asks.
func writeAttribute(b *strings.Builder, a attribute, where string) {
	b.WriteString(a.name)
	b.WriteByte('=')
	for i := range len(a.value) {
		c := a.value[i]
		if a.name != "id" && isValueChar(c, where) {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(b, "%%%02X", c)
		}
	}
}

func unescape(s, where string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%':
			if i+3 > len(s) {
				return "", errors.New("ends within a percent-encoded byte")
			}
			raw, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				return "", errors.New("a percent sign must be followed by two hexadecimal digits")
			}
			b.Write(raw)
			i += 2
		case isValueChar(c, where), where == "query" && c == '|':
			b.WriteByte(c)
		default:
			return "", fmt.Errorf("a %q must be written as %%%02X", c, c)
		}
	}
	return b.String(), nil
}

// isValueChar says what may stand for itself: pk11-pchar and pk11-qchar of RFC 7512 section
// 2.3, but for the bar, which RFC 3986 does not allow in a query: it is read, never written.
func isValueChar(c byte, where string) bool {
	if isNameChar(rune(c)) || strings.IndexByte(".~:[]@!$'()*+,=", c) >= 0 {
		return true
	}
	if where == "path" {
		return c == '&'
	}
	return c == '/' || c == '?'
}

func isNameChar(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_'
}
