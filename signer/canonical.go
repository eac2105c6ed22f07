package signer

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Request is what is signed of an HTTP request. The host is the URL's; the body is the
// bytes that will be sent.
type Request struct {
	Method string
	URL    *url.URL
	Header http.Header // sent besides those that Sign adds; all but hop-by-hop ones are signed
	Body   []byte
}

// canonicalRequest writes a request in the one form that client and service agree on, and
// names the headers in it. headers holds those that Sign adds.
//
// Source: AWS IAM User Guide, "Create a signed AWS API request", step 1.
func canonicalRequest(r Request, headers http.Header) (canonical, signedHeaders string) {
	lines, names := canonicalHeaders(r, headers)
	hash := sha256.Sum256(r.Body)
	return strings.Join([]string{
		r.Method,
		canonicalPath(r.URL),
		canonicalQuery(r.URL.RawQuery),
		lines,
		names,
		hex.EncodeToString(hash[:]),
	}, "\n"), names
}

// canonicalPath encodes each segment of the path as it is sent once more, as all services
// but S3 want it. For /sessions that changes nothing.
func canonicalPath(u *url.URL) string {
	path := u.EscapedPath()
	if path == "" {
		return "/"
	}
	segments := strings.Split(path, "/")
	for i, s := range segments {
		segments[i] = uriEncode(s)
	}
	return strings.Join(segments, "/")
}

// canonicalQuery decodes the query, encodes it the strict way and sorts it by name, then by
// value. A part that cannot be decoded is taken literally.
func canonicalQuery(raw string) string {
	if raw == "" {
		return ""
	}
	values := map[string][]string{}
	for part := range strings.SplitSeq(raw, "&") {
		name, value, _ := strings.Cut(part, "=")
		name = uriEncode(unescape(name))
		values[name] = append(values[name], uriEncode(unescape(value)))
	}
	var pairs []string
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range slices.Sorted(slices.Values(values[name])) {
			pairs = append(pairs, name+"="+value)
		}
	}
	return strings.Join(pairs, "&")
}

func unescape(s string) string {
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

// uriEncode escapes every byte but the unreserved characters of RFC 3986, 2.3, in capitals.
// url.QueryEscape differs: it writes a space as "+".
func uriEncode(s string) string {
	const digits = "0123456789ABCDEF"
	var out strings.Builder
	out.Grow(len(s))
	for i := range len(s) {
		c := s[i]
		if 'A' <= c && c <= 'Z' || 'a' <= c && c <= 'z' || '0' <= c && c <= '9' || c == '-' || c == '.' || c == '_' || c == '~' {
			out.WriteByte(c)
			continue
		}
		out.Write([]byte{'%', digits[c>>4], digits[c&15]})
	}
	return out.String()
}

// canonicalHeaders writes one line "name:value" for each signed header, and the list of
// their names.
func canonicalHeaders(r Request, added http.Header) (lines, names string) {
	all := map[string][]string{"host": {r.URL.Host}}
	for _, h := range []http.Header{r.Header, added} {
		for name, values := range h {
			if name = strings.ToLower(name); signed(name) {
				all[name] = append(all[name], values...)
			}
		}
	}
	sorted := make([]string, 0, len(all))
	for name := range all {
		sorted = append(sorted, name)
	}
	slices.Sort(sorted)
	var out strings.Builder
	for _, name := range sorted {
		values := make([]string, len(all[name]))
		for i, v := range all[name] {
			values[i] = trimAll(v)
		}
		out.WriteString(name + ":" + strings.Join(values, ",") + "\n")
	}
	return out.String(), strings.Join(sorted, ";")
}

// trimAll is Trim of the User Guide: the ends go, and spaces in a row become one. Other
// characters that Unicode calls space are sent as they are, and so signed.
func trimAll(value string) string {
	value = strings.Trim(value, " \t")
	for strings.Contains(value, "  ") {
		value = strings.ReplaceAll(value, "  ", " ")
	}
	return value
}

// signed reports whether a header of the request is signed: all are, except those that
// proxies and clients rewrite on the way, and host, which is the URL's.
func signed(name string) bool {
	switch name {
	case "host", "authorization", "user-agent", "x-amzn-trace-id", "connection", "content-length",
		"accept-encoding", "expect", "te", "trailer", "transfer-encoding", "upgrade",
		"proxy-authorization", "proxy-connection", "keep-alive":
		return false
	}
	return true
}
