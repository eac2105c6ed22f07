package cache

import (
	"crypto/sha256"
	"encoding/hex"
)

// Key identifies cached credentials. Processes with equal keys share an entry, so a Key has every
// setting that changes the credentials, as the user gave it. It has no secrets.
type Key struct {
	Endpoint       string   `json:"endpoint,omitempty"` // of Roles Anywhere; the region's when empty
	Region         string   `json:"region,omitempty"`   // of the signature; the trust anchor's when empty
	Variant        string   `json:"variant,omitempty"`  // of the endpoint, such as fips; or that its TLS certificate was not verified
	TrustAnchorARN string   `json:"trust_anchor_arn"`
	ProfileARN     string   `json:"profile_arn"`
	RoleARN        string   `json:"role_arn"`
	SessionName    string   `json:"session_name,omitempty"`
	Duration       string   `json:"duration"`       // of the session, as requested
	Certificate    string   `json:"certificate"`    // hash of the certificate file's bytes
	More           []string `json:"more,omitempty"` // how the session is used, such as the roles assumed with it, in order
	Final          string   `json:"final,omitempty"`
}

// Role returns the ARN of the role whose credentials these are: Final, or RoleARN if that is empty.
func (k Key) Role() string {
	if k.Final != "" {
		return k.Final
	}
	return k.RoleARN
}

// nameSize is the length in characters of a key's name: 128 bits rule out collisions.
const nameSize = 32

// name returns the name of the key's files, without their ending. It depends on the version of the
// file format too.
func (k Key) name() string {
	sum := sha256.Sum256(k.appendTo([]byte(header)))
	return hex.EncodeToString(sum[:nameSize/2])
}
