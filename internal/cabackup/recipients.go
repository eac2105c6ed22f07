package cabackup

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"

	"filippo.io/age"
)

// Prefixes of age's texts: its specification, and https://c2sp.org/age#recipients.
const (
	publicPrefix      = "age1"
	postQuantumPrefix = "age1pq1"
	secretPrefix      = "AGE-SECRET-KEY-"
	secretPQPrefix    = "AGE-SECRET-KEY-PQ-"
	fileHead          = "age-encryption.org/v1"
	armorHead         = "-----BEGIN AGE ENCRYPTED FILE-----"
)

// Recipients are public keys to which a backup is encrypted. Each of them alone can decrypt it.
type Recipients struct {
	all         []age.Recipient
	postQuantum bool
}

// IsEmpty reports whether there are none.
func (r *Recipients) IsEmpty() bool { return len(r.all) == 0 }

// Add adds a public key: age1…, or age1pq1… with a key exchange that resists quantum computers. One file
// cannot have both kinds. Where is for the error, a *KeyError.
func (r *Recipients) Add(where, text string) error {
	if strings.HasPrefix(strings.ToUpper(text), secretPrefix) {
		return &KeyError{where, "this is a secret key; give the public key that belongs to it (age-keygen -y FILE), and treat the secret key as disclosed if others can read it here"}
	}
	var recipient age.Recipient
	var err error
	postQuantum := strings.HasPrefix(text, postQuantumPrefix)
	switch {
	case postQuantum:
		recipient, err = age.ParseHybridRecipient(text)
	case strings.HasPrefix(text, publicPrefix):
		recipient, err = age.ParseX25519Recipient(text)
	default:
		return &KeyError{where, "this is not a public key of age, which begins with age1"}
	}
	if err != nil {
		return &KeyError{where, "this public key of age is misspelled, or one of a plugin, which kedge-ca does not run"}
	}
	if !r.IsEmpty() && postQuantum != r.postQuantum {
		return &KeyError{where, "a backup is encrypted either to post-quantum keys (age1pq1…) alone or to none of them"}
	}
	r.all, r.postQuantum = append(r.all, recipient), postQuantum
	return nil
}

// AddFile adds the public keys in a file: one in a line, with empty lines and comments that begin with #.
func (r *Recipients) AddFile(path string, data []byte) error {
	before := len(r.all)
	err := eachLine(path, data, r.Add)
	if err == nil && len(r.all) == before {
		return &KeyError{path, "there is no public key in it"}
	}
	return err
}

// Identities are secret keys that decrypt backups.
type Identities []age.Identity

// ParseIdentities reads the secret keys in a file of age-keygen. Errors are a *KeyError.
func ParseIdentities(path string, data []byte) (Identities, error) {
	if bytes.HasPrefix(data, []byte(fileHead)) || bytes.HasPrefix(data, []byte(armorHead)) {
		return nil, &KeyError{path, "it is encrypted; decrypt it, and give it by --identity - on standard input: age -d " + path}
	}
	var all Identities
	err := eachLine(path, data, func(where, text string) error {
		identity, err := parseIdentity(where, text)
		all = append(all, identity)
		return err
	})
	if err == nil && len(all) == 0 {
		err = &KeyError{path, "there is no secret key in it"}
	}
	return all, err
}

func parseIdentity(where, text string) (identity age.Identity, err error) {
	switch {
	case strings.HasPrefix(text, secretPQPrefix):
		identity, err = age.ParseHybridIdentity(text)
	case strings.HasPrefix(text, secretPrefix):
		identity, err = age.ParseX25519Identity(text)
	case strings.HasPrefix(text, publicPrefix):
		return nil, &KeyError{where, "this is a public key; the secret key decrypts"}
	default:
		return nil, &KeyError{where, "this is not a secret key of age, which begins with " + secretPrefix}
	}
	if err != nil {
		return nil, &KeyError{where, "this secret key of age is misspelled"}
	}
	return identity, nil
}

// eachLine calls f with each line that is not empty and not a comment.
func eachLine(path string, data []byte, f func(where, text string) error) error {
	lines := bufio.NewScanner(bytes.NewReader(data))
	for n := 1; lines.Scan(); n++ {
		text := strings.TrimSpace(lines.Text())
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		if err := f(fmt.Sprintf("%s:%d", path, n), text); err != nil {
			return err
		}
	}
	if lines.Err() != nil {
		return &KeyError{path, "it has a line that is too long for a key"}
	}
	return nil
}
