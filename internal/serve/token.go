package serve

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"time"
)

// tokens issues and checks tokens of IMDSv2: an expiration, a random number and a MAC over both.
type tokens struct {
	key   [32]byte
	now   func() time.Time
	start time.Time // expirations are relative to it, so that setting the clock does not matter
}

const (
	tokenEnd   = 8
	tokenNonce = 10
	tokenMAC   = 24
	tokenSize  = tokenEnd + tokenNonce + tokenMAC
)

func newTokens(now func() time.Time) *tokens {
	t := &tokens{now: now, start: now()}
	_, _ = rand.Read(t.key[:]) // never fails: see crypto/rand
	return t
}

// issue returns a token that is valid for ttl.
func (t *tokens) issue(ttl time.Duration) string {
	var raw [tokenSize]byte
	binary.BigEndian.PutUint64(raw[:], uint64(t.now().Sub(t.start)+ttl))
	_, _ = rand.Read(raw[tokenEnd : tokenEnd+tokenNonce])
	t.sign(raw[tokenEnd+tokenNonce:], raw[:tokenEnd+tokenNonce])
	return base64.RawURLEncoding.EncodeToString(raw[:])
}

// valid reports whether this process issued the token and it has not expired.
func (t *tokens) valid(token string) bool {
	if len(token) != base64.RawURLEncoding.EncodedLen(tokenSize) {
		return false
	}
	var raw [tokenSize]byte
	if n, err := base64.RawURLEncoding.Strict().Decode(raw[:], []byte(token)); err != nil || n != tokenSize {
		return false
	}
	var mac [tokenMAC]byte
	t.sign(mac[:], raw[:tokenEnd+tokenNonce])
	if !hmac.Equal(mac[:], raw[tokenEnd+tokenNonce:]) {
		return false
	}
	return uint64(t.now().Sub(t.start)) < binary.BigEndian.Uint64(raw[:])
}

func (t *tokens) sign(mac, data []byte) {
	h := hmac.New(sha256.New, t.key[:])
	h.Write(data)
	copy(mac, h.Sum(nil))
}
