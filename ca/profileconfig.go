package ca

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ProfileConfig is a profile as configured by an operator. NewProfile returns the Profile.
//
// In patterns, * is any run of characters other than . and /, ** any run of characters, and ? any
// one character other than . and /. A pattern matches a whole name.
type ProfileConfig struct {
	// KeyTypes are the types of keys that get a certificate: P-256, P-384, P-521, RSA-2048,
	// RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65, ML-DSA-87. None: all. The first is the default for
	// new keys.
	KeyTypes []string `yaml:"key_types" json:"key_types,omitempty"`

	// Subject is the template of the name.
	Subject SubjectConfig `yaml:"subject" json:"subject"`

	// Names are patterns for the names that may be requested. None: any.
	Names []string `yaml:"names" json:"names,omitempty"`

	// SAN are the subject alternative names that may be requested.
	SAN SANConfig `yaml:"san" json:"san"`

	// Lifetime bounds the lifetime of a certificate.
	Lifetime LifetimeConfig `yaml:"lifetime" json:"lifetime"`

	// ExtKeyUsage has client_auth, server_auth or both. Not given: client_auth; an empty list omits
	// the extension.
	ExtKeyUsage []string `yaml:"ext_key_usage" json:"ext_key_usage,omitempty"`

	// CRLURLs are the CRL distribution points in the certificate, http or https. IAM Roles Anywhere
	// uses imported CRLs instead.
	CRLURLs []string `yaml:"crl_urls" json:"crl_urls,omitempty"`

	// AllowWarnings names lint warnings that are allowed. A certificate that breaks another rule is
	// not issued.
	AllowWarnings []string `yaml:"allow_warnings" json:"allow_warnings,omitempty"`
}

// SubjectConfig is the template of a subject: {name} in a value is replaced by the requested name.
// An empty value omits the attribute, except for CommonName, which is {name} then.
type SubjectConfig struct {
	CommonName         string `yaml:"common_name" json:"common_name,omitempty"`
	Organization       string `yaml:"organization" json:"organization,omitempty"`
	OrganizationalUnit string `yaml:"organizational_unit" json:"organizational_unit,omitempty"`
	Country            string `yaml:"country" json:"country,omitempty"` // two letters, ISO 3166
	Locality           string `yaml:"locality" json:"locality,omitempty"`
	Province           string `yaml:"province" json:"province,omitempty"`
}

// SANConfig lists the allowed subject alternative names: patterns, and ranges of addresses such as
// 10.0.0.0/8. A kind that is not listed is forbidden. DNS names are compared, and written, in lower
// case.
type SANConfig struct {
	DNS   []string `yaml:"dns" json:"dns,omitempty"`
	URI   []string `yaml:"uri" json:"uri,omitempty"`
	IP    []string `yaml:"ip" json:"ip,omitempty"`
	Email []string `yaml:"email" json:"email,omitempty"`
}

// LifetimeConfig has the default lifetime of a certificate, 24 hours if not given, and the maximum,
// 30 days if not given or the default if that is more.
type LifetimeConfig struct {
	Default Duration `yaml:"default" json:"default,omitempty"`
	Max     Duration `yaml:"max" json:"max,omitempty"`
}

// Duration is a time.Duration that is written as in Go, "36h" or "90m", or in days, "30d".
type Duration time.Duration

// String returns the duration in a form that ParseDuration accepts: several whole days as "30d",
// anything else as Go does, but without zeros at its end: "24h", "1h30m".
func (d Duration) String() string {
	const day = Duration(24 * time.Hour)
	if days := d / day; days > 1 && days <= math.MaxUint16 && d%day == 0 {
		return fmt.Sprintf("%dd", days)
	}
	text := time.Duration(d).String()
	if d%Duration(time.Minute) == 0 && d != 0 {
		text = strings.TrimSuffix(text, "0s")
	}
	if d%Duration(time.Hour) == 0 && d != 0 {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// MarshalText implements encoding.TextMarshaler.
func (d Duration) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText implements encoding.TextUnmarshaler, for YAML and JSON. It refuses 0, since a zero
// value means that the setting is not given.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err == nil && parsed == 0 {
		err = fmt.Errorf("%q must not be zero; leave it out for the default", text)
	}
	*d = Duration(parsed)
	return err
}

// ParseDuration parses a duration as Go does, or a whole number of days with the unit d.
func ParseDuration(text string) (time.Duration, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return time.Duration(n) * 24 * time.Hour, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil {
		return 0, fmt.Errorf("%q is not a duration; write hours or days, such as 24h or 30d", text)
	}
	return d, nil
}

// DefaultProfileConfig returns the profile "workload", for a CA without a configuration: any key
// and any name, DNS names and URIs as requested, 24 hours, 30 days at most, client_auth.
func DefaultProfileConfig() ProfileConfig {
	return ProfileConfig{
		Subject:     SubjectConfig{CommonName: placeholder},
		SAN:         SANConfig{DNS: []string{"**"}, URI: []string{"**"}},
		Lifetime:    LifetimeConfig{Default: Duration(defaultLifetime), Max: Duration(defaultMaxLifetime)},
		ExtKeyUsage: []string{"client_auth"},
	}
}

const (
	defaultLifetime    = 24 * time.Hour
	defaultMaxLifetime = 30 * 24 * time.Hour
)
