package signer

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// Secret is a set of temporary credentials, as far as it signs requests.
type Secret struct{ AccessKeyID, SecretAccessKey, SessionToken string }

// SignSecret returns the headers that sign r with credentials instead of a certificate, for a service other
// than IAM Roles Anywhere: X-Amz-Date, X-Amz-Security-Token and Authorization. The caller sets them as
// those of Sign.
//
// Source: AWS IAM User Guide, "Create a signed AWS API request".
func SignSecret(r Request, s Secret, region, service string, at time.Time) http.Header {
	const algorithm Algorithm = "AWS4-HMAC-SHA256"
	headers := http.Header{}
	headers.Set("X-Amz-Date", at.UTC().Format(dateTime))
	headers.Set("X-Amz-Security-Token", s.SessionToken)
	r.Header = without(r.Header, headers)
	canonical, signedHeaders := canonicalRequest(r, headers)
	date := at.UTC().Format(dateOnly)
	scope := strings.Join([]string{date, region, service, terminator}, "/")
	key := []byte("AWS4" + s.SecretAccessKey)
	for _, part := range []string{date, region, service, terminator, stringToSign(algorithm, at, scope, canonical)} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	headers.Set("Authorization", fmt.Sprintf("%s Credential=%s/%s, SignedHeaders=%s, Signature=%s",
		algorithm, s.AccessKeyID, scope, signedHeaders, hex.EncodeToString(key)))
	return headers
}
