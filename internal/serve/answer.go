package serve

import (
	"net/http"
	"strconv"
	"strings"

	"kedge/internal/creds"
)

// endpoint is what a path belongs to.
type endpoint int

const (
	otherEndpoint endpoint = iota
	tokenEndpoint
	metadataEndpoint
	containerEndpoint
	endpoints // how many there are
)

func (e endpoint) String() string {
	return [...]string{"other", "token", "metadata", "container"}[e]
}

func endpointOf(path string) endpoint {
	switch {
	case path == tokenPath:
		return tokenEndpoint
	case strings.HasPrefix(path, "/latest/"):
		return metadataEndpoint
	case strings.HasPrefix(path, "/v1/"):
		return containerEndpoint
	}
	return otherEndpoint
}

// answer is what a request gets.
type answer struct {
	endpoint   endpoint
	status     int
	body       *body
	allow      string // of 405
	token, ttl string
	why        string // of a refusal that the log should have
}

// body is what is sent again and again: made once.
type body struct {
	bytes        []byte
	kind, length []string // the values of two headers
}

const (
	textType = "text/plain"
	jsonType = "application/json" // exactly: SDKs compare
)

func newBody(kind string, data []byte) *body {
	return &body{bytes: data, kind: []string{kind}, length: []string{strconv.Itoa(len(data))}}
}

func newText(text string) *body { return newBody(textType, []byte(text)) }

func (a answer) write(w http.ResponseWriter) {
	header := w.Header()
	header["Content-Type"], header["Content-Length"] = a.body.kind, a.body.length
	if a.allow != "" {
		header["Allow"] = []string{a.allow}
	}
	if a.status == http.StatusRequestEntityTooLarge {
		header["Connection"] = []string{"close"} // the rest is not read
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.bytes) // a client that left gets nothing
}

// refuse says no without more words. A PUT is never answered with 403, 404 or 405, for SDKs would
// then go on as if there were IMDSv1.
func refuse(at endpoint, method string, status int) answer {
	return refuseWith(at, method, status, http.StatusText(status))
}

func refuseWith(at endpoint, method string, status int, message string) answer {
	if method == http.MethodPut {
		switch status {
		case http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
			status = http.StatusBadRequest
		}
	}
	a := answer{endpoint: at, status: status}
	if at == containerEndpoint {
		code := strings.ReplaceAll(http.StatusText(status), " ", "")
		a.body = newBody(jsonType, creds.ContainerError(code, message))
	} else {
		a.body = newText(message + "\n")
	}
	if status == http.StatusMethodNotAllowed {
		a.allow = "GET, HEAD"
		if at == tokenEndpoint {
			a.allow = "PUT"
		}
	}
	return a
}

func isRead(method string) bool { return method == http.MethodGet || method == http.MethodHead }
