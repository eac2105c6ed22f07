package role

import (
	"encoding/json"
	"strings"

	"kedge/internal/cache"
)

// CacheKey is what the credentials of this role are kept under. It is false where the certificate
// cannot be told without opening what it is on, or is read from a stream.
func (c *Config) CacheKey() (cache.Key, bool) {
	hash := c.keys.CertificateHash()
	if hash == "" {
		return cache.Key{}, false
	}
	more, final := c.chainKey()
	s := &c.settings
	return cache.Key{
		Endpoint:       s.Endpoint,
		Region:         s.Region,
		Variant:        s.variant(),
		TrustAnchorARN: s.TrustAnchor,
		ProfileARN:     s.Profile,
		RoleARN:        s.Role,
		SessionName:    s.SessionName,
		Duration:       c.session.Duration.String(),
		Certificate:    hash,
		More:           more,
		Final:          final,
	}, true
}

// variant describes what else makes a difference to who answers.
func (s *Settings) variant() string {
	text := ""
	for _, v := range []struct {
		on   bool
		name string
	}{{s.FIPS, " fips"}, {s.DualStack, " dual-stack"}, {s.NoVerify, " no-verify-ssl"}} {
		if v.on {
			text += v.name
		}
	}
	return strings.TrimSpace(text)
}

// chainKey tells apart credentials of chains: what is asked for, role by role, and which role they are
// of in the end.
func (c *Config) chainKey() (more []string, final string) {
	if len(c.chain.Roles) == 0 {
		return nil, ""
	}
	more = []string{c.chain.Endpoint}
	for _, r := range c.chain.Roles {
		data, _ := json.Marshal(r) // of texts and numbers alone
		more, final = append(more, string(data)), r.RoleARN
	}
	return more, final
}
