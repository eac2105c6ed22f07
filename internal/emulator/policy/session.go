package policy

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// The actions that Roles Anywhere asks a role's trust policy for, each by itself (G trust-model).
const (
	AssumeRole        = "sts:AssumeRole"
	TagSession        = "sts:TagSession"
	SetSourceIdentity = "sts:SetSourceIdentity"
)

// RolesAnywhere is the principal of CreateSession (G trust-model).
const RolesAnywhere = "rolesanywhere.amazonaws.com"

// OriginSubject is the key of the identity that Roles Anywhere took from the certificate (G trusted-identity-propagation;
// API reference of Roles Anywhere, TipConfiguration). It is the only one of aws:OriginIdentity that these pages name.
const OriginSubject = "aws:OriginIdentity/Subject"

// CertificateSession is a session that CreateSession is about to make. CreateSession is AssumeRole by
// the service, with tags and a source identity (G trust-model).
type CertificateSession struct {
	Role           string            // its ARN
	TrustAnchor    string            // its ARN, never that of an alias
	Account        string            // of the trust anchor
	Tags           map[string]string // "x509Subject/CN": those that the profile maps
	SourceIdentity string
	SessionName    string
	OriginSubject  string // with trusted identity propagation; empty: none
	Now            time.Time
}

// ActionResult is what a trust policy decides about one of the actions.
type ActionResult struct {
	Request Request
	Result  Result
}

// TrustDecision is what a trust policy decides about a session.
type TrustDecision struct {
	Outcome Outcome // Allowed if each action is
	Actions []ActionResult
}

// Authorize asks a trust policy for each action. All of them are evaluated, whatever the first ones
// bring: what is missing is shown at once.
func (s CertificateSession) Authorize(trust *Document) TrustDecision {
	d := TrustDecision{Outcome: Allowed}
	for _, request := range s.Requests() {
		r := trust.Evaluate(&request)
		d.Actions = append(d.Actions, ActionResult{request, r})
		d.Outcome = strongest(d.Outcome, r.Outcome, ImplicitDeny)
	}
	return d
}

// Requests returns what the trust policy is asked: AssumeRole, TagSession if there are tags,
// SetSourceIdentity if there is a source identity. Each has the keys that the Service Authorization
// Reference lists for it (list_sts): the source identity is not TagSession's, the tags of the request
// are not SetSourceIdentity's, the session's name is AssumeRole's alone.
func (s CertificateSession) Requests() []Request {
	all := s.context()
	requests := []Request{s.request(AssumeRole, all)}
	if len(s.Tags) > 0 {
		requests = append(requests, s.request(TagSession, all.without("sts:sourceidentity", "sts:rolesessionname")))
	}
	if s.SourceIdentity != "" {
		requests = append(requests, s.request(SetSourceIdentity, all.without("aws:requesttag/", "aws:tagkeys", "sts:rolesessionname")))
	}
	return requests
}

func (s CertificateSession) request(action string, context Context) Request {
	return Request{Principal: Principal{Service: RolesAnywhere}, Action: action, Resource: s.Role, Context: context}
}

// context returns the keys of AssumeRole.
//   - aws:SourceArn, aws:SourceAccount, aws:PrincipalTag: G trust-model, for all three actions.
//   - aws:RequestTag, aws:TagKeys, sts:SourceIdentity, sts:RoleSessionName: list_sts. With Roles Anywhere
//     only blogs use the tags of the request: that they are there is ours.
//   - aws:CurrentTime, aws:EpochTime, aws:PrincipalIsAWSService, aws:PrincipalServiceName: IAMG
//     reference_policies_condition-keys; with Roles Anywhere nobody shows the last two.
//   - aws:SecureTransport, aws:RequestedRegion (that of the trust anchor): each request has them (the
//     same page); with these values they are ours.
//
// There is no aws:SourceIp: the caller is the service (IAMG reference_policies_condition-keys).
func (s CertificateSession) context() Context {
	var c Context
	c.Set("aws:SourceArn", s.TrustAnchor)
	c.Set("aws:SourceAccount", s.Account)
	c.Set("aws:CurrentTime", s.Now.UTC().Format(time.RFC3339))
	c.Set("aws:EpochTime", strconv.FormatInt(s.Now.Unix(), 10))
	c.Set("aws:PrincipalIsAWSService", "true")
	c.Set("aws:PrincipalServiceName", RolesAnywhere)
	c.Set("aws:SecureTransport", "true")
	if parts := strings.Split(s.TrustAnchor, ":"); len(parts) > 3 {
		c.Set("aws:RequestedRegion", parts[3])
	}
	keys := slices.Sorted(maps.Keys(s.Tags)) // in an order: names that differ in case are one key
	for _, key := range keys {
		c.Set("aws:PrincipalTag/"+key, s.Tags[key])
		c.Set("aws:RequestTag/"+key, s.Tags[key])
	}
	c.Set("aws:TagKeys", keys...)
	c.Set("sts:RoleSessionName", s.SessionName)
	if s.SourceIdentity != "" {
		c.Set("sts:SourceIdentity", s.SourceIdentity)
	}
	if s.OriginSubject != "" {
		c.Set(OriginSubject, s.OriginSubject)
	}
	return c
}
