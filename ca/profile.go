package ca

import (
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"
)

// Profile specifies which leaves are issued and what they contain. It is valid by construction,
// immutable, and safe for concurrent use.
type Profile struct {
	name             string
	keyTypes         []string // none: all
	subject          SubjectConfig
	names            []pattern // none: any
	dns, uri, email  []pattern
	ip               []netip.Prefix
	lifetime, max    time.Duration
	usage            []x509.ExtKeyUsage
	crlURLs, allowed []string
}

// NewProfile checks a configuration. If something is unknown, contradictory or could never match,
// the error names the profile and the key.
func NewProfile(name string, c ProfileConfig) (*Profile, error) {
	p := &Profile{name: name, crlURLs: slices.Clone(c.CRLURLs), allowed: slices.Clone(c.AllowWarnings)}
	if name == "" {
		return nil, errors.New("a profile needs a name")
	}
	for _, set := range []func(ProfileConfig) error{p.setKeyTypes, p.setSubject, p.setNames, p.setSAN, p.setLifetime, p.setUsage} {
		if err := set(c); err != nil {
			return nil, fmt.Errorf("profile %q: %w", name, err)
		}
	}
	if err := CheckAllowed(c.AllowWarnings); err != nil {
		return nil, fmt.Errorf("profile %q: allow_warnings: %w", name, err)
	}
	if err := checkCRLURLs(c.CRLURLs); err != nil {
		return nil, fmt.Errorf("profile %q: crl_urls: %w", name, err)
	}
	return p, nil
}

// DefaultProfile returns the profile of DefaultProfileConfig, named "workload".
func DefaultProfile() *Profile {
	p, _ := NewProfile("workload", DefaultProfileConfig()) // a test checks that it is valid
	return p
}

// Name returns the name of the profile.
func (p *Profile) Name() string { return p.name }

// KeyTypes returns the types of keys that get a certificate, in the configured order; none: all.
func (p *Profile) KeyTypes() []string { return slices.Clone(p.keyTypes) }

func (p *Profile) setKeyTypes(c ProfileConfig) error {
	for _, t := range c.KeyTypes {
		if !slices.Contains(keyTypes(), t) {
			return fmt.Errorf("key_types: %q is none of %s", t, strings.Join(keyTypes(), ", "))
		}
	}
	p.keyTypes = slices.Clone(c.KeyTypes)
	return nil
}

func (p *Profile) setNames(c ProfileConfig) (err error) {
	p.names, err = parsePatterns("names", c.Names, isName)
	if err != nil {
		return err
	}
	return p.checkPlaceholder()
}

// checkPlaceholder fails if two names would get the same subject: sessions are keyed by it.
func (p *Profile) checkPlaceholder() error {
	for _, part := range p.subject.parts() {
		if strings.Contains(part.text, placeholder) {
			return nil
		}
	}
	if len(p.names) == 1 && !strings.ContainsAny(p.names[0].text, "*?") {
		return nil
	}
	return fmt.Errorf("subject: %s is in no attribute, so that all would have the same subject; put it in, or list one name without * and ? under names", placeholder)
}

func (p *Profile) setSAN(c ProfileConfig) (err error) {
	lower := make([]string, len(c.SAN.DNS))
	for i, text := range c.SAN.DNS {
		lower[i] = strings.ToLower(text)
	}
	if p.dns, err = parsePatterns("san.dns", lower, isDNSName); err != nil {
		return err
	}
	if p.uri, err = parsePatterns("san.uri", c.SAN.URI, isURI); err != nil {
		return err
	}
	if p.email, err = parsePatterns("san.email", c.SAN.Email, isMailbox); err != nil {
		return err
	}
	for _, text := range c.SAN.IP {
		prefix, err := parsePrefix(text)
		if err != nil {
			return fmt.Errorf("san.ip: %q: %w", text, err)
		}
		p.ip = append(p.ip, prefix)
	}
	return nil
}

func parsePatterns(key string, texts []string, valid func(string) bool) ([]pattern, error) {
	var patterns []pattern
	for _, text := range texts {
		p := parsePattern(text)
		if err := p.possible(valid); err != nil {
			return nil, fmt.Errorf("%s: %q: %w", key, text, err)
		}
		patterns = append(patterns, p)
	}
	return patterns, nil
}

func isURI(text string) bool {
	u, err := url.Parse(text)
	return err == nil && checkURI(u) == nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	if addr, err := netip.ParseAddr(text); err == nil && addr.Zone() == "" && !addr.Is4In6() {
		return netip.PrefixFrom(addr, addr.BitLen()), nil
	}
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil || prefix.Addr().Is4In6():
		return prefix, errors.New("it is not a range of addresses, such as 10.0.0.0/8")
	case prefix != prefix.Masked():
		return prefix, fmt.Errorf("bits are set after the first %d; write %s", prefix.Bits(), prefix.Masked())
	}
	return prefix, nil
}

func (p *Profile) setLifetime(c ProfileConfig) error {
	switch {
	case c.Lifetime.Default < 0:
		return fmt.Errorf("lifetime.default: %v is not a time to live", c.Lifetime.Default)
	case c.Lifetime.Max < 0:
		return fmt.Errorf("lifetime.max: %v is not a time to live", c.Lifetime.Max)
	}
	complete := c.Lifetime.complete()
	p.lifetime, p.max = time.Duration(complete.Default), time.Duration(complete.Max)
	if p.lifetime > p.max {
		return fmt.Errorf("lifetime.default: %v is more than lifetime.max, %v", Duration(p.lifetime), Duration(p.max))
	}
	return nil
}

func (p *Profile) setUsage(c ProfileConfig) error {
	if c.ExtKeyUsage == nil {
		p.usage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
		return nil
	}
	for i, text := range c.ExtKeyUsage {
		switch {
		case slices.Contains(c.ExtKeyUsage[:i], text):
			return fmt.Errorf("ext_key_usage: %q is listed twice", text)
		case text == "client_auth":
			p.usage = append(p.usage, x509.ExtKeyUsageClientAuth)
		case text == "server_auth":
			p.usage = append(p.usage, x509.ExtKeyUsageServerAuth)
		default:
			return fmt.Errorf("ext_key_usage: %q is neither client_auth nor server_auth", text)
		}
	}
	return nil
}
