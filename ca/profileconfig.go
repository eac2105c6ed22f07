package ca

import (
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// ProfileConfig is a profile as an operator writes it. NewProfile makes a Profile of it.
//
// In patterns, * is any run of characters other than . and /, ** any run of characters, and
// ? any one character other than . and /. A pattern matches a whole name.
type ProfileConfig struct {
	// KeyTypes are the types of keys that get a certificate: P-256, P-384, P-521, RSA-2048,
	// RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65, ML-DSA-87. None: all. Who makes a key for a
	// certificate, and is not told of which type, takes the first.
	KeyTypes []string `yaml:"key_types" json:"key_types,omitempty"`

	// Subject is the template of the name.
	Subject SubjectConfig `yaml:"subject" json:"subject"`

	// Names are patterns of who may be named. None: anyone.
	Names []string `yaml:"names" json:"names,omitempty"`

	// SAN are the subject alternative names that may be asked for.
	SAN SANConfig `yaml:"san" json:"san"`

	// Lifetime is how long a certificate lives.
	Lifetime LifetimeConfig `yaml:"lifetime" json:"lifetime"`

	// ExtKeyUsage holds client_auth, server_auth or both. Not given: client_auth; an empty
	// list leaves the extension out.
	ExtKeyUsage []string `yaml:"ext_key_usage" json:"ext_key_usage,omitempty"`

	// CRLURLs say in the certificate where the CRL is, over http or https. IAM Roles
	// Anywhere reads imported CRLs, not these.
	CRLURLs []string `yaml:"crl_urls" json:"crl_urls,omitempty"`

	// AllowWarnings names lint rules, of warnings, that a certificate may break. One that
	// breaks another is not issued.
	AllowWarnings []string `yaml:"allow_warnings" json:"allow_warnings,omitempty"`
}

// SubjectConfig is the template of a subject: {name} in a value is the name that a request
// gives. An empty value leaves the attribute out, but for CommonName, which is {name} then.
type SubjectConfig struct {
	CommonName         string `yaml:"common_name" json:"common_name,omitempty"`
	Organization       string `yaml:"organization" json:"organization,omitempty"`
	OrganizationalUnit string `yaml:"organizational_unit" json:"organizational_unit,omitempty"`
	Country            string `yaml:"country" json:"country,omitempty"` // two letters, ISO 3166
	Locality           string `yaml:"locality" json:"locality,omitempty"`
	Province           string `yaml:"province" json:"province,omitempty"`
}

// SANConfig lists what subject alternative names may be: patterns, and ranges of addresses
// such as 10.0.0.0/8. A kind that is not listed is forbidden. DNS names are compared, and
// written, in lower case.
type SANConfig struct {
	DNS   []string `yaml:"dns" json:"dns,omitempty"`
	URI   []string `yaml:"uri" json:"uri,omitempty"`
	IP    []string `yaml:"ip" json:"ip,omitempty"`
	Email []string `yaml:"email" json:"email,omitempty"`
}

// LifetimeConfig is how long a certificate lives when the request does not say, 24 hours if
// not given, and how long it may live, 30 days if not given or the default if that is more.
type LifetimeConfig struct {
	Default Duration `yaml:"default" json:"default,omitempty"`
	Max     Duration `yaml:"max" json:"max,omitempty"`
}

// Duration is a time.Duration that is written as Go does, "36h" or "90m", or in days, "30d".
type Duration time.Duration

// String returns the duration as people write it, so that ParseDuration reads it: several whole days
// as "30d", all else as Go does, but without zeros at its end: "24h", "1h30m".
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

// UnmarshalText implements encoding.TextUnmarshaler, by which YAML and JSON are read. Nothing
// lives for no time at all: who writes 0 does not mean what it is when nothing is written.
func (d *Duration) UnmarshalText(text []byte) error {
	parsed, err := ParseDuration(string(text))
	if err == nil && parsed == 0 {
		err = fmt.Errorf("%q is no time at all; leave it out for the default", text)
	}
	*d = Duration(parsed)
	return err
}

// ParseDuration reads a duration as Go does, or a whole number of days with the unit d.
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

// DefaultProfileConfig returns the profile "workload", for a CA without a configuration:
// any key and any name, DNS names and URIs as asked for, 24 hours, 30 days at most,
// client_auth.
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
