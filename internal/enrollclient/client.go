package enrollclient

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"kedge/internal/enrollapi"
)

const (
	dialTimeout    = 10 * time.Second
	requestTimeout = 60 * time.Second // of one exchange, whole
	maxRetryAfter  = time.Hour        // what a server may ask for
)

// Connection specifies how the server is reached.
type Connection struct {
	Proxy func(*http.Request) (*url.URL, error) // nil: none
	// Roots returns the roots for servers with public certificates; nil, or a nil pool: those of the system.
	Roots   func() (*x509.CertPool, error)
	Now     func() time.Time
	Version string // of kedge

	step func(what string) error // called before each step, in tests
}

// client asks one server.
type client struct {
	Connection
	url  string
	name string // host and port, for messages
	http *http.Client
}

// newClient returns a client of the server at address, which shows the pinned key, or with systemRoots
// a certificate that the system trusts.
func (c Connection) newClient(address string, pin Pin, systemRoots bool) (*client, error) {
	if err := enrollapi.CheckURL(address); err != nil {
		return nil, err
	}
	u, err := url.Parse(address)
	if err != nil {
		return nil, err
	}
	config := serverTLS(u.Hostname(), pin, c.Now)
	if systemRoots {
		config = &tls.Config{MinVersion: tls.VersionTLS12, ServerName: u.Hostname(), Time: c.Now}
		if c.Roots != nil {
			if config.RootCAs, err = c.Roots(); err != nil {
				return nil, err
			}
		}
	}
	return &client{Connection: c, url: address, name: u.Host, http: &http.Client{
		Timeout: requestTimeout,
		// A redirect would carry a secret to another place.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			Proxy: c.Proxy, TLSClientConfig: config, DisableKeepAlives: true,
			DialContext:         (&net.Dialer{Timeout: dialTimeout}).DialContext,
			TLSHandshakeTimeout: dialTimeout, ResponseHeaderTimeout: requestTimeout,
		},
	}}, nil
}

// post sends a message and reads the answer into another. It returns the time at the server, zero if
// the answer has none. Errors are *UnreachableError, *UntrustedError, *AnswerError and *enrollapi.Error.
func (c *client) post(ctx context.Context, path string, message, into any) (time.Time, error) {
	body, err := json.Marshal(message)
	if err != nil {
		return time.Time{}, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, c.url+path, bytes.NewReader(body))
	if err != nil {
		return time.Time{}, err
	}
	request.Header.Set("Content-Type", enrollapi.ContentType)
	request.Header.Set("User-Agent", "kedge/"+c.Version)
	if err := c.before("ask"); err != nil {
		return time.Time{}, err
	}
	response, err := c.http.Do(request)
	if err != nil {
		return time.Time{}, c.unanswered(ctx, err)
	}
	defer response.Body.Close()
	date, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil {
		date = time.Time{}
	}
	if err := c.read(ctx, response, date, into); err != nil {
		return date, err
	}
	return date, c.before("use the answer")
}

func (c Connection) before(what string) error {
	if c.step == nil {
		return nil
	}
	return c.step(what)
}

// unanswered returns an error that describes why there is no answer.
func (c *client) unanswered(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if untrusted, ok := errors.AsType[*UntrustedError](err); ok {
		untrusted.Server = c.name
		return untrusted
	}
	if verification, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		host, _, splitErr := net.SplitHostPort(c.name)
		if splitErr != nil {
			host = c.name
		}
		return &UntrustedError{Server: c.name, System: true, Reason: whyUntrusted(verification.Err, host)}
	}
	if wrapped, ok := errors.AsType[*url.Error](err); ok {
		if wrapped.Timeout() {
			return &UnreachableError{Server: c.name, Err: context.DeadlineExceeded}
		}
		err = wrapped.Err
	}
	if errors.Is(err, http.ErrSchemeMismatch) {
		return &UntrustedError{Server: c.name, Other: true, Reason: "it answers in HTTP, without TLS"}
	}
	return &UnreachableError{Server: c.name, Err: err}
}

// read reads an answer, or the error that it is.
func (c *client) read(ctx context.Context, response *http.Response, date time.Time, into any) error {
	waits := &unapprovedError{}
	if response.StatusCode == http.StatusAccepted && isJSON(response.Header) && enrollapi.DecodeAnswer(response.Body, &waits.Waiting) == nil && waits.ID != "" {
		return waits
	}
	if response.StatusCode != http.StatusOK {
		return c.refusal(response, date)
	}
	if !isJSON(response.Header) {
		return &AnswerError{Server: c.name, Status: response.StatusCode, Problem: "it is not JSON"}
	}
	err := enrollapi.DecodeAnswer(response.Body, into)
	if errors.As(err, new(*enrollapi.Error)) {
		return &AnswerError{Server: c.name, Problem: "it is not an answer of the API"}
	}
	if err != nil {
		return c.unanswered(ctx, err)
	}
	return nil
}

// refusal reads the error of an answer. A server in between, such as a proxy, has others.
func (c *client) refusal(response *http.Response, date time.Time) error {
	e := &enrollapi.Error{}
	if !isJSON(response.Header) || enrollapi.DecodeAnswer(response.Body, e) != nil || e.Code == "" {
		_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, enrollapi.MaxBody))
		return &AnswerError{Server: c.name, Status: response.StatusCode, Problem: fmt.Sprintf("%q", http.StatusText(response.StatusCode))}
	}
	e.Server, e.Date = c.name, date
	e.Code, e.Message, e.Hint = enrollapi.Code(shorten(string(e.Code))), shorten(e.Message), shorten(e.Hint)
	if seconds, err := strconv.Atoi(response.Header.Get("Retry-After")); err == nil && seconds > e.RetryAfter {
		e.RetryAfter = seconds
	}
	return e
}

// shorten bounds a text of a server, which comes to stand in logs and in the state.
func shorten(text string) string {
	const most = 500
	if len(text) <= most {
		return text
	}
	return strings.ToValidUTF8(text[:most], "") + "…"
}

func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && kind == enrollapi.ContentType
}
