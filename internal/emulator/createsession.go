package emulator

import (
	"crypto/x509"
	"encoding/json/v2"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

// sessionRequest is CreateSession's input (guide, "authentication-create-session"). Unknown members
// are ignored, as in services that use the same framework.
type sessionRequest struct {
	ProfileARN      *string `json:"profileArn"`
	RoleARN         *string `json:"roleArn"`
	TrustAnchorARN  *string `json:"trustAnchorArn"`
	DurationSeconds *int64  `json:"durationSeconds"`
	RoleSessionName *string `json:"roleSessionName"`
}

// sessionGrant is what a request is entitled to.
type sessionGrant struct {
	anchor   *rolesanywhere.TrustAnchor
	profile  *rolesanywhere.Profile
	role     *iam.Role
	duration time.Duration
	name     string
	tags     map[string]string
	origin   string // aws:OriginIdentity/Subject; empty: none
}

// createSession answers a CreateSession request. It checks the signature, the parameters, and
// whether the session may be granted, in this order. A fault may make the session short.
func (e *Emulator) createSession(r wire.Request, now time.Time, fault Fault) (*Session, *wire.Error) {
	if refusal := r.CheckJSON(); refusal != nil {
		return nil, refusal
	}
	query, err := wire.ParseQuery(r.RawQuery)
	if err != nil {
		return nil, wire.Invalid(err.Error())
	}
	sent, refusal := certificatesOf(r)
	if refusal != nil {
		return nil, refusal
	}
	auth, refusal := e.authenticate(r, query, sent, now)
	if refusal != nil {
		return nil, refusal
	}
	in, refusal := readSessionRequest(query, r.Body)
	if refusal != nil {
		return nil, refusal
	}
	grant, refusal := e.authorize(in, auth.Credential.Region, sent, now)
	if refusal != nil {
		return nil, refusal
	}
	grant.duration = fault.shorten(grant.duration)
	return e.issue(grant, sent.leaf, now)
}

// readSessionRequest reads the parameters from the body, and the ARNs from the query as well
// (guide, "authentication-create-session": "as URI parameters or as JSON in the request body").
// Refusing two different values for one parameter is ours.
func readSessionRequest(query []wire.Pair, body []byte) (*sessionRequest, *wire.Error) {
	var in sessionRequest
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &wire.Error{Status: http.StatusBadRequest, Code: "SerializationException", Message: "The request body is not a valid CreateSession document", Why: err.Error()}
		}
	}
	fields := map[string]**string{"profileArn": &in.ProfileARN, "roleArn": &in.RoleARN, "trustAnchorArn": &in.TrustAnchorARN}
	for _, p := range query {
		field, ok := fields[p.Name]
		if !ok {
			continue
		}
		if *field != nil && **field != p.Value {
			return nil, wire.Invalid(fmt.Sprintf("%s is given twice, with different values", p.Name))
		}
		*field = &p.Value
	}
	return &in, in.validate()
}

func (in *sessionRequest) validate() *wire.Error {
	for _, f := range []struct {
		name, kind, service string
		value               *string
	}{
		{"trustAnchorArn", "trust-anchor", rolesService, in.TrustAnchorARN},
		{"profileArn", "profile", rolesService, in.ProfileARN},
		{"roleArn", "role", "iam", in.RoleARN},
	} {
		if f.value == nil {
			return wire.Constraint(f.name, nil, "not be null")
		}
		if _, err := parseReference(*f.value, f.service, f.kind); err != nil {
			refusal := wire.Constraint(f.name, *f.value, "satisfy regular expression pattern: "+arnPattern(f.service, f.kind))
			refusal.Why = err.Error()
			return refusal
		}
	}
	if d := in.DurationSeconds; d != nil && *d < int64(minDuration/time.Second) {
		return wire.Constraint("durationSeconds", *d, "have value greater than or equal to 900")
	} else if d != nil && *d > int64(maxDuration/time.Second) {
		return wire.Constraint("durationSeconds", *d, "have value less than or equal to 43200")
	}
	if in.RoleSessionName != nil {
		return checkSessionName("roleSessionName", *in.RoleSessionName)
	}
	return nil
}

// parseReference parses the ARN of a role, or the one or the alias of a resource of the service.
func parseReference(s, service, kind string) (arn.ARN, error) {
	if service == rolesService {
		return rolesanywhere.ParseReference(s, rolesanywhere.Kind(kind))
	}
	return arn.Parse(s, service, kind)
}

// arnPattern is the pattern of the API reference; the checks here are narrower.
func arnPattern(service, kind string) string {
	return fmt.Sprintf(`^arn:aws(-[^:]+)?:%s(:.*){2}(:%s.*)$`, service, kind)
}

// checkSessionName: STS reference, AssumeRole, RoleSessionName.
func checkSessionName(field, name string) *wire.Error {
	switch {
	case len(name) < 2:
		return wire.Constraint(field, name, "have length greater than or equal to 2")
	case len(name) > 64:
		return wire.Constraint(field, name, "have length less than or equal to 64")
	case strings.ContainsFunc(name, outsideNameAlphabet):
		return wire.Constraint(field, name, `satisfy regular expression pattern: [\w+=,.@-]*`)
	}
	return nil
}

// outsideNameAlphabet is the complement of [\w+=,.@-], in ASCII.
func outsideNameAlphabet(r rune) bool {
	switch {
	case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		return false
	}
	return !strings.ContainsRune("_+=,.@-", r)
}

// authorize finds the requested resources and decides whether the certificate may use them. The
// messages are field reports; the order of the checks is ours.
func (e *Emulator) authorize(in *sessionRequest, region string, sent *sentCertificates, now time.Time) (*sessionGrant, *wire.Error) {
	// What AWS answers for an unknown alias is not documented; here it is the answer for an unknown anchor.
	a := e.resources.TrustAnchor(*in.TrustAnchorARN)
	if a == nil || a.ParsedARN().Region != region || !a.Enabled {
		return nil, wire.Denied(textAnchor, "%s: no enabled trust anchor has this ARN in %s", *in.TrustAnchorARN, region)
	}
	if refusal := checkLeaf(sent.leaf); refusal != nil {
		return nil, refusal
	}
	path, refusal := pathTo(a, sent, now)
	if refusal != nil {
		return nil, refusal
	}
	if cert := e.resources.Revoked(a, path); cert != nil {
		return nil, wire.Denied(textRevoked, "%q, serial number %s, is on an imported CRL", cert.Subject, cert.SerialNumber)
	}
	profile := e.resources.Profile(*in.ProfileARN)
	if profile == nil || !profile.Enabled || !profile.In(a.ParsedARN().Account, region) {
		return nil, wire.Denied(textProfile, "%s: no enabled profile has this ARN in the trust anchor's account and region", *in.ProfileARN)
	}
	tags := mappedTags(profile, sent.leaf)
	if refusal := checkTags(tags); refusal != nil {
		return nil, refusal
	}
	return e.authorizeRole(in, &sessionGrant{anchor: a, profile: profile, tags: tags}, sent.leaf, now)
}

// authorizeRole fills the grant with the role, its duration and the session's name.
func (e *Emulator) authorizeRole(in *sessionRequest, g *sessionGrant, leaf *x509.Certificate, now time.Time) (*sessionGrant, *wire.Error) {
	if !slices.Contains(g.profile.RoleARNs, *in.RoleARN) {
		return nil, wire.Denied(textRoleList, "the profile lists %s", strings.Join(g.profile.RoleARNs, ", "))
	}
	session := certificateSession(*in.RoleARN, g.anchor.ParsedARN(), leaf, g.tags, now)
	if in.RoleSessionName != nil {
		if !g.profile.AcceptRoleSessionName {
			return nil, wire.Denied(textSessionName, "the profile's acceptRoleSessionName is off")
		}
		session.SessionName = *in.RoleSessionName
	}
	refusal := checkProfilePolicies(g.profile)
	if refusal != nil {
		return nil, refusal
	}
	if session.OriginSubject, refusal = originSubject(g); refusal != nil {
		return nil, refusal
	}
	role, refusal := e.roleFor(session)
	if refusal != nil {
		return nil, refusal
	}
	// Guide, "authentication-create-session": the shorter of the two applies.
	g.duration = g.profile.Duration()
	if in.DurationSeconds != nil {
		g.duration = min(g.duration, time.Duration(*in.DurationSeconds)*time.Second)
	}
	if most := role.MaxSessionDuration(); g.duration > most {
		return nil, wire.Denied(textMaxDuration, "%s asked for, the role allows %s", g.duration, most)
	}
	g.role, g.name, g.origin = role, session.SessionName, session.OriginSubject
	return g, nil
}

// checkProfilePolicies: a profile may have a longer session policy and more managed policies (model) than a session takes (STS
// reference, AssumeRole, Policy and PolicyArns). That the session is denied then, with this text, is ours.
func checkProfilePolicies(p *rolesanywhere.Profile) *wire.Error {
	if n := len(p.ManagedPolicyARNs); n > maxPolicyARNs {
		return wire.Denied(textAssume, "the profile has %d managed policies; a session takes %d", n, maxPolicyARNs)
	}
	if p.SessionPolicy == nil {
		return nil
	}
	if n := utf8.RuneCountInString(*p.SessionPolicy); n > maxSessionPolicy {
		return wire.Denied(textAssume, "the profile's session policy has %d characters; a session takes %d", n, maxSessionPolicy)
	}
	return nil
}

// originSubject returns what trusted identity propagation takes from the certificate. Without a value for the field CreateSession
// is denied (API reference, TipConfiguration); the text, and that a field without a mapping has no value, are ours.
func originSubject(g *sessionGrant) (string, *wire.Error) {
	source := g.profile.OriginSource()
	if source == "" || g.tags[source] != "" {
		return g.tags[source], nil
	}
	return "", wire.Denied(textOrigin, "trusted identity propagation of the profile wants %s, and the certificate or the attribute mappings do not have it", source)
}

// roleFor returns the role of a session, if its trust policy allows the session.
func (e *Emulator) roleFor(session policy.CertificateSession) (*iam.Role, *wire.Error) {
	role := e.iam.Role(session.Role)
	if role == nil {
		return nil, wire.Denied(textAssume, "%s does not exist", session.Role)
	}
	return role, checkTrustPolicy(role, session)
}
