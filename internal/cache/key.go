package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
)

// Key is what credentials are for. Processes share what has the same key, so everything that
// makes a difference to them is in it, and nothing secret.
type Key struct {
	Endpoint       string   `json:"endpoint"`             // that is asked
	Region         string   `json:"region"`               // that is signed for
	Unverified     bool     `json:"unverified,omitempty"` // anybody may have answered there
	TrustAnchorARN string   `json:"trust_anchor_arn"`
	ProfileARN     string   `json:"profile_arn"`
	RoleARN        string   `json:"role_arn"`
	SessionName    string   `json:"session_name,omitempty"`
	Seconds        int      `json:"seconds"`        // of the session that is asked for
	Certificate    string   `json:"certificate"`    // a hash of the bytes it is read from
	More           []string `json:"more,omitempty"` // what is done with the session, such as roles assumed with it, in order
	Final          string   `json:"final,omitempty"`
}

// Role returns the ARN of the role that the credentials are of: Final, or RoleARN where that is
// empty.
func (k Key) Role() string {
	if k.Final != "" {
		return k.Final
	}
	return k.RoleARN
}

// nameSize is the length in characters of a key's name: 128 bits are more than anybody's keys.
const nameSize = 32

// name is that of the key's file, without its ending. A new form of files gets new names.
func (k Key) name() (string, error) {
	data, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	sum := sha256.Sum256(append([]byte("kedge cache 1\n"), data...))
	return hex.EncodeToString(sum[:nameSize/2]), nil
}
