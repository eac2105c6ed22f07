package emulator

import (
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/cloudtrail"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

// What CloudTrail would record. A call is recorded once the account that it is of is known: with a signature that
// was verified, and CreateSession with a trust anchor that is there (ours).

// trailed is an answered call.
type trailed struct {
	request *http.Request
	call    Call
	who     *principal // nil for CreateSession
	refusal *wire.Error
}

// event returns the event of a call, as the account of its sender has it.
func (t trailed) event(service string) cloudtrail.Event {
	event := cloudtrail.New(t.request, service, t.call.Operation, t.call.ID, t.call.Time)
	if t.who != nil {
		event.UserIdentity, event.AWSRegion, event.RecipientAccountID = t.who.identity(), t.who.Region, t.who.Account
	}
	return event
}

func (e *Emulator) writeTrail(now time.Time, event cloudtrail.Event) {
	if err := e.trail.Write(event); err != nil {
		e.log.entry(now, "an event is not in the CloudTrail file: "+err.Error())
	}
}

// trailSession records CreateSession and, when it gave a session, AssumeRole, which the service called. The first
// one is a field report as well: the guide of Roles Anywhere lists CreateSession and has no example.
func (e *Emulator) trailSession(t trailed, body []byte, s *Session) {
	if e.trail == nil {
		return
	}
	query, err := wire.ParseQuery(t.request.URL.RawQuery)
	if err != nil {
		return
	}
	in, _ := readSessionRequest(query, body)
	if in == nil || in.TrustAnchorARN == nil {
		return
	}
	anchor := e.resources.TrustAnchor(*in.TrustAnchorARN)
	if anchor == nil {
		return
	}
	event := t.event(rolesService)
	event.UserIdentity = cloudtrail.Identity{Type: "AWSService", InvokedBy: policy.RolesAnywhere}
	event.AWSRegion, event.RecipientAccountID = anchor.ParsedARN().Region, anchor.ParsedARN().Account
	event.RequestParameters = in.members(t.request.Header.Get("X-Amz-X509"))
	if s != nil {
		event.ResponseElements = s.elements()
	}
	event.Refused(t.refusal)
	e.writeTrail(t.call.Time, event)
	if s != nil {
		e.writeTrail(t.call.Time, s.assumed(event))
	}
}

// members returns the request with the certificate, as it was sent.
func (in *sessionRequest) members(certificate string) cloudtrail.Members {
	m := cloudtrail.Members{"cert": certificate}
	for name, value := range map[string]*string{
		"profileArn": in.ProfileARN, "roleArn": in.RoleARN, "trustAnchorArn": in.TrustAnchorARN, "roleSessionName": in.RoleSessionName,
	} {
		if value != nil {
			m[name] = *value
		}
	}
	if in.DurationSeconds != nil {
		m["durationSeconds"] = *in.DurationSeconds
	}
	return m
}

// elements returns the answer of CreateSession without its secrets. The credentials have the members that AWS's examples of
// events with credentials have, of which none has a secret access key (IAMG cloudtrail-integration, AssumeRole; S3 user guide
// s3-express-log-files, CreateSession).
func (s *Session) elements() cloudtrail.Members {
	m := cloudtrail.FromAnswer(s.answer())
	for _, set := range m["credentialSet"].([]any) {
		credentials := set.(map[string]any)["credentials"].(map[string]any)
		delete(credentials, "secretAccessKey")
		credentials["sessionToken"] = cloudtrail.Hidden
	}
	return m
}

// assumed returns the event of the AssumeRole that the service called for a session (CT
// cloudtrail-event-reference-user-identity: AWSService).
func (s *Session) assumed(created cloudtrail.Event) cloudtrail.Event {
	e := created
	e.EventSource, e.EventName, e.ReadOnly = "sts.amazonaws.com", cloudtrail.AssumeRoleEvent, true
	e.SourceIPAddress, e.UserAgent, e.TLSDetails = policy.RolesAnywhere, policy.RolesAnywhere, nil
	e.RequestID, e.RecipientAccountID = wire.NewUUID(), s.Account
	tags := make([]any, 0, len(s.Tags))
	for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
		tags = append(tags, map[string]any{"key": key, "value": s.Tags[key]})
	}
	e.RequestParameters = cloudtrail.Members{
		"roleArn": s.RoleARN, "roleSessionName": s.AssumedRoleARN[strings.LastIndex(s.AssumedRoleARN, "/")+1:],
		"sourceIdentity": s.SourceIdentity, "durationSeconds": int64(s.Expiration.Sub(s.Issued) / time.Second), "tags": tags,
	}
	e.ResponseElements = cloudtrail.Members{
		"credentials":     map[string]any{"accessKeyId": s.AccessKeyID, "sessionToken": cloudtrail.Hidden, "expiration": cloudtrail.Time(s.Expiration)},
		"assumedRoleUser": map[string]any{"assumedRoleId": s.UserID, "arn": s.AssumedRoleARN},
		"sourceIdentity":  s.SourceIdentity, "packedPolicySize": packedSize(s.Tags),
	}
	e.Resources = []cloudtrail.Resource{{AccountID: s.Account, Type: "AWS::IAM::Role", ARN: s.RoleARN}}
	return e
}

// trailQuery records a call of STS or IAM. One of an operation that is not here is not recorded, and neither is a parameter that
// the operation has not: whether they are secrets is unknown.
func (e *Emulator) trailQuery(t trailed, s queryService, parameters wire.Parameters, result wire.XMLAnswer) {
	own, ok := s.members(t.call.Operation)
	if e.trail == nil || !ok {
		return
	}
	event := t.event(s.name)
	event.RequestParameters = cloudtrail.FromForm(parameters, own)
	if t.refusal == nil && (!event.ReadOnly || t.call.Operation == cloudtrail.AssumeRoleEvent || t.call.Operation == "GetSessionToken") {
		event.ResponseElements = cloudtrail.FromXML(result)
	}
	event.Refused(t.refusal)
	role, err := arn.Parse(parameters["RoleArn"], "iam", "role")
	if t.call.Operation != cloudtrail.AssumeRoleEvent || err != nil {
		e.writeTrail(t.call.Time, event)
		return
	}
	event.Resources = []cloudtrail.Resource{{AccountID: role.Account, Type: "AWS::IAM::Role", ARN: role.String()}}
	if inherited := t.who.inheritedTags(); len(inherited) > 0 { // IAMG cloudtrail-integration, the example of a chained AssumeRole
		event.RequestParameters["incomingTransitiveTags"] = inherited
	}
	other := event
	if t.refusal == nil && role.Account != t.who.Account {
		event.SharedEventID = wire.NewUUID()
		other.SharedEventID, other.RecipientAccountID = event.SharedEventID, role.Account
		// The account of the role gets no more of a caller than this (IAMG cloudtrail-integration).
		other.UserIdentity = cloudtrail.Identity{Type: "AWSAccount", PrincipalID: t.who.UserID, AccountID: t.who.Account}
		defer e.writeTrail(t.call.Time, other)
	}
	e.writeTrail(t.call.Time, event)
}

// trailResources records an operation of the control plane of IAM Roles Anywhere, with the members that the operation has.
func (e *Emulator) trailResources(t trailed, op rolesanywhere.Operation, c rolesanywhere.Call, answer any) {
	if e.trail == nil {
		return
	}
	event := t.event(rolesService)
	own := op.Members()
	parameters := cloudtrail.FromJSON(c.Request.Body, own)
	if parameters == nil {
		parameters = cloudtrail.Members{}
	}
	for _, p := range c.Query {
		if slices.Contains(own, p.Name) {
			parameters.Add(p.Name, p.Value)
		}
	}
	if member := idMember(op.Path); member != "" {
		parameters[member] = c.ID
	}
	if len(parameters) > 0 {
		event.RequestParameters = parameters
	}
	if t.refusal == nil && !event.ReadOnly {
		event.ResponseElements = cloudtrail.FromAnswer(answer)
	}
	event.Refused(t.refusal)
	e.writeTrail(t.call.Time, event)
}

// idMember returns the member that a path has the id of (model).
func idMember(path string) string {
	if !strings.Contains(path, "{id}") {
		return ""
	}
	for prefix, member := range map[string]string{
		"/trustanchor": "trustAnchorId", "/profile": "profileId", "/crl": "crlId", "/subject": "subjectId",
	} {
		if strings.HasPrefix(path, prefix) {
			return member
		}
	}
	return ""
}

// identity returns the sender of a call as its own account records it (CT
// cloudtrail-event-reference-user-identity).
func (p *principal) identity() cloudtrail.Identity {
	i := cloudtrail.Identity{Type: "IAMUser", PrincipalID: p.UserID, ARN: p.ARN, AccountID: p.Account, AccessKeyID: p.AccessKeyID}
	s := p.session
	if s != nil {
		i.SessionContext = &cloudtrail.SessionContext{
			Attributes:     cloudtrail.SessionAttributes{CreationDate: s.Issued.UTC().Format(time.RFC3339), MFAAuthenticated: "false"},
			SourceIdentity: s.SourceIdentity,
		}
	}
	if !p.isRoleSession() {
		i.UserName = p.ARN[strings.LastIndex(p.ARN, "/")+1:]
		return i
	}
	i.Type = "AssumedRole"
	id, _, _ := strings.Cut(s.UserID, ":")
	i.SessionContext.SessionIssuer = &cloudtrail.Issuer{
		Type: "Role", PrincipalID: id, ARN: s.RoleARN, AccountID: s.Account, UserName: s.RoleARN[strings.LastIndex(s.RoleARN, "/")+1:],
	}
	return i
}
