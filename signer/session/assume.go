package session

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"strings"
	"time"

	"kedge/signer"
)

// hop is one call of AssumeRole.
type hop struct {
	*Chain
	arn  ARN
	body []byte
	from *Session
}

// newRequest makes and signs one request.
func (h *hop) newRequest(ctx context.Context, at time.Time) (*http.Request, error) {
	cfg := h.client.cfg
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.url.String(), bytes.NewReader(h.body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	secret := signer.Secret{AccessKeyID: h.from.AccessKeyID, SecretAccessKey: h.from.SecretAccessKey, SessionToken: h.from.SessionToken}
	maps.Copy(req.Header, signer.SignSecret(signer.Request{Method: req.Method, URL: req.URL, Header: req.Header, Body: h.body}, secret, cfg.Region, "sts", at))
	req.Header.Set("User-Agent", cfg.UserAgent) // not signed: proxies may add to it
	return req, nil
}

// session is the answer's session, or the error that it amounts to.
func (h *hop) session(a answer) (*Session, error) {
	switch {
	case a.status >= 300 && a.status < 400:
		return nil, a.wrong("redirects to %q (%s), which is not followed: a request is signed for one address", onlyWord(a.header.Get("Location")), statusText(a.status))
	case a.tooLong:
		return nil, a.wrong("answered %s with more than %d MiB", statusText(a.status), maxBody>>20)
	case a.status >= 400:
		return nil, h.refusal(a)
	case a.isPage():
		return nil, a.wrong("answered %s with HTML: is there a proxy or a login page between?", statusText(a.status))
	case a.status != http.StatusOK:
		return nil, a.wrong("answered %s, not 200 OK: is that STS?", statusText(a.status))
	}
	return h.decode(a)
}

// decode reads the body of a 200 and checks that it is the session that was asked for.
func (h *hop) decode(a answer) (*Session, error) {
	const root = "AssumeRoleResponse"
	const result, credentials = root + ">AssumeRoleResult>", root + ">AssumeRoleResult>Credentials>"
	texts, ok := xmlTexts(a.body)
	if _, isSession := texts[root]; !ok || !isSession {
		return nil, a.wrong("answered with XML that is cut off or not a session")
	}
	set := credentialSet{SourceIdentity: texts[result+"SourceIdentity"]}
	set.AssumedRoleUser.ARN = texts[result+"AssumedRoleUser>Arn"]
	set.Credentials.AccessKeyID, set.Credentials.SecretAccessKey = texts[credentials+"AccessKeyId"], texts[credentials+"SecretAccessKey"]
	set.Credentials.SessionToken, set.Credentials.Expiration = texts[credentials+"SessionToken"], texts[credentials+"Expiration"]
	if err := a.checkFields(set, ""); err != nil {
		return nil, err
	}
	s, err := a.sessionOf(set, h.arn)
	if err != nil {
		return nil, err
	}
	role := h.arn.Resource[strings.LastIndexByte(h.arn.Resource, '/')+1:]
	if !strings.Contains(s.AssumedRoleARN, ":assumed-role/"+role+"/") {
		return nil, a.wrong("answered with the assumed role %q, not %q", s.AssumedRoleARN, role)
	}
	if id := onlyWord(texts[root+">ResponseMetadata>RequestId"]); id != "" {
		s.RequestID = id
	}
	return s, nil
}

// refusal is the error that STS, or what stands before it, answered with.
//
// Source: Smithy, "AWS query protocol", operation error serialization.
func (h *hop) refusal(a answer) error {
	texts, ok := xmlTexts(a.body)
	code, message := onlyWord(strings.TrimSpace(texts["ErrorResponse>Error>Code"])), oneLine(texts["ErrorResponse>Error>Message"])
	switch {
	case ok && (code != "" || message != ""):
	case a.isPage():
		return a.wrong("answered %s with HTML: is there a proxy or a login page between?", statusText(a.status))
	default:
		return a.wrong("answered %s without an error of AWS: is there a proxy between?", statusText(a.status))
	}
	e := &APIError{
		RoleARN: h.arn.String(), Status: a.status, Code: code, Message: message, RequestID: a.requestID(),
		Skew: a.skew(), retryAfter: retryAfter(a.header, a.serverTime()),
	}
	if id := onlyWord(texts["ErrorResponse>RequestId"]); id != "" {
		e.RequestID = id
	}
	return e
}

// isPage tells HTML from the XML of STS.
func (a answer) isPage() bool {
	start := strings.ToLower(string(bytes.TrimSpace(a.body[:min(len(a.body), 256)])))
	return strings.Contains(strings.ToLower(a.header.Get("Content-Type")), "html") ||
		strings.HasPrefix(start, "<!doctype html") || strings.HasPrefix(start, "<html")
}
