package enrollapi

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
)

// SecretSize is how many random bytes the secret of a token has.
const SecretSize = 24

// Secret is what makes a token worth having. fmt and log/slog do not print it, not even as a field of
// something else; encoding/json writes it, for a request.
type Secret struct {
	// A pointer to a pointer: fmt prints what an unexported field holds and, for some verbs, follows one.
	value **[SecretSize]byte
}

// NewSecret makes a random secret.
func NewSecret() Secret {
	var random [SecretSize]byte
	_, _ = rand.Read(random[:]) // it never fails
	return secretOf(random[:])
}

func secretOf(data []byte) Secret {
	value := new([SecretSize]byte)
	copy(value[:], data)
	return Secret{&value}
}

// Bytes returns the secret; zeros if there is none.
func (s Secret) Bytes() []byte {
	if s.value == nil {
		return make([]byte, SecretSize)
	}
	return append([]byte(nil), (*s.value)[:]...)
}

// Hash returns SHA-256 of the secret, which is all that a CA keeps of it.
func (s Secret) Hash() []byte {
	hash := sha256.Sum256(s.Bytes())
	return hash[:]
}

// MarshalText writes the secret in base64.
func (s Secret) MarshalText() ([]byte, error) {
	return []byte(base64.StdEncoding.EncodeToString(s.Bytes())), nil
}

// UnmarshalText reads what MarshalText writes.
func (s *Secret) UnmarshalText(text []byte) error {
	data, err := base64.StdEncoding.Strict().DecodeString(string(text))
	if err != nil || len(data) != SecretSize {
		return errors.New("the secret of a token has another form")
	}
	*s = secretOf(data)
	return nil
}

// Format hides the secret, whatever the verb.
func (s Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("(secret)")) }

// LogValue hides the secret.
func (s Secret) LogValue() slog.Value { return slog.StringValue("(secret)") }
