package wire

import (
	"encoding/hex"
	"errors"
	"strings"
)

// Pair is one query parameter, decoded.
type Pair struct{ Name, Value string }

// ParseQuery decodes a raw query. A plus sign is a blank, as in a form (HTML, "URL-encoded form
// data"): a literal plus must be sent as %2B.
func ParseQuery(raw string) ([]Pair, error) {
	var pairs []Pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		var p Pair
		var ok1, ok2 bool
		p.Name, ok1 = percentDecode(name)
		p.Value, ok2 = percentDecode(value)
		if !ok1 || !ok2 {
			return nil, errors.New("the query has a % without two hexadecimal digits")
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

func percentDecode(s string) (string, bool) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '+':
			b.WriteByte(' ')
		case s[i] != '%':
			b.WriteByte(s[i])
		default:
			if i+2 >= len(s) {
				return "", false
			}
			c, err := hex.DecodeString(s[i+1 : i+3])
			if err != nil {
				return "", false
			}
			b.Write(c)
			i += 2
		}
	}
	return b.String(), true
}

// DecodePath decodes a segment of a path. A plus sign stays one, other than in a query.
func DecodePath(segment string) (string, bool) {
	return percentDecode(strings.ReplaceAll(segment, "+", "%2B"))
}
