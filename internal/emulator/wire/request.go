package wire

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// Request is a request as received, before decoding.
type Request struct {
	Method, Host   string
	Path, RawQuery string // as in the request line
	Header         http.Header
	Length         int64 // of the body, as announced; -1 if it was not
	Body           []byte
}

// NewRequest returns a request whose body was read.
func NewRequest(r *http.Request, body []byte) Request {
	path, rawQuery := RawTarget(r)
	return Request{Method: r.Method, Host: r.Host, Path: path, RawQuery: rawQuery, Header: r.Header, Length: r.ContentLength, Body: body}
}

// RawTarget returns path and query as in the request line, in origin or absolute form (RFC
// 9112 3.2).
func RawTarget(r *http.Request) (path, rawQuery string) {
	path, rawQuery, _ = strings.Cut(r.RequestURI, "?")
	if !strings.HasPrefix(path, "/") {
		return r.URL.EscapedPath(), r.URL.RawQuery
	}
	return path, rawQuery
}

// ReadBody reads a body of at most most bytes. Of a longer one it reads no more than that.
func ReadBody(r *http.Request, most int64) ([]byte, *Error) {
	tooLarge := NewError(http.StatusRequestEntityTooLarge, "RequestEntityTooLargeException", "Request size exceeded", "the body has more than %d bytes", most)
	if r.ContentLength > most {
		return nil, tooLarge
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, most+1))
	if err != nil {
		return nil, NewError(http.StatusBadRequest, "SerializationException", "The request body could not be read", "%v", err)
	}
	if int64(len(body)) > most {
		return nil, tooLarge
	}
	return body, nil
}

// CheckJSON refuses a body of another content type than JSON. Ours.
func (r Request) CheckJSON() *Error {
	sent := r.Header.Get("Content-Type")
	kind, _, err := mime.ParseMediaType(sent)
	if len(r.Body) == 0 || err == nil && kind == "application/json" {
		return nil
	}
	return NewError(http.StatusUnsupportedMediaType, "UnsupportedMediaTypeException", "The request's Content-Type must be application/json", "Content-Type %.80q", sent)
}

// MaxHeader is the maximum size of a request's header. The service's own is unknown; what it
// documents fits: a leaf of 16 KB and a chain of five as big, in base64, and the rest.
const MaxHeader = 256 << 10

// CheckHeaderSize refuses a header of more than MaxHeader bytes.
func CheckHeaderSize(h http.Header) *Error {
	size := 0
	for name, values := range h {
		for _, value := range values {
			size += len(name) + len(value)
		}
	}
	if size > MaxHeader {
		return NewError(http.StatusRequestHeaderFieldsTooLarge, "RequestEntityTooLargeException", "Request size exceeded", "the headers have %d bytes; %d is the most here", size, MaxHeader)
	}
	return nil
}

// Once returns the value of a header that must occur exactly once.
func (r Request) Once(name string) (string, error) {
	values := r.Header[name]
	if len(values) != 1 || values[0] == "" {
		return "", fmt.Errorf("the request has the header %s %d times, with a value; it must be once", name, len(values))
	}
	return values[0], nil
}

// Authorization parses the Authorization header.
func (r Request) Authorization() (Authorization, error) {
	value, err := r.Once("Authorization")
	if err != nil {
		return Authorization{}, err
	}
	return ParseAuthorization(value)
}

// BodyHashMatches reports whether the header X-Amz-Content-Sha256, if there is one, has the hash of
// the body. UNSIGNED-PAYLOAD is documented for S3 only, so it does not match.
func (r Request) BodyHashMatches() bool {
	hash := r.Header.Get("X-Amz-Content-Sha256")
	if hash == "" {
		return true
	}
	sum := sha256.Sum256(r.Body)
	return hash == hex.EncodeToString(sum[:])
}

// values returns all values of a header, in the order received. net/http keeps Host, and sometimes
// Content-Length, out of the header map.
func (r Request) values(name string) []string {
	switch {
	case name == "host" && r.Host != "":
		return []string{r.Host}
	case name == "content-length" && len(r.Header["Content-Length"]) == 0 && r.Length >= 0:
		return []string{strconv.FormatInt(r.Length, 10)}
	}
	return slices.Clone(r.Header.Values(name))
}

// Unsigned returns the first header that is not signed and must be: host, the extra ones of this
// service, and every x-amz-* header (IAM guide, "Create a canonical request": "you must include the
// host header and any x-amz-* headers").
func (r Request) Unsigned(signed []string, extra ...string) string {
	for _, name := range append([]string{"host"}, extra...) {
		if !slices.Contains(signed, name) {
			return name
		}
	}
	for name := range r.Header {
		name = strings.ToLower(name)
		if strings.HasPrefix(name, "x-amz-") && !slices.Contains(signed, name) {
			return name
		}
	}
	return ""
}

// Repeated returns the first header that occurs more than once and must not, signed or not: signer
// and service could use different values. X-Amz-X509 and X-Amz-X509-Chain are read by Once.
func (r Request) Repeated() string {
	for _, name := range []string{"X-Amz-Date", "X-Amz-Content-Sha256", "X-Amz-Security-Token", "Content-Type"} {
		if len(r.Header[name]) > 1 {
			return name
		}
	}
	return ""
}
