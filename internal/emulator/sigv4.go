package emulator

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	algorithmHMAC = "AWS4-HMAC-SHA256"
	maxExpires    = 604800 // seconds (IAM guide, "Signature elements": X-Amz-Expires)

	textNoMatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
)

// signed is a request's signature with its parameters, from the Authorization header or, for a
// presigned URL, from the query.
type signed struct {
	auth    authorization
	date    string
	token   string        // session token, "" for long-term keys
	query   []pair        // of the canonical request
	expires time.Duration // validity of a presigned URL; 0 for a header
}

func stsRefusal(status int, code, message, why string, args ...any) *apiError {
	return &apiError{status: status, code: code, message: message, why: fmt.Sprintf(why, args...)}
}

// incomplete: STS reference, "Common errors", IncompleteSignature; as there, the message names the
// cause.
func incomplete(why string, args ...any) *apiError {
	return stsRefusal(http.StatusBadRequest, "IncompleteSignature", fmt.Sprintf(why, args...), "")
}

func mismatch(message, why string, args ...any) *apiError {
	return stsRefusal(http.StatusForbidden, "SignatureDoesNotMatch", message, why, args...)
}

// readSigned finds the signature of a SigV4 request (IAM guide, "Add the signature to the
// request").
func (r wireRequest) readSigned(query []pair) (*signed, *apiError) {
	if name := r.repeated(); name != "" {
		return nil, incomplete("the header %s stands more than once", name)
	}
	if value := lookup(query, "X-Amz-Signature"); value != "" {
		return readPresigned(query, value)
	}
	if len(r.header["Authorization"]) == 0 {
		return nil, stsRefusal(http.StatusForbidden, "MissingAuthenticationToken", "Request is missing Authentication Token", "there is no Authorization header and no X-Amz-Signature in the query")
	}
	auth, err := r.authorization()
	if err != nil {
		return nil, incomplete("%v", err)
	}
	s := &signed{auth: auth, query: query, date: r.header.Get("X-Amz-Date"), token: r.header.Get("X-Amz-Security-Token")}
	if s.date == "" {
		return nil, incomplete("the header X-Amz-Date is missing")
	}
	// UNSIGNED-PAYLOAD is documented for S3 only, so a hash in the header must be the body's.
	if hash := r.header.Get("X-Amz-Content-Sha256"); hash != "" {
		if sum := sha256.Sum256(r.body); hash != hex.EncodeToString(sum[:]) {
			return nil, mismatch(textNoMatch, "X-Amz-Content-Sha256 is not the hash of the body that arrived")
		}
	}
	return s, nil
}

// readPresigned: IAM guide, "Signature elements" (query parameters).
func readPresigned(query []pair, signature string) (*signed, *apiError) {
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
		query:   slices.DeleteFunc(slices.Clone(query), func(p pair) bool { return p.name == "X-Amz-Signature" }),
		expires: time.Duration(seconds) * time.Second,
	}, nil
}

// lookup returns the value of a parameter that occurs once, else "".
func lookup(query []pair, name string) string {
	found := ""
	for _, p := range query {
		if p.name != name {
			continue
		}
		if found != "" {
			return ""
		}
		found = p.value
	}
	return found
}

// check checks everything but the signature itself: the scope, the date, the headers that must be
// signed. The messages are STS's.
func (s *signed) check(r wireRequest, now time.Time) *apiError {
	c := s.auth.credential
	at, err := parseDate(s.date)
	switch {
	case s.auth.algorithm != algorithmHMAC:
		return incomplete("unsupported AWS 'algorithm': '%s'", s.auth.algorithm)
	case err != nil:
		return incomplete("Date must be in ISO-8601 'basic format'. Got '%s'.", s.date)
	case c.date != s.date[:8]:
		return mismatch(fmt.Sprintf("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '%s' != '%s', from '%s'.", c.date, s.date[:8], s.date), "")
	case !isRegion(c.region):
		return mismatch("Credential should be scoped to a valid region.", "")
	case c.service != "sts":
		return mismatch("Credential should be scoped to correct service: 'sts'.", "")
	case c.terminator != terminator:
		return mismatch("Credential should be scoped with a valid terminator: 'aws4_request'.", "")
	}
	if name := r.unsigned(s.auth.signedHeaders); name != "" {
		return mismatch(textNoMatch, "the header %q is not among the SignedHeaders", name)
	}
	return s.checkTime(at, now)
}

func (s *signed) checkTime(at, now time.Time) *apiError {
	oldest := now.Add(-maxSkew)
	limit := "5 min."
	if s.expires > 0 {
		oldest = now.Add(-s.expires)
		limit = s.expires.String()
	}
	stamp := func(t time.Time) string { return t.UTC().Format(dateFormat) }
	switch {
	case at.Before(oldest):
		return mismatch(fmt.Sprintf("Signature expired: %s is now earlier than %s (%s - %s)", s.date, stamp(oldest), stamp(now), limit), "")
	case at.After(now.Add(maxSkew)):
		return mismatch(fmt.Sprintf("Signature not yet current: %s is still later than %s (%s + 5 min.)", s.date, stamp(now.Add(maxSkew)), stamp(now)), "")
	}
	return nil
}

// verify compares the signature with the one computed with the secret.
func (s *signed) verify(r wireRequest, secret string) *apiError {
	canonical, err := r.canonical(s.query, s.auth.signedHeaders)
	if err != nil {
		return mismatch(textNoMatch, "%v", err)
	}
	if !hmac.Equal([]byte(s.auth.signature), []byte(s.signature(canonical, secret))) {
		refusal := mismatch(textNoMatch, "the signature is another one; compare the canonical request")
		refusal.canonical = canonical
		return refusal
	}
	return nil
}

// signature: IAM guide, "Calculate the signature".
func (s *signed) signature(canonical, secret string) string {
	key := []byte("AWS4" + secret)
	for part := range strings.SplitSeq(s.auth.credential.scope(), "/") {
		key = hmacSHA256(key, part)
	}
	return hex.EncodeToString(hmacSHA256(key, stringToSign(s.auth.algorithm, s.date, s.auth.credential.scope(), canonical)))
}

func hmacSHA256(key []byte, data string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(data))
	return h.Sum(nil)
}
