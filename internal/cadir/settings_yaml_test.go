package cadir

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"kedge/ca"
)

// TestSettings_YAML: what is written is read as the same settings, and issues the same.
func TestSettings_YAML(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"",
		"ledger: env:LEDGER\ncrl: {valid: 30h, urls: [http://crl.example.com/ca.crl]}\n",
		"ledger: postgres://kedge@db.example.com/kedge?sslmode=verify-full\n",
		"default_profile: web\nprofiles:\n  web: {names: ['web-*', '*'], san: {dns: ['**'], ip: [10.0.0.0/8]}, lifetime: {max: 2h}}\n  'a: b #': {ext_key_usage: [], crl_urls: [], subject: {common_name: '{name}', organization: 'Söhne: Co'}}\n",
		"crl: {urls: [http://crl.example.com/ca.crl]}\nprofiles:\n  workload: {lifetime: {default: 60d}, crl_urls: [], key_types: [P-256]}\n  b: {lifetime: {default: 90m}, allow_warnings: [source-identity]}\n",
		"profiles: {only: {}}\n",
		"profiles:\n  a: {enroll: {proofs: [], recoveries: 0}}\n  b: {names: ['web-*'], enroll: {grace: 100d}}\n  c: {enroll: {proofs: [renewal], hardware_grace: 30d, recoveries: 3}}\ndefault_profile: a\n",
		"server: {url: 'https://ca.example.com:8443/kedge', tls: system}\n",
		"server: {http_url: 'http://pki.example.com', trusted_proxies: [unix, 10.0.0.0/8], limits: {address: none, host: 100/h, host_burst: 7, at_once: 9, connections: 64}}\nnotify: {url: 'https://a.example.com/', secret_file: s, timeout: 3s, retries: 0}\n",
		"server:\n  aws:\n    trust_anchor_arn: " + anchorARN + "\n    profile_arn: " + profileARN + "\n    role_arn: arn:aws:iam::111122223333:role/web\n    session_duration: 12h\n    create_session_quota: 600/m\n",
		"profiles: {device: {}}\nserver: {est: {enabled: true, labels: {routers: {profile: device, wrapped: true}, b: {}}}}\n",
	} {
		s, err := ParseSettings([]byte(text))
		if err != nil {
			t.Fatal(err)
		}
		written, err := s.YAML()
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseSettings(written)
		if err != nil {
			t.Fatalf("%q: %v\n%s", text, err, written)
		}
		if s.Ledger != again.Ledger || fmt.Sprint(s.CRL) != fmt.Sprint(again.CRL) || len(s.Profiles) > 0 && s.DefaultProfile != again.DefaultProfile {
			t.Errorf("%q: %+v is written as\n%s", text, s, written)
		}
		if fmt.Sprintf("%+v", s.Server) != fmt.Sprintf("%+v", again.Server) || s.Notify.URL != again.Notify.URL || *s.Notify.Retries != *again.Notify.Retries || s.Notify.Timeout != again.Notify.Timeout {
			t.Errorf("%q: the server %+v is written as\n%s", text, s.Server, written)
		}
		names := []string{"", ca.DefaultProfile().Name(), "nosuch"}
		for name := range s.Profiles {
			names = append(names, name)
		}
		for _, name := range names {
			one, err := s.Profile(name)
			other, err2 := again.Profile(name)
			if fmt.Sprintf("%+v, %v", one, err) != fmt.Sprintf("%+v, %v", other, err2) {
				t.Errorf("%q: profile %q is %+v, %v\nand was %+v, %v", text, name, other, err2, one, err)
			}
			policy, err := s.Enrollment(name)
			written, err2 := again.Enrollment(name)
			if fmt.Sprintf("%+v, %v", policy, err) != fmt.Sprintf("%+v, %v", written, err2) {
				t.Errorf("%q: enrollment by %q is %+v, %v\nand was %+v, %v", text, name, written, err2, policy, err)
			}
		}
	}
}

// TestSettings_YAML_password: that of the ledger is not shown.
func TestSettings_YAML_password(t *testing.T) {
	t.Parallel()
	for _, address := range []string{"postgres://kedge:hunter2@db/kedge?sslmode=require", "postgres://kedge@db/kedge?password=hunter2&sslmode=require"} {
		text, err := (&Settings{Ledger: address}).YAML()
		if err != nil || strings.Contains(string(text), "hunter2") || !strings.Contains(string(text), "\nledger: postgres://kedge@db/kedge?sslmode=require\n") {
			t.Errorf("%s: %v\n%s", address, err, text)
		}
	}
}

// TestSettings_YAML_defaults: a number that the comment above a key names as its default is what it has.
func TestSettings_YAML_defaults(t *testing.T) {
	t.Parallel()
	text, err := new(Settings).YAML()
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile(`(?m); default: (\d\S*)\n\s*(\S+): (.*)$`).FindAllStringSubmatch(string(text), -1)
	if len(named) < 15 {
		t.Errorf("%d defaults are named in\n%s", len(named), text)
	}
	for _, one := range named {
		if one[1] != one[3] {
			t.Errorf("the default of %s is %s, and said to be %s", one[2], one[3], one[1])
		}
	}
}

// TestSettings_YAML_meanings: each key is explained, but those that their names explain.
func TestSettings_YAML_meanings(t *testing.T) {
	t.Parallel()
	plain := []string{"subject.organization", "subject.organizational_unit", "subject.locality", "subject.province", "san.dns", "san.uri", "san.email"}
	plain = append(plain, "server.aws.trust_anchor_arn", "server.aws.profile_arn", "server.aws.role_arn")
	var document yaml.Node
	if err := document.Encode(new(Settings).explicit()); err != nil {
		t.Fatal(err)
	}
	n := 0
	var look func(node *yaml.Node, path string)
	look = func(node *yaml.Node, path string) {
		if node.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i < len(node.Content); i += 2 {
			n++
			at := keyPath(path, node.Content[i].Value)
			if meaning(at) == "" && !slices.Contains(plain, strings.TrimPrefix(at, "profiles.*.")) {
				t.Errorf("%s is not explained", at)
			}
			look(node.Content[i+1], at)
		}
	}
	look(&document, "")
	if n < 20 {
		t.Errorf("%d keys", n)
	}
}
