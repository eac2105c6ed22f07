package cadir

import (
	"bytes"
	"cmp"
	"fmt"
	"net/url"
	"strings"

	"go.yaml.in/yaml/v3"

	"kedge/ca"
)

// YAML writes the settings as a configuration to start from: every key with the value in force, and
// what it means. Without profiles it lists the built-in one. What it writes is read as the same
// settings, but for a password in the address of the ledger, which is left out.
func (s *Settings) YAML() ([]byte, error) {
	var document yaml.Node
	if err := document.Encode(s.explicit()); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	annotate(&document, "")
	var text bytes.Buffer
	fmt.Fprintln(&text, "# Configuration of a CA of kedge-ca: kedge-ca.yaml in its folder. Keys that are left out have their")
	fmt.Fprintln(&text, "# defaults. A user that can change this file decides what is issued: only root and the CA's user may.")
	fmt.Fprintln(&text)
	e := yaml.NewEncoder(&text)
	e.SetIndent(2)
	if err := e.Encode(&document); err != nil {
		return nil, fmt.Errorf("write the configuration: %w", err)
	}
	return text.Bytes(), nil
}

// explicit returns the settings with each default written out.
func (s *Settings) explicit() *Settings {
	c := *s
	c.complete()
	c.Ledger = withoutPassword(c.Ledger)
	profiles := s.Profiles
	if builtIn := ca.DefaultProfile().Name(); len(profiles) == 0 {
		profiles = map[string]ProfileSettings{builtIn: {ProfileConfig: ca.DefaultProfileConfig()}}
		c.DefaultProfile = builtIn
	}
	c.Profiles = map[string]ProfileSettings{}
	for name, profile := range profiles {
		if profile.CRLURLs == nil {
			profile.CRLURLs = s.CRL.URLs
		}
		c.Profiles[name] = ProfileSettings{profile.Complete(), profile.Enroll.complete()}
	}
	return &c
}

// withoutPassword returns the place of a ledger as it may be shown.
func withoutPassword(place string) string {
	if !hasPassword(place) {
		return place
	}
	u, err := url.Parse(place)
	if err != nil { // it was parsed before
		return place
	}
	if u.User != nil {
		u.User = url.User(u.User.Username())
	}
	query := u.Query()
	query.Del("password")
	u.RawQuery = query.Encode()
	return u.String()
}

// annotate puts above each key what it means, in the first profile and role only, and writes lists of texts on
// one line.
func annotate(n *yaml.Node, path string) {
	if n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		at := keyPath(path, key.Value)
		if !isNamed(path) || i == 0 {
			key.HeadComment = meaning(at)
			annotate(value, at)
			continue
		}
		plain(value)
	}
}

// plain is annotate without the comments.
func plain(n *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		n.Style = yaml.FlowStyle
	}
	for _, child := range n.Content {
		plain(child)
	}
}

// isNamed reports whether the keys of a group are names that the operator chose.
func isNamed(path string) bool { return path == "profiles" || path == "aws.roles" }

// keyPath is how a key is called in meaning: the names of profiles and roles do not count.
func keyPath(path, key string) string {
	switch {
	case path == "":
		return key
	case isNamed(path):
		return path + ".*"
	}
	return path + "." + key
}

// meaning describes what a key of the configuration is, and its default.
func meaning(path string) string {
	switch path {
	case "ledger":
		return "where the ledger is: a path below the CA's folder, postgres://USER@HOST/DATABASE (its password is\nbetter left to PGPASSFILE or PGPASSWORD), or env:NAME for a variable with either; default: ledger.db"
	case "default_profile":
		return "the profile of what is issued without --profile; default: workload"
	case "profiles":
		return "what is issued; once a profile is listed here, the built-in one is gone"
	case "crl":
		return "how lists of what is revoked are made"
	case "crl.valid":
		return "from one list to when the next is due; default: 7d"
	case "crl.urls":
		return "where lists are fetched from, for profiles that name no crl_urls; default: none"
	case "expiry":
		return "when status and expiring report leaves that have no successor"
	case "expiry.warn":
		return "what is left of a leaf's life then, a part such as 25% or a time such as 8h; default: 25%"
	case "expiry.forget":
		return "how long after its end a leaf is still reported; default: 30d"
	}
	if strings.HasPrefix(path, "aws") {
		return accountMeaning(path)
	}
	if strings.HasPrefix(path, "notify") {
		return notifyMeaning(path)
	}
	if strings.HasPrefix(path, "server") {
		return serverMeaning(path)
	}
	return profileMeaning(path)
}

func serverMeaning(path string) string {
	switch path {
	case "server":
		return "how hosts reach kedge-ca serve, and what they are told about AWS"
	case "server.url":
		return "its address for hosts, such as https://ca.example.com, which tokens carry; default: none"
	case "server.tls":
		return "what hosts know it by: own, a certificate of this CA, or system, a public one; default: own"
	case "server.hook":
		return "a program that is asked about each request of a host, and can refuse it or shorten the lifetime"
	case "server.hook.command":
		return "the program, by its whole path, and its arguments, without a shell; default: none"
	case "server.hook.timeout":
		return "without an answer until then nothing is issued; default: 5s"
	case "server.http_url":
		return "where others fetch crl/NAME.crl and ca/NAME.cer, which certificates then name; default: none"
	case "server.trusted_proxies":
		return "addresses and ranges of proxies (unix: of a Unix socket) whose X-Forwarded-For is believed; default: none"
	case "server.aws":
		return "the ARNs for CreateSession, all three or none, and how many sessions hosts can get"
	case "server.aws.region":
		return "default: that of the trust anchor"
	case "server.aws.session_duration":
		return "how long the sessions of hosts last, from 15m to 12h; default: 1h"
	case "server.aws.create_session_quota":
		return "calls of CreateSession that AWS allows here, such as 10/s: status reports when hosts need more; default: none"
	}
	return cmp.Or(estMeaning(path), limitsMeaning(path))
}

func estMeaning(path string) string {
	switch path {
	case "server.est":
		return "how devices enroll by EST (RFC 7030), with a token as the password of HTTP Basic or a certificate of this CA"
	case "server.est.enabled":
		return "answers at /.well-known/est/, and asks clients for a certificate of TLS; default: false"
	case "server.est.labels":
		return "of /.well-known/est/LABEL/: {profile: the only one that is issued there, wrapped: base64 in lines, for libest}; default: none"
	}
	return ""
}

func limitsMeaning(path string) string {
	switch path {
	case "server.limits":
		return "how much clients can ask; renewals that are due are not limited"
	case "server.limits.address":
		return "requests from one address, or /64 of IPv6, such as 30/s, 100/m or none; default: 30/s"
	case "server.limits.address_burst":
		return "and how many at once; default: 300"
	case "server.limits.host":
		return "requests for one host that has shown which it is; default: 30/m"
	case "server.limits.host_burst":
		return "and how many at once; default: 100"
	case "server.limits.at_once":
		return "requests that are decided at the same time; default: 512"
	case "server.limits.connections":
		return "connections of hosts that are open at the same time, 4096 at most; others wait; each above 512 adds 64 KiB to the memory limit; default: 512"
	}
	return ""
}

func accountMeaning(path string) string {
	switch path {
	case "aws":
		return "what hosts should have in an account at AWS"
	case "aws.name":
		return "of the trust anchor and of the profile; default: kedge"
	case "aws.alias":
		return "of the trust anchor and of the profile, by which hosts can name them; default: none"
	case "aws.path":
		return "of the roles, such as /hosts/; default: /"
	case "aws.permissions_boundary":
		return "ARN of the permissions boundary of the roles; default: none"
	case "aws.tags":
		return "tags of all that kedge-ca aws up creates; default: none"
	case "aws.roles":
		return "roles for hosts, by their names at AWS: kedge-ca aws policy --role NAME; default: none"
	case "aws.crl":
		return "what becomes of lists of what is revoked"
	case "aws.crl.push":
		return "push each list to IAM Roles Anywhere when it is made: kedge-ca aws crl push; default: false"
	case "aws.crl.profile":
		return "the profile of ~/.aws/config that pushes; default: as the AWS SDKs choose"
	case "aws.crl.profiles":
		return "the profiles for single accounts, by their IDs; default: profile"
	}
	return roleMeaning(path)
}

func roleMeaning(path string) string {
	switch path {
	case "aws.roles.*":
		return "certificates must have a value of each list that is not empty; patterns as under profiles, but only **"
	case "aws.roles.*.names":
		return "common names of the hosts"
	case "aws.roles.*.san_uri":
		return "their URIs, such as SPIFFE IDs; the first one of a certificate counts"
	case "aws.roles.*.ou":
		return "their organizational units"
	case "aws.roles.*.issuer":
		return "authorities that issued their certificates; default: any of this CA"
	case "aws.roles.*.from_role":
		return "ARNs of roles by which hosts assume this one; default: none, they come by the trust anchor"
	case "aws.roles.*.policies":
		return "what the role may do: ARNs of managed policies, and files with a policy as JSON, below the CA's folder; default: nothing"
	}
	return ""
}

func notifyMeaning(path string) string {
	switch path {
	case "notify":
		return "where serve reports copies of hosts, late hosts, and lists and CA certificates about to end"
	case "notify.url":
		return "gets a POST with JSON, over https; default: none"
	case "notify.secret_file":
		return "the secret that signs reports, below the CA's folder (openssl rand -hex 32)"
	case "notify.timeout":
		return "of one try; default: 10s"
	case "notify.retries":
		return "of a report that was not taken; default: 3"
	}
	return ""
}

func profileMeaning(path string) string {
	switch path {
	case "profiles.*":
		return "in a pattern, * is any run of characters but . and /, ** any run of characters, ? any one but . and /"
	case "profiles.*.key_types":
		return "types of keys, such as [P-256, RSA-2048, ML-DSA-44], the first for keys that are made here; default: all"
	case "profiles.*.subject":
		return "the name in the certificate: {name} is what is asked for; an empty attribute is left out"
	case "profiles.*.subject.common_name":
		return "default: {name}"
	case "profiles.*.subject.country":
		return "two letters, ISO 3166"
	case "profiles.*.names":
		return "patterns of who may be named; default: anyone"
	case "profiles.*.san":
		return "patterns of the alternative names that may be asked for; a kind without any is refused"
	case "profiles.*.san.ip":
		return "addresses, and ranges such as 10.0.0.0/8"
	case "profiles.*.lifetime":
		return "hours or days, such as 24h or 30d"
	case "profiles.*.lifetime.default":
		return "when the request does not say; default: 24h"
	case "profiles.*.lifetime.max":
		return "at most; default: 30d"
	case "profiles.*.ext_key_usage":
		return "client_auth, server_auth or both; [] leaves the extension out; default: [client_auth]"
	case "profiles.*.crl_urls":
		return "where the list is, for the certificate (IAM Roles Anywhere reads imported ones); default: crl.urls"
	case "profiles.*.allow_warnings":
		return "lint rules, of warnings, that a certificate may break; default: none"
	}
	return enrollMeaning(path)
}

func enrollMeaning(path string) string {
	switch path {
	case "profiles.*.enroll":
		return "how hosts get such certificates from kedge-ca serve"
	case "profiles.*.enroll.proofs":
		return "token, approval (by the operator: kedge-ca approve), renewal (by the key of the certificate before); [] is none; default: token and renewal"
	case "profiles.*.enroll.hook.command", "profiles.*.enroll.hook.timeout":
		return serverMeaning("server" + strings.TrimPrefix(path, "profiles.*.enroll"))
	case "profiles.*.enroll.hook":
		return "instead of that of server"
	case "profiles.*.enroll.domains":
		return "the host NAME gets the DNS names NAME and NAME.DOMAIN, for these domains, if san.dns allows them; default: none"
	case "profiles.*.enroll.grace":
		return "how long after its end a certificate can be renewed; default: 7d"
	case "profiles.*.enroll.hardware_grace":
		return "the same for keys in a TPM or token; default: 90d, or grace if that is more"
	case "profiles.*.enroll.recoveries":
		return "how many times one host can renew an expired certificate; 0: never; default: 100"
	case "profiles.*.enroll.wait":
		return "how long a request waits for approval; default: 24h"
	}
	return ""
}
