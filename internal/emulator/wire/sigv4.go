package wire

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/arn"
)

const (
	// MaxSkew bounds the age of a signature, and how far it may be ahead (IAM guide, "Request signature
	// lifetime").
	MaxSkew = 5 * time.Minute
	// DateFormat is the form of X-Amz-Date.
	DateFormat = "20060102T150405Z"
	// Terminator ends every scope.
	Terminator = "aws4_request"

	algorithmHMAC = "AWS4-HMAC-SHA256"
	maxExpires    = 604800 // seconds (IAM guide, "Signature elements": X-Amz-Expires)

	textNoMatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// signed is a request's signature with its parameters, from the Authorization header or, for a
// presigned URL, from the query.
type signed struct {
	auth    Authorization
	date    string
	token   string        // session token, "" for long-term keys
	query   []Pair        // of the canonical request
	expires time.Duration // validity of a presigned URL; 0 for a header
}

// incomplete: STS reference, "Common errors", IncompleteSignature; as there, the message names the
// cause.
func incomplete(why string, args ...any) *Error {
	return NewError(http.StatusBadRequest, "IncompleteSignature", fmt.Sprintf(why, args...), "")
}

func mismatch(message, why string, args ...any) *Error {
	return NewError(http.StatusForbidden, "SignatureDoesNotMatch", message, why, args...)
}

// readSigned finds the signature of a SigV4 request (IAM guide, "Add the signature to the
// request").
func (r Request) readSigned(query []Pair) (*signed, *Error) {
	if name := r.Repeated(); name != "" {
		return nil, incomplete("the header %s stands more than once", name)
	}
	if value := lookup(query, "X-Amz-Signature"); value != "" {
		return readPresigned(query, value)
	}
	if len(r.Header["Authorization"]) == 0 {
		return nil, NewError(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token", "there is no Authorization header and no X-Amz-Signature in the query")
	}
	auth, err := r.Authorization()
	if err != nil {
		return nil, incomplete("%v", err)
	}
	s := &signed{auth: auth, query: query, date: r.Header.Get("X-Amz-Date"), token: r.Header.Get("X-Amz-Security-Token")}
	if s.date == "" {
		return nil, incomplete("the header X-Amz-Date is missing")
	}
	if !r.BodyHashMatches() {
		return nil, mismatch(textNoMatch, "X-Amz-Content-Sha256 is not the hash of the body that arrived")
	}
	return s, nil
}

// readPresigned: IAM guide, "Signature elements" (query parameters).
func readPresigned(query []Pair, signature string) (*signed, *Error) {
	auth, err := newAuthorization(lookup(query, "X-Amz-Algorithm"), lookup(query, "X-Amz-Credential"), lookup(query, "X-Amz-SignedHeaders"), signature)
	if err != nil {
		return nil, incomplete("%v", err)
	}
	// aws-sdk-go-v2 presigns for STS without X-Amz-Expires; STS then allows 15 minutes.
	seconds, err := strconv.Atoi(cmp.Or(lookup(query, "X-Amz-Expires"), "900"))
	if err != nil || seconds < 1 || seconds > maxExpires {
		return nil, incomplete("X-Amz-Expires must be 1 to %d seconds", maxExpires)
	}
	return &signed{
		auth: auth, date: lookup(query, "X-Amz-Date"), token: lookup(query, "X-Amz-Security-Token"),
		query:   slices.DeleteFunc(slices.Clone(query), func(p Pair) bool { return p.Name == "X-Amz-Signature" }),
		expires: time.Duration(seconds) * time.Second,
	}, nil
}

// lookup returns the value of a parameter that occurs once, else "".
func lookup(query []Pair, name string) string {
	found := ""
	for _, p := range query {
		if p.Name != name {
			continue
		}
		if found != "" {
			return ""
		}
		found = p.Value
	}
	return found
}

// check checks everything but the signature itself: the scope, the date, the headers that must be
// signed. The messages are STS's.
func (s *signed) check(r Request, service string, now time.Time) *Error {
	c := s.auth.Credential
	at, err := ParseDate(s.date)
	switch {
	case s.auth.Algorithm != algorithmHMAC:
		return incomplete("unsupported AWS 'algorithm': '%s'", s.auth.Algorithm)
	case err != nil:
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'.", s.date)
	case c.Date != s.date[:8]:
		return mismatch(fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", c.Date, s.date[:8], s.date), "")
	case !arn.IsRegion(c.Region):
		return mismatch("Credential should be scoped to a valid region.", "")
	case c.Service != service:
		return mismatch(fmt.Sprintf("Credential should be scoped to correct service: '%s'.", service),
			"it was signed for the service %q, and %s is at this path; the emulator has sts, iam and rolesanywhere", c.Service, service)
	case c.Terminator != Terminator:
		return mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.", "")
	}
	if name := r.Unsigned(s.auth.SignedHeaders); name != "" {
		return mismatch(textNoMatch, "the header %q is not among the SignedHeaders", name)
	}
	return s.checkTime(at, now)
}

func (s *signed) checkTime(at, now time.Time) *Error {
	oldest := now.Add(-MaxSkew)
	limit := "5 min."
	if s.expires > 0 {
		oldest = now.Add(-s.expires)
		limit = s.expires.String()
	}
	stamp := func(t time.Time) string { return t.UTC().Format(DateFormat) }
	switch {
	case at.Before(oldest):
		return mismatch(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s)", s.date, stamp(oldest), stamp(now), limit), "")
	case at.After(now.Add(MaxSkew)):
		return mismatch(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", s.date, stamp(now.Add(MaxSkew)), stamp(now)), "")
	}
	return nil
}

// ParseDate reads an X-Amz-Date. It accepts only the basic form; time.Parse would accept fractions
// of a second as well.
func ParseDate(date string) (time.Time, error) {
	if len(date) != len(DateFormat) {
		return time.Time{}, errors.New("not YYYYMMDDTHHMMSSZ")
	}
	return time.Parse(DateFormat, date)
}

// verify compares the signature with the one computed with the secret.
func (s *signed) verify(r Request, secret string) *Error {
	canonical, err := r.Canonical(s.query, s.auth.SignedHeaders)
	if err != nil {
		return mismatch(textNoMatch, "%v", err)
	}
	if !hmac.Equal([]byte(s.auth.Signature), []byte(s.signature(canonical, secret))) {
		refusal := mismatch(textNoMatch, "the signature is another one; compare the canonical request")
		refusal.Canonical = canonical
		return refusal
	}
	return nil
}

// signature: IAM guide, "Calculate the signature".
func (s *signed) signature(canonical, secret string) string {
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(s.auth.Credential.Scope(), "/") {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, StringToSign(s.auth.Algorithm, s.date, s.auth.Credential.Scope(), canonical)))
}

func hmacSHA256(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
