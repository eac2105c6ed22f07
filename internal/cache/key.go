package cache

import (
	"crypto/sha256"
	"encoding/hex"
)

// Key is what credentials are for. Processes share what has the same key, so everything that
// makes a difference to them is in it, as the user gave it, and nothing secret.
type Key struct {
	Endpoint       string   `json:"endpoint,omitempty"` // that is asked; the region's when empty
	Region         string   `json:"region,omitempty"`   // that is signed for; the trust anchor's when empty
	Variant        string   `json:"variant,omitempty"`  // of the endpoint, such as fips; or that anybody may have answered there
	TrustAnchorARN string   `json:"trust_anchor_arn"`
	ProfileARN     string   `json:"profile_arn"`
	RoleARN        string   `json:"role_arn"`
	SessionName    string   `json:"session_name,omitempty"`
	Duration       string   `json:"duration"`       // of the session that is asked for
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

// name is that of the key's file, without its ending. The form of the file is part of it.
func (k Key) name() string {
	sum := sha256.Sum256(k.appendTo([]byte(header)))
	return hex.EncodeToString(sum[:nameSize/2])
}
