package emulator

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// wireRequest is a request as received, before decoding.
type wireRequest struct {
	method, host   string
	path, rawQuery string // as in the request line
	header         http.Header
	length         int64
	body           []byte
}

func newWireRequest(r *http.Request, body []byte) wireRequest {
	path, rawQuery := rawTarget(r)
	return wireRequest{method: r.Method, host: r.Host, path: path, rawQuery: rawQuery, header: r.Header, length: r.ContentLength, body: body}
}

// rawTarget returns path and query as in the request line, in origin or absolute form (RFC
// 9112 3.2).
func rawTarget(r *http.Request) (path, rawQuery string) {
	path, rawQuery, _ = strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	return path, rawQuery
}

// canonical computes the canonical request (IAM guide, "Create a canonical request"). query is a
// parameter because a presigned URL leaves its signature out.
func (r wireRequest) canonical(query []pair, signed []string) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%s\n%s\n", r.method, canonicalPath(r.path), canonicalQuery(query))
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
	sum := sha256.Sum256(r.body)
	fmt.Fprintf(&b, "\n%s\n%s", strings.Join(signed, ";"), hex.EncodeToString(sum[:]))
	return b.String(), nil
}

// values returns all values of a header, in the order received. net/http keeps Host, and sometimes
// Content-Length, out of the header map.
func (r wireRequest) values(name string) []string {
	switch {
	case name == "host" && r.host != "":
		return []string{r.host}
	case name == "content-length" && len(r.header["Content-Length"]) == 0 && r.length >= 0:
		return []string{strconv.FormatInt(r.length, 10)}
	}
	return slices.Clone(r.header.Values(name))
}

// unsigned returns the first header that is not signed and must be: host, the extra ones of this
// service, and every x-amz-* header (IAM guide, "Create a canonical request": "you must include the
// host header and any x-amz-* headers").
func (r wireRequest) unsigned(signed []string, extra ...string) string {
	for _, name := range append([]string{"host"}, extra...) {
		if !slices.Contains(signed, name) {
			return name
		}
	}
	for name := range r.header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
			return name
		}
	}
	return ""
}

// repeated returns the first header that occurs more than once and must not, signed or not: signer
// and service could use different values. X-Amz-X509 and X-Amz-X509-Chain are read by once.
func (r wireRequest) repeated() string {
	for _, name := range []string{"X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "Content-Type"} {
		if len(r.header[name]) > 1 {
			return name
		}
	}
	return ""
}

// stringToSign is the same for every algorithm (IAM guide, "Create a string to sign").
func stringToSign(algorithm, date, scope, canonical string) string {
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

// pair is one query parameter, decoded.
type pair struct{ name, value string }

// parseQuery decodes a raw query. A plus sign is a blank, as in a form (HTML, "URL-encoded form
// data"): a literal plus must be sent as %2B.
func parseQuery(raw string) ([]pair, error) {
	var pairs []pair
	for part := range strings.SplitSeq(raw, "&") {
		if part == "" {
			continue
		}
		name, value, _ := strings.Cut(part, "=")
		var p pair
		var ok1, ok2 bool
		p.name, ok1 = percentDecode(name)
		p.value, ok2 = percentDecode(value)
		if !ok1 || !ok2 {
			return nil, errors.New("the query has a % without two hexadecimal digits")
		}
		pairs = append(pairs, p)
	}
	return pairs, nil
}

// canonicalQuery encodes every name and value and then sorts by name, then value.
func canonicalQuery(pairs []pair) string {
	encoded := make([]pair, len(pairs))
	for i, p := range pairs {
		encoded[i] = pair{uriEncode(p.name), uriEncode(p.value)}
	}
	slices.SortFunc(encoded, func(a, b pair) int {
		if c := strings.Compare(a.name, b.name); c != 0 {
			return c
		}
		return strings.Compare(a.value, b.value)
	})
	var b strings.Builder
	for i, p := range encoded {
		if i > 0 {
			b.WriteByte('&')
		}
		b.WriteString(p.name + "=" + p.value)
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

// collapseSpaces trims a header's value and replaces each run of blanks by one ("Trim").
func collapseSpaces(s string) string {
	return strings.Join(strings.FieldsFunc(strings.TrimSpace(s), func(r rune) bool { return r == ' ' }), " ")
}
