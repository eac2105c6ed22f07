package wire

import (
	"crypto/subtle"
	"net/http"
	"time"
)

// Key is an access key that may sign requests.
type Key struct {
	Secret     string
	Token      string    // session token; empty for a long-term key
	Expiration time.Time // zero: never
}

// Authenticator verifies signatures of Signature Version 4.
type Authenticator struct {
	Service string                                    // that requests are signed for
	Now     time.Time                                 // the time of all checks
	Key     func(accessKeyID string) (k Key, ok bool) // the access keys
}

// Authenticate returns the credential whose key signed the request; query is its query, parsed. Codes
// and messages are those of STS, as the SDKs know them; see [ForJSON].
func (a Authenticator) Authenticate(r Request, query []Pair) (Credential, *Error) {
	s, refusal := r.readSigned(query)
	if refusal != nil {
		return Credential{}, refusal
	}
	id := s.auth.Credential.Key
	key, ok := a.Key(id)
	if !ok {
		return Credential{}, invalidToken("the access key id %s was not issued, or its user or role does not exist any more", id)
	}
	if subtle.ConstantTimeCompare([]byte(s.token), []byte(key.Token)) != 1 {
		return Credential{}, invalidToken("the session token does not belong to the access key id %s", id)
	}
	if !key.Expiration.IsZero() && !a.Now.Before(key.Expiration) {
		return Credential{}, NewError(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired", "the session ended %s", key.Expiration.Format(time.RFC3339))
	}
	if refusal := s.check(r, a.Service, a.Now); refusal != nil {
		return Credential{}, refusal
	}
	if refusal := s.verify(r, key.Secret); refusal != nil {
		return Credential{}, refusal
	}
	return s.auth.Credential, nil
}

func invalidToken(why string, args ...any) *Error {
	return NewError(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.", why, args...)
}
