package ca

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

// profile makes the default profile with changes.
func profile(t testing.TB, change func(*ProfileConfig)) *Profile {
	t.Helper()
	c := DefaultProfileConfig()
	change(&c)
	p, err := NewProfile("test", c)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestDefaultProfile(t *testing.T) {
	t.Parallel()
	want, err := NewProfile("workload", DefaultProfileConfig())
	if err != nil {
		t.Fatal(err)
	}
	if got := DefaultProfile(); !reflect.DeepEqual(got, want) || got.Name() != "workload" || got.lifetime != 24*time.Hour || got.max != 720*time.Hour {
		t.Errorf("%+v", got)
	}
}

// TestNewProfile_defaults: defaults are consistent with the settings that are given.
func TestNewProfile_defaults(t *testing.T) {
	t.Parallel()
	tests := []struct {
		given         LifetimeConfig
		lifetime, max time.Duration
	}{
		{LifetimeConfig{}, 24 * time.Hour, 720 * time.Hour},
		{LifetimeConfig{Max: Duration(time.Hour)}, time.Hour, time.Hour},
		{LifetimeConfig{Max: Duration(48 * time.Hour)}, 24 * time.Hour, 48 * time.Hour},
		{LifetimeConfig{Default: Duration(1000 * time.Hour)}, 1000 * time.Hour, 1000 * time.Hour},
		{LifetimeConfig{Default: Duration(time.Hour)}, time.Hour, 720 * time.Hour},
	}
	for _, tt := range tests {
		p, err := NewProfile("p", ProfileConfig{Lifetime: tt.given})
		if err != nil || p.lifetime != tt.lifetime || p.max != tt.max || p.subject.CommonName != "{name}" ||
			!slices.Equal(p.usage, []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}) {
			t.Errorf("%+v: %+v, %v", tt.given, p, err)
		}
	}
	if p, err := NewProfile("p", ProfileConfig{ExtKeyUsage: []string{}}); err != nil || p.usage != nil {
		t.Errorf("an empty list: %+v, %v", p, err)
	}
}

func TestNewProfile_refuses(t *testing.T) {
	t.Parallel()
	tests := []struct {
		config ProfileConfig
		want   string
	}{
		{ProfileConfig{KeyTypes: []string{"P-256", "RSA-1024"}}, `key_types: "RSA-1024" is none of P-256, P-384, P-521, RSA-2048, RSA-3072, RSA-4096, ML-DSA-44, ML-DSA-65, ML-DSA-87`},
		{ProfileConfig{Subject: SubjectConfig{Organization: "Smith & Sons"}}, `subject.organization: "Smith & Sons" holds '&', which session tags cannot hold`},
		{ProfileConfig{Subject: SubjectConfig{CommonName: "{host}"}}, `subject.common_name: "{host}" has another placeholder than {name}`},
		{ProfileConfig{Subject: SubjectConfig{Locality: " "}}, `subject.locality: " " is blank`},
		{ProfileConfig{Subject: SubjectConfig{Country: "Schweiz"}}, `subject.country: "Schweiz" is not two capital letters`},
		{ProfileConfig{Subject: SubjectConfig{Country: "{name}"}}, `subject.country: "{name}" is not two capital letters`},
		{ProfileConfig{Subject: SubjectConfig{CommonName: "0123456789012345678901234567890123456789012345678901234567890123{name}"}}, `subject.common_name: "0123456789012345678901234567890123456789012345678901234567890123{name}" is too long; 64 characters are allowed, with the name`},
		{ProfileConfig{Subject: SubjectConfig{CommonName: "web"}}, `subject: {name} is in no attribute, so that all would have the same subject; put it in, or list one name without * and ? under names`},
		{ProfileConfig{Subject: SubjectConfig{CommonName: "web"}, Names: []string{"web-*"}}, `subject: {name} is in no attribute, so that all would have the same subject; put it in, or list one name without * and ? under names`},
		{ProfileConfig{Names: []string{"web-01", ""}}, `names: "": an empty pattern matches nothing`},
		{ProfileConfig{Names: []string{"a&*"}}, `names: "a&*": it can match nothing`},
		{ProfileConfig{SAN: SANConfig{DNS: []string{"*.exa mple.com"}}}, `san.dns: "*.exa mple.com": it can match nothing`},
		{ProfileConfig{SAN: SANConfig{DNS: []string{"a..b"}}}, `san.dns: "a..b": it can match nothing`},
		{ProfileConfig{SAN: SANConfig{URI: []string{"example.org/**"}}}, `san.uri: "example.org/**": it can match nothing`},
		{ProfileConfig{SAN: SANConfig{URI: []string{"spiffe://Example.org/**"}}}, `san.uri: "spiffe://Example.org/**": it can match nothing`},
		{ProfileConfig{SAN: SANConfig{Email: []string{"example.com"}}}, `san.email: "example.com": it can match nothing`},
		{ProfileConfig{SAN: SANConfig{IP: []string{"10.0.0.0/33"}}}, `san.ip: "10.0.0.0/33": it is not a range of addresses, such as 10.0.0.0/8`},
		{ProfileConfig{SAN: SANConfig{IP: []string{"10.0.0.1/8"}}}, `san.ip: "10.0.0.1/8": bits are set after the first 8; write 10.0.0.0/8`},
		{ProfileConfig{SAN: SANConfig{IP: []string{"::ffff:10.0.0.0/104"}}}, `san.ip: "::ffff:10.0.0.0/104": it is not a range of addresses, such as 10.0.0.0/8`},
		{ProfileConfig{SAN: SANConfig{IP: []string{"::ffff:10.0.0.1"}}}, `san.ip: "::ffff:10.0.0.1": it is not a range of addresses, such as 10.0.0.0/8`},
		{ProfileConfig{Lifetime: LifetimeConfig{Default: Duration(2 * time.Hour), Max: Duration(time.Hour)}}, `lifetime.default: 2h is more than lifetime.max, 1h`},
		{ProfileConfig{Lifetime: LifetimeConfig{Default: Duration(-time.Hour)}}, `lifetime.default: -1h is not a time to live`},
		{ProfileConfig{Lifetime: LifetimeConfig{Max: Duration(-time.Hour)}}, `lifetime.max: -1h is not a time to live`},
		{ProfileConfig{ExtKeyUsage: []string{"codeSigning"}}, `ext_key_usage: "codeSigning" is neither client_auth nor server_auth`},
		{ProfileConfig{ExtKeyUsage: []string{"client_auth", "client_auth"}}, `ext_key_usage: "client_auth" is listed twice`},
		{ProfileConfig{CRLURLs: []string{"ldap://example.com"}}, `crl_urls: the CRL address "ldap://example.com" is not an http or https URL`},
		{ProfileConfig{CRLURLs: []string{"http://example.com/ca crl"}}, `crl_urls: the CRL address "http://example.com/ca crl" is not an http or https URL`},
		{ProfileConfig{CRLURLs: []string{"http://:80/ca.crl"}}, `crl_urls: the CRL address "http://:80/ca.crl" is not an http or https URL`},
		{ProfileConfig{AllowWarnings: []string{"nosuch"}}, `allow_warnings: there is no lint rule "nosuch"`},
		{ProfileConfig{AllowWarnings: []string{"digest"}}, `allow_warnings: the lint rule "digest" is an error; only warnings can be allowed`},
	}
	for _, tt := range tests {
		if _, err := NewProfile("web", tt.config); err == nil || err.Error() != `profile "web": `+tt.want {
			t.Errorf("got  %v\nwant profile \"web\": %s", err, tt.want)
		}
	}
	if _, err := NewProfile("", ProfileConfig{}); err == nil || err.Error() != "a profile needs a name" {
		t.Error(err)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]time.Duration{"24h": 24 * time.Hour, "30d": 720 * time.Hour, "90m": 90 * time.Minute, "1h30m": 90 * time.Minute} {
		var got struct{ D Duration }
		if err := json.Unmarshal([]byte(`{"D":"`+text+`"}`), &got); err != nil || time.Duration(got.D) != want {
			t.Errorf("%s: %v, %v", text, got.D, err)
		}
	}
	for d, want := range map[time.Duration]string{24 * time.Hour: "24h", 48 * time.Hour: "2d", 720 * time.Hour: "30d", 36 * time.Hour: "36h", 90 * time.Second: "1m30s", 0: "0s", 20 * time.Minute: "20m", -time.Hour: "-1h", 65536 * 24 * time.Hour: "1572864h"} {
		if got := Duration(d).String(); got != want {
			t.Errorf("%v is printed as %s, want %s", d, got, want)
		}
		if read, err := ParseDuration(want); err != nil || read != d {
			t.Errorf("%s is read as %v, %v", want, read, err)
		}
	}
	for _, text := range []string{"", "30", "d", "-1d", "1.5d", "70000d", "1d12h"} {
		_, err := ParseDuration(text)
		if want := `"` + text + `" is not a duration; write hours or days, such as 24h or 30d`; err == nil || err.Error() != want {
			t.Errorf("%q: %v", text, err)
		}
	}
	if err := new(Duration).UnmarshalText([]byte("0d")); err == nil || err.Error() != `"0d" must not be zero; leave it out for the default` {
		t.Error(err)
	}
	if text, err := Duration(90 * time.Minute).MarshalText(); err != nil || string(text) != "1h30m" {
		t.Errorf("%s, %v", text, err)
	}
}

func TestProfile_CommonName(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ template, name, want string }{
		{"", "web-01", "web-01"},
		{"{name}", "web-01", "web-01"},
		{"host-{name}", "web-01", "host-web-01"},
		{"{name}.example.com", "web-*", "web-*.example.com"},
		{"{name}", "a b", "a b"},
		{"x{name}y", "xy", "xxyy"},
	} {
		p, err := NewProfile("p", ProfileConfig{Subject: SubjectConfig{CommonName: tt.template}})
		if err != nil {
			t.Fatal(err)
		}
		if got := p.CommonName(tt.name); got != tt.want || p.NameOf(got) != tt.name {
			t.Errorf("%s of %s: %s, and back %s", tt.template, tt.name, got, p.NameOf(got))
		}
	}
}

// TestProfile_CheckSubject: it refuses, before there is a key, the names that PrepareLeaf would refuse.
func TestProfile_CheckSubject(t *testing.T) {
	t.Parallel()
	root, key := newRoot(t, time.Hour), newKey(t)
	spaces := ProfileConfig{AllowWarnings: []string{"attribute-spaces"}}
	for _, tt := range []struct {
		config ProfileConfig
		name   string
		ok     bool
	}{
		{ProfileConfig{}, "web-01", true},
		{ProfileConfig{}, "b 03&x", false},
		{ProfileConfig{}, "b\x1b", false},
		{ProfileConfig{}, "b  03", false},
		{spaces, "b  03", true},
		{ProfileConfig{}, strings.Repeat("n", 61), true},
		{ProfileConfig{AllowWarnings: []string{"source-identity"}}, strings.Repeat("n", 64), true},
		{ProfileConfig{}, strings.Repeat("n", 65), false},
		{ProfileConfig{Subject: SubjectConfig{CommonName: "{name}.example.com"}}, strings.Repeat("n", 60), false},
		{ProfileConfig{Subject: SubjectConfig{OrganizationalUnit: "team {name}"}}, strings.Repeat("n", 60), false},
	} {
		p, err := NewProfile("p", tt.config)
		if err != nil {
			t.Fatal(err)
		}
		err = p.CheckSubject(tt.name)
		_, issued := root.PrepareLeaf(p, Request{Name: tt.name, Public: key.Public()}, noon)
		if (err == nil) != tt.ok || fmt.Sprint(err) != fmt.Sprint(issued) {
			t.Errorf("%q: %v; PrepareLeaf: %v", tt.name, err, issued)
		}
	}
}

func TestProfile_CheckName(t *testing.T) {
	t.Parallel()
	p, err := NewProfile("p", ProfileConfig{Names: []string{"web-*", "db"}})
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]bool{"web-01": true, "db": true, "": false, " ": false, "db2": false, "web-01.example.com": false, "Web-01": false} {
		if err := p.CheckName(name); (err == nil) != want {
			t.Errorf("%q: %v", name, err)
		}
	}
}
