package emulator

import (
	"crypto/x509"
	"encoding/json/v2"
	"fmt"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"
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
	anchor   *anchor
	profile  Profile
	role     Role
	duration time.Duration
	name     string
}

// createSession answers a CreateSession request. It checks the signature, the parameters, and
// whether the session may be granted, in this order. A fault may make the session short.
func (e *Emulator) createSession(r wireRequest, now time.Time, fault Fault) (*Session, *apiError) {
	if kind := r.header.Get("Content-Type"); len(r.body) > 0 && !isJSON(kind) {
		return nil, &apiError{status: http.StatusUnsupportedMediaType, code: "UnsupportedMediaTypeException",
			message: "The request's Content-Type must be application/json", why: fmt.Sprintf("Content-Type %.80q", kind)}
	}
	query, err := parseQuery(r.rawQuery)
	if err != nil {
		return nil, invalid(err.Error())
	}
	sent, refusal := r.certificates()
	if refusal != nil {
		return nil, refusal
	}
	auth, refusal := e.authenticate(r, query, sent, now)
	if refusal != nil {
		return nil, refusal
	}
	in, refusal := readSessionRequest(query, r.body)
	if refusal != nil {
		return nil, refusal
	}
	grant, refusal := e.authorize(in, auth.credential.region, sent, now)
	if refusal != nil {
		return nil, refusal
	}
	grant.duration = fault.shorten(grant.duration)
	return e.issue(grant, sent.leaf, now)
}

func isJSON(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)
	return err == nil && kind == "application/json"
}

// readSessionRequest reads the parameters from the body, and the ARNs from the query as well
// (guide, "authentication-create-session": "as URI parameters or as JSON in the request body").
// Refusing two different values for one parameter is ours.
func readSessionRequest(query []pair, body []byte) (*sessionRequest, *apiError) {
	var in sessionRequest
	if len(body) > 0 {
		if err := json.Unmarshal(body, &in); err != nil {
			return nil, &apiError{status: http.StatusBadRequest, code: "SerializationException", message: "The request body is not a valid CreateSession document", why: err.Error()}
		}
	}
	fields := map[string]**string{"profileArn": &in.ProfileARN, "roleArn": &in.RoleARN, "trustAnchorArn": &in.TrustAnchorARN}
	for _, p := range query {
		field, ok := fields[p.name]
		if !ok {
			continue
		}
		if *field != nil && **field != p.value {
			return nil, invalid(fmt.Sprintf("%s is given twice, with different values", p.name))
		}
		*field = &p.value
	}
	return &in, in.validate()
}

func (in *sessionRequest) validate() *apiError {
	for _, f := range []struct {
		name, kind, service string
		value               *string
	}{
		{"trustAnchorArn", "trust-anchor", rolesService, in.TrustAnchorARN},
		{"profileArn", "profile", rolesService, in.ProfileARN},
		{"roleArn", "role", "iam", in.RoleARN},
	} {
		if f.value == nil {
			return constraint(f.name, nil, "not be null")
		}
		if _, err := parseResource(*f.value, f.service, f.kind); err != nil {
			refusal := constraint(f.name, *f.value, "satisfy regular expression pattern: "+arnPattern(f.service, f.kind))
			refusal.why = err.Error()
			return refusal
		}
	}
	if d := in.DurationSeconds; d != nil && *d < int64(minDuration/time.Second) {
		return constraint("durationSeconds", *d, "have value greater than or equal to 900")
	} else if d != nil && *d > int64(maxDuration/time.Second) {
		return constraint("durationSeconds", *d, "have value less than or equal to 43200")
	}
	if in.RoleSessionName != nil {
		return checkSessionName("roleSessionName", *in.RoleSessionName)
	}
	return nil
}

// arnPattern is the pattern of the API reference; the checks here are narrower.
func arnPattern(service, kind string) string {
	return fmt.Sprintf(`^arn:aws(-[^:]+)?:%s(:.*){2}(:%s.*)$`, service, kind)
}

// checkSessionName: STS reference, AssumeRole, RoleSessionName.
func checkSessionName(field, name string) *apiError {
	switch {
	case len(name) < 2:
		return constraint(field, name, "have length greater than or equal to 2")
	case len(name) > 64:
		return constraint(field, name, "have length less than or equal to 64")
	case strings.ContainsFunc(name, outsideNameAlphabet):
		return constraint(field, name, `satisfy regular expression pattern: [\w+=,.@-]*`)
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
func (e *Emulator) authorize(in *sessionRequest, region string, sent *sentCertificates, now time.Time) (*sessionGrant, *apiError) {
	e.mu.RLock()
	defer e.mu.RUnlock()
	a := e.anchorNamed(*in.TrustAnchorARN)
	if a == nil || a.arn.region != region || a.disabled {
		return nil, denied(textAnchor, "%s: no enabled trust anchor has this ARN in %s", *in.TrustAnchorARN, region)
	}
	if refusal := checkLeaf(sent.leaf); refusal != nil {
		return nil, refusal
	}
	path, refusal := a.path(sent, now)
	if refusal != nil {
		return nil, refusal
	}
	if cert := a.revoked(path); cert != nil {
		return nil, denied(textRevoked, "%q, serial number %s, is on an imported CRL", cert.Subject, cert.SerialNumber)
	}
	if refusal := checkTags(principalTags(sent.leaf)); refusal != nil {
		return nil, refusal
	}
	return e.authorizeRole(in, a, sent.leaf, now)
}

func (e *Emulator) authorizeRole(in *sessionRequest, a *anchor, leaf *x509.Certificate, now time.Time) (*sessionGrant, *apiError) {
	profileARN, _ := parseResource(*in.ProfileARN, rolesService, "profile") // validated before
	profile, ok := e.profileNamed(*in.ProfileARN)
	if !ok || profile.Disabled || profileARN.region != a.arn.region || profileARN.account != a.arn.account {
		return nil, denied(textProfile, "%s: no enabled profile has this ARN in the trust anchor's account and region", *in.ProfileARN)
	}
	if !slices.Contains(profile.RoleARNs, *in.RoleARN) {
		return nil, denied(textRoleList, "the profile lists %s", strings.Join(profile.RoleARNs, ", "))
	}
	session := certificateSession(*in.RoleARN, a.arn, leaf, now)
	if in.RoleSessionName != nil {
		if !profile.AcceptRoleSessionName {
			return nil, denied(textSessionName, "the profile's acceptRoleSessionName is off")
		}
		session.SessionName = *in.RoleSessionName
	}
	role, ok := e.roles[*in.RoleARN]
	if !ok {
		return nil, denied(textAssume, "%s does not exist", *in.RoleARN)
	}
	// Guide, "resource-aliases": aws:SourceArn is the anchor's own ARN, not the alias of the request.
	if len(role.TrustAnchorARNs) > 0 && !slices.Contains(role.TrustAnchorARNs, a.arn.String()) {
		return nil, denied(textAssume, "the role's trust policy wants another aws:SourceArn than %s", a.arn)
	}
	if refusal := role.checkTrustPolicy(session); refusal != nil {
		return nil, refusal
	}
	// Guide, "authentication-create-session": the shorter of the two applies.
	duration := profile.Duration
	if in.DurationSeconds != nil {
		duration = min(duration, time.Duration(*in.DurationSeconds)*time.Second)
	}
	if duration > role.MaxSessionDuration {
		return nil, denied(textMaxDuration, "%s asked for, the role allows %s", duration, role.MaxSessionDuration)
	}
	return &sessionGrant{anchor: a, profile: profile, role: role, duration: duration, name: session.SessionName}, nil
}
