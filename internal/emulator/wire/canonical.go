package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
)

// Canonical computes the canonical request (IAM guide, "Create a canonical request"). query is a
// parameter because a presigned URL leaves its signature out.
func (r Request) Canonical(query []Pair, signed []string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", r.Method, canonicalPath(r.Path), canonicalQuery(query))
	for _, name := range signed {
		values := r.values(name)
		if len(values) == 0 {
			return "", fmt.Errorf("SignedHeaders names %q, which the request does not have", name)
		}
		for i, value := range values {
			values[i] = collapseSpaces(value)
		}
		fmt.Fprintf(&b, "%s:%s\n", name, strings.Join(values, ","))
	}
	sum := sha256.Sum256(r.Body)
	fmt.Fprintf(&b, "\n%s\n%s", strings.Join(signed, ";"), hex.EncodeToString(sum[:]))
	return b.String(), nil
}

// StringToSign is the same for every algorithm (IAM guide, "Create a string to sign").
func StringToSign(algorithm, date, scope, canonical string) string {
	sum := sha256.Sum256([]byte(canonical))
	return strings.Join([]string{algorithm, date, scope, hex.EncodeToString(sum[:])}, "\n")
}

// canonicalPath normalizes the path (RFC 3986 5.2.4, and repeated slashes become one) and encodes
// it once more, as every service but S3 requires.
func canonicalPath(path string) string {
	var segments []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			segments = segments[:max(0, len(segments)-1)]
		default:
			segments = append(segments, uriEncode(segment))
		}
	}
	result := "/" + strings.Join(segments, "/")
	if len(segments) > 0 && (strings.HasSuffix(path, "/") || strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")) {
		result += "/"
	}
	return result
}

// canonicalQuery encodes every name and value and then sorts by name, then value.
func canonicalQuery(pairs []Pair) string {
	encoded := make([]Pair, len(pairs))
	for i, p := range pairs {
		encoded[i] = Pair{uriEncode(p.Name), uriEncode(p.Value)}
	}
	slices.SortFunc(encoded, func(a, b Pair) int {
		if c := strings.Compare(a.Name, b.Name); c != 0 {
			return c
		}
		return strings.Compare(a.Value, b.Value)
	})
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.Name + "=" + p.Value)
	}
	return b.String()
}

// uriEncode encodes every byte but the unreserved ones of RFC 3986 2.3, with upper-case
// hexadecimal (IAM guide, "UriEncode").
func uriEncode(s string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~", c) >= 0 {
			b.WriteByte(c)
		} else {
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// collapseSpaces trims a header's value and replaces each run of blanks by one ("Trim").
func collapseSpaces(s string) string {
	return strings.Join(strings.FieldsFunc(strings.TrimSpace(s), func(r rune) bool { return r == ' ' }), " ")
}
