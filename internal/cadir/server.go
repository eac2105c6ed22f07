package cadir

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
	"time"

	"kedge/ca"
	"kedge/internal/enrollapi"
)

// ServerSettings say how hosts reach this CA, and what they are told about AWS.
type ServerSettings struct {
	// URL is the address of kedge-ca serve for hosts, with https. Tokens carry it.
	URL string `yaml:"url"`
	// TLS specifies by what hosts know the server: own, a certificate of this CA, or system, a public
	// one that the roots of the host's system verify. Default: own.
	TLS string `yaml:"tls"`
	// Hook is a program that may refuse or shorten what a profile allows, for those without their own.
	Hook HookSettings `yaml:"hook"`
	// HTTPURL is the URL, with http or https, below which others fetch crl/NAME.crl and ca/NAME.cer
	// of the authorities: kedge-ca serve --http answers there. Certificates name it. Default: none.
	HTTPURL string `yaml:"http_url"`
	// TrustedProxies are the addresses of proxies in front of the server, or unix for those that
	// use a Unix socket: the address that they write into X-Forwarded-For counts as that of the
	// host. Default: none.
	TrustedProxies []string `yaml:"trusted_proxies"`
	// Limits bound what clients can have the server do.
	Limits LimitSettings `yaml:"limits"`
	// EST specifies how devices enroll by EST.
	EST ESTSettings `yaml:"est"`
	// AWS is what hosts use their certificates for.
	AWS AWSSettings `yaml:"aws"`
}

// AWSSettings are the ARNs for CreateSession, all three or none, and how many sessions hosts can get.
type AWSSettings struct {
	TrustAnchorARN string `yaml:"trust_anchor_arn"`
	ProfileARN     string `yaml:"profile_arn"`
	RoleARN        string `yaml:"role_arn"`
	// Region is the one that the trust anchor is in. Default: that of its ARN.
	Region string `yaml:"region"`
	// SessionDuration is how long the sessions of hosts last, from 15m to 12h. Default: 1h.
	SessionDuration ca.Duration `yaml:"session_duration"`
	// CreateSessionQuota is how many sessions AWS makes in this account and region, such as 10/s: status
	// reports hosts that need more. Default: none, no report.
	CreateSessionQuota RequestRate `yaml:"create_session_quota"`
}

// The durations that CreateSession takes.
//
// Source: IAM Roles Anywhere API Reference, CreateSession, durationSeconds.
const (
	defaultSession  = time.Hour
	shortestSession = 15 * time.Minute
	longestSession  = 12 * time.Hour
)

// What hosts know the server by.
const (
	TLSOwn    = "own"
	TLSSystem = "system"
)

// check refuses values that make no sense.
func (c ServerSettings) check() error {
	if c.URL != "" {
		if err := enrollapi.CheckURL(c.URL); err != nil {
			return fmt.Errorf("url: %w", err)
		}
	}
	if c.TLS != "" && c.TLS != TLSOwn && c.TLS != TLSSystem {
		return fmt.Errorf("tls: %q is neither %s nor %s", c.TLS, TLSOwn, TLSSystem)
	}
	if err := c.Hook.check(); err != nil {
		return err
	}
	if err := checkHTTPURL(c.HTTPURL); err != nil {
		return fmt.Errorf("http_url: %w", err)
	}
	if _, err := c.Proxies(); err != nil {
		return fmt.Errorf("trusted_proxies: %w", err)
	}
	if err := c.Limits.check(); err != nil {
		return fmt.Errorf("limits.%w", err)
	}
	if err := c.EST.check(); err != nil {
		return fmt.Errorf("est.%w", err)
	}
	if _, err := c.AWS.complete(); err != nil {
		return fmt.Errorf("aws: %w", err)
	}
	return nil
}

// Published returns where the list and the certificate of an authority are published, if they are.
func (c ServerSettings) Published(authority string) ca.Published {
	if c.HTTPURL == "" {
		return ca.Published{}
	}
	name := url.PathEscape(authority)
	return ca.Published{CRL: []string{c.HTTPURL + "/crl/" + name + ".crl"}, Certificate: []string{c.HTTPURL + "/ca/" + name + ".cer"}}
}

// checkHTTPURL checks the URL of lists and certificates, which may be empty.
func checkHTTPURL(text string) error {
	if rest, ok := strings.CutPrefix(text, "http://"); ok {
		text = "https://" + rest // they are signed: http is usual
	}
	if text == "" {
		return nil
	}
	return enrollapi.CheckURL(text)
}

// complete returns the settings with each default written out, or their first problem.
func (a AWSSettings) complete() (AWSSettings, error) {
	if a.SessionDuration == 0 {
		a.SessionDuration = ca.Duration(defaultSession)
	}
	if a.CreateSessionQuota == (RequestRate{}) {
		a.CreateSessionQuota = RequestRate{None: true}
	}
	if d := time.Duration(a.SessionDuration); d < shortestSession || d > longestSession {
		return a, fmt.Errorf("session_duration: %v is not between %v and %v", a.SessionDuration, ca.Duration(shortestSession), ca.Duration(longestSession))
	}
	if a.TrustAnchorARN == "" && a.ProfileARN == "" && a.RoleARN == "" && a.Region == "" {
		return a, nil
	}
	return a.completeARNs()
}

// completeARNs returns the settings with the region filled in, or the first problem of the ARNs.
func (a AWSSettings) completeARNs() (AWSSettings, error) {
	anchor, err := ParseARN(a.TrustAnchorARN, TrustAnchorARN)
	if err != nil {
		return a, fmt.Errorf("trust_anchor_arn: %w", err)
	}
	profile, err := ParseARN(a.ProfileARN, ProfileARN)
	if err != nil {
		return a, fmt.Errorf("profile_arn: %w", err)
	}
	role, err := ParseRole(a.RoleARN)
	if err != nil {
		return a, fmt.Errorf("role_arn: %w", err)
	}
	switch {
	case profile.partition() != anchor.partition() || profile.Region != anchor.Region || profile.Account != anchor.Account:
		return a, errors.New("profile_arn: must be in the partition, the region and the account of the trust anchor")
	case role.partition() != anchor.partition() || role.Account != anchor.Account:
		return a, errors.New("role_arn: must be in the partition and the account of the profile, which gives no other roles")
	case a.Region != "" && a.Region != anchor.Region:
		return a, fmt.Errorf("region: %q is not that of the trust anchor, %s", a.Region, anchor.Region)
	}
	a.Region = anchor.Region
	return a, nil
}

// ParseRole reads arn:PARTITION:iam::ACCOUNT:role/NAME, where the name can have a path.
func ParseRole(text string) (ARN, error) {
	parts := regexp.MustCompile(`^arn:aws[a-z-]*:iam::([0-9]{12}):role/([A-Za-z0-9_+=,.@/-]{1,512})$`).FindStringSubmatch(text)
	if parts == nil || strings.HasSuffix(text, "/") {
		return ARN{}, fmt.Errorf("%q is not the ARN of a role", text)
	}
	return ARN{Text: text, Account: parts[1], ID: parts[2]}, nil
}

// partition returns the part of AWS, such as aws or aws-cn.
func (a ARN) partition() string { return PartitionOf(a.Text) }

// PartitionOf returns the part of AWS, such as aws or aws-cn, of an ARN of whatever service; empty if it is none.
func PartitionOf(arn string) string {
	parts := strings.SplitN(arn, ":", 3)
	if len(parts) < 3 || parts[0] != "arn" {
		return ""
	}
	return parts[1]
}
