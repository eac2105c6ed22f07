package session

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

const (
	// maxBody is far above the few kilobytes of a session.
	maxBody = 1 << 20
	// minSkew is what a clock may be off before it is called wrong: the Date header counts
	// whole seconds, and an answer takes its time.
	minSkew = time.Minute
)

var errTooLong = errors.New("the answer is too long")

// answer is what came back, not yet believed.
type answer struct {
	host     string
	status   int
	header   http.Header
	body     []byte
	tooLong  bool
	received time.Time // the header, by this host's clock
	verified bool      // it is the service's; see Config.verified
}

// readBody reads a body up to its limit; past it, it returns errTooLong and nothing.
func readBody(resp *http.Response) ([]byte, error) {
	if resp.ContentLength > maxBody {
		return nil, errTooLong
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, err
	}
	if len(body) > maxBody {
		return nil, errTooLong
	}
	return body, nil
}

// session is the answer's session, or the error that it amounts to.
func (a answer) session(role ARN) (*Session, error) {
	switch {
	case a.status >= 300 && a.status < 400:
		return nil, a.wrong("redirects to %q (%s), which is not followed: a request is signed for one address", onlyWord(a.header.Get("Location")), statusText(a.status))
	case a.tooLong:
		return nil, a.wrong("answered %s with more than %d MiB", statusText(a.status), maxBody>>20)
	case a.status >= 400:
		return nil, a.refusal()
	case a.isHTML():
		return nil, a.wrong("answered %s with HTML: is there a proxy or a login page between?", statusText(a.status))
	case a.status != http.StatusCreated:
		return nil, a.wrong("answered %s, not 201 Created: is that IAM Roles Anywhere?", statusText(a.status))
	}
	return a.decode(role)
}

// refusal is the error that the service, or what stands before it, answered with.
func (a answer) refusal() error {
	var body struct {
		Code    string `json:"code"`
		Type    string `json:"__type"`
		Message string `json:"message"` // or "Message": encoding/json takes both
	}
	// Whatever can be read is of use; an error of which nothing can be is seen below.
	_ = json.Unmarshal(a.body, &body)
	code := errorCode(a.header.Get("X-Amzn-ErrorType"), body.Code, body.Type)
	message := oneLine(body.Message)
	if code == "" && message == "" {
		if a.isHTML() {
			return a.wrong("answered %s with HTML: is there a proxy or a login page between?", statusText(a.status))
		}
		return a.wrong("answered %s without an error of AWS: is there a proxy between?", statusText(a.status))
	}
	return &APIError{
		Status: a.status, Code: code, Message: message, RequestID: a.requestID(),
		Skew: a.skew(), retryAfter: retryAfter(a.header, a.serverTime()),
	}
}

// errorCode takes the first that is given and frees it of the namespace before "#" and the
// address after ":".
//
// Source: Smithy, "AWS restJson1 protocol", operation error serialization.
func errorCode(candidates ...string) string {
	for _, code := range candidates {
		code, _, _ = strings.Cut(code, ":")
		code = onlyWord(strings.TrimSpace(code[strings.LastIndexByte(code, '#')+1:]))
		if code != "" {
			return code
		}
	}
	return ""
}

func (a answer) wrong(format string, args ...any) error {
	return &ResponseError{
		Host: a.host, Status: a.status, RequestID: a.requestID(),
		Problem: fmt.Sprintf(format, args...), retryAfter: retryAfter(a.header, a.serverTime()),
	}
}

func (a answer) requestID() string { return onlyWord(a.header.Get("X-Amzn-Requestid")) }

func (a answer) isHTML() bool {
	return strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html") ||
		bytes.HasPrefix(bytes.TrimSpace(a.body), []byte("<"))
}

// skew is how far this host's clock is behind the server's; zero when they agree to the
// minute, or when the answer does not tell.
func (a answer) skew() time.Duration {
	offset, _ := a.offset()
	return skewOf(offset)
}

// offset is what to add to this host's clock to get the server's. The Date of an answer that was
// not verified tells nothing.
func (a answer) offset() (offset time.Duration, ok bool) {
	if !a.verified {
		return 0, false
	}
	date, err := http.ParseTime(a.header.Get("Date"))
	if err != nil {
		return 0, false
	}
	return date.Sub(a.received).Round(time.Second), true
}

func (a answer) serverTime() time.Time { return a.received.Add(a.skew()) }
