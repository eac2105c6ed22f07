package serve

import (
	"net/http"
	"strconv"
	"strings"

	"kedge/internal/creds"
)

// endpoint is the service that a path belongs to.
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

// answer is the response to a request.
type answer struct {
	endpoint   endpoint
	status     int
	body       *body
	allow      string // the Allow header of status 405
	token, ttl string
	why        string // why the request was refused, for the log
}

// body is a response body that is built once and sent many times.
type body struct {
	bytes        []byte
	kind, length []string // the values of its two headers
}

const (
	textType = "text/plain"
	jsonType = "application/json" // exactly: SDKs compare it
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
		header["Connection"] = []string{"close"} // the rest of the request is not read
	}
	w.WriteHeader(a.status)
	_, _ = w.Write(a.body.bytes) // the client may have gone
}

// refuse returns an answer without details. A PUT is never answered with 403, 404 or 405, since
// SDKs would fall back to IMDSv1.
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
