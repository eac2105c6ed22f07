package enrollapi

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"hash/crc32"
	"log/slog"
	"strings"
)

const (
	prefix = "kedge1_"

	// IDSize is how many random bytes name a token.
	IDSize = 12
	// KeyHashSize is the size of the hash that pins the key of a CA: SHA-256 of its
	// SubjectPublicKeyInfo.
	KeyHashSize = 32

	headSize     = IDSize + SecretSize + KeyHashSize + 1
	checksumSize = crc32.Size
	maxTokenText = 1024

	flagSystemRoots = 1 << 0
)

// Token lets a host enroll. All that the host has to know stands in its text: where the server is, which
// key the CA has, and the secret. fmt, log/slog and encoding/json write a Token without the secret; only
// String gives the text.
type Token struct {
	ID     [IDSize]byte
	Secret Secret
	CAKey  [KeyHashSize]byte // of the CA's root; the server must show a path to it
	// SystemRoots reports whether the server has a public certificate: then the host verifies it with
	// the roots of its system instead of CAKey.
	SystemRoots bool
	URL         string // of the server, without a slash at the end
}

// NewToken makes a token with a random id and secret. The error names the fault of the URL.
func NewToken(url string, caKey [KeyHashSize]byte, systemRoots bool) (Token, error) {
	if err := CheckURL(url); err != nil {
		return Token{}, err
	}
	t := Token{Secret: NewSecret(), CAKey: caKey, SystemRoots: systemRoots, URL: url}
	_, _ = rand.Read(t.ID[:]) // it never fails
	return t, nil
}

// String returns the text of the token, with the secret.
func (t Token) String() string {
	raw := append([]byte(nil), t.ID[:]...)
	raw = append(raw, t.Secret.Bytes()...)
	raw = append(raw, t.CAKey[:]...)
	flags := byte(0)
	if t.SystemRoots {
		flags |= flagSystemRoots
	}
	raw = append(raw, flags)
	raw = append(raw, t.URL...)
	raw = binary.BigEndian.AppendUint32(raw, crc32.ChecksumIEEE(raw))
	return prefix + base64.RawURLEncoding.EncodeToString(raw)
}

// TokenTextError reports a text that is no token. It never repeats the text.
type TokenTextError struct{ Reason string }

func (e *TokenTextError) Error() string { return "the token " + e.Reason }

// ParseToken reads the text of a token; white space around it is ignored. The error is a
// *TokenTextError.
func ParseToken(text string) (Token, error) {
	raw, err := decodeToken(strings.TrimSpace(text))
	if err != nil {
		return Token{}, err
	}
	var t Token
	rest := raw[copy(t.ID[:], raw):]
	t.Secret = secretOf(rest[:SecretSize])
	rest = rest[SecretSize:]
	rest = rest[copy(t.CAKey[:], rest):]
	if rest[0]&^flagSystemRoots != 0 {
		return Token{}, &TokenTextError{"asks for something that this version of kedge does not know"}
	}
	t.SystemRoots = rest[0]&flagSystemRoots != 0
	t.URL = string(rest[1:])
	if err := CheckURL(t.URL); err != nil {
		return Token{}, &TokenTextError{"leads to no server: " + err.Error()}
	}
	return t, nil
}

// decodeToken returns the bytes of a token without the checksum, at least headSize of them.
func decodeToken(text string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(text, prefix)
	switch {
	case text == "":
		return nil, &TokenTextError{"is empty"}
	case !ok && isOtherVersion(text):
		return nil, &TokenTextError{"is of another version of kedge: this one reads tokens that start with " + prefix}
	case !ok:
		return nil, &TokenTextError{"does not start with " + prefix}
	case len(text) > maxTokenText:
		return nil, &TokenTextError{fmt.Sprintf("has more than %d characters", maxTokenText)}
	case strings.Trim(encoded, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_") != "":
		return nil, &TokenTextError{"has characters other than letters, digits, - and _"}
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(raw) < headSize+checksumSize {
		return nil, &TokenTextError{"is not complete, or was changed on the way"}
	}
	raw, sum := raw[:len(raw)-checksumSize], raw[len(raw)-checksumSize:]
	if crc32.ChecksumIEEE(raw) != binary.BigEndian.Uint32(sum) {
		return nil, &TokenTextError{"is not complete, or was changed on the way"}
	}
	return raw, nil
}

// isOtherVersion reports whether text starts with kedge, a number and an underscore.
func isOtherVersion(text string) bool {
	rest, ok := strings.CutPrefix(text, "kedge")
	version, _, found := strings.Cut(rest, "_")
	return ok && found && version != "" && strings.Trim(version, "0123456789") == ""
}

// IDText is the id as commands and logs write it.
func (t Token) IDText() string { return hex.EncodeToString(t.ID[:]) }

func (t Token) redacted() string { return "token " + t.IDText() + " for " + t.URL }

// Format writes the token without its secret, whatever the verb.
func (t Token) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(t.redacted())) }

// LogValue is the token without its secret.
func (t Token) LogValue() slog.Value { return slog.StringValue(t.redacted()) }

// MarshalText writes the token without its secret: a token is never a part of a document.
func (t Token) MarshalText() ([]byte, error) { return []byte(t.redacted()), nil }
