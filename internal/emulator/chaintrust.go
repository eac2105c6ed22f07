package emulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// chained is an AssumeRole request, as a role's trust policy sees it.
type chained struct {
	who        *principal
	role       *iam.Role
	policies   policy.Policies // of the caller
	parameters wire.Parameters
	tags       *tagSet
	identity   string
	now        time.Time
}

// check asks the role's trust policy and the caller's policies: tags that are passed or inherited want
// sts:TagSession, and a source identity, which stays for the whole chain, sts:SetSourceIdentity (IAM guide, "Pass
// session tags in AWS STS" and "Monitor and control actions taken with assumed roles").
func (c chained) check() *wire.Error {
	if refusal := checkExternalID(c.parameters["ExternalId"]); refusal != nil {
		return refusal
	}
	trust, _ := c.role.TrustPolicy()
	for _, request := range c.requests() {
		if d := c.policies.Assume(trust, &request); d.Outcome != policy.Allowed {
			return c.refused(request, d)
		}
	}
	return nil
}

func (c chained) refused(request policy.Request, d policy.AssumeDecision) *wire.Error {
	if d.Trust.Outcome == policy.Allowed {
		refusal := notAuthorized(c.who, request.Action, c.role.ARN, "the caller's own policies do not allow it:")
		refusal.Message += iam.DenialReason(d.Caller, request.Action)
		refusal.Reasons = decisions{callerDecision(request, d.Caller)}
		return refusal
	}
	refusal := notAuthorized(c.who, request.Action, c.role.ARN, "its trust policy does not allow it:")
	if d.Trust.Outcome == policy.ExplicitDeny {
		refusal.Message += " with an explicit deny in a resource-based policy" // field reports
	}
	refusal.Reasons = decisions{trustDecision(policy.ActionResult{Request: request, Result: d.Trust})}
	return refusal
}

// requests returns what the trust policy is asked, with the keys that the Service Authorization
// Reference lists for each action of STS.
func (c chained) requests() []policy.Request {
	principal := policy.Principal{ARN: c.who.ARN}
	if c.who.session != nil {
		principal.Role = c.who.session.RoleARN
	}
	request := func(action string, add ...func(*policy.Context)) policy.Request {
		context := policy.NewContext(c.who.conditionKeys(c.now))
		for _, f := range add {
			f(&context)
		}
		return policy.Request{Principal: principal, Action: action, Resource: c.role.ARN, Context: context}
	}
	all := []policy.Request{request(policy.AssumeRole, c.addTags, c.addIdentity, c.addNames)}
	if len(c.tags.values) > 0 {
		all = append(all, request(policy.TagSession, c.addTags))
	}
	if c.identity != "" {
		all = append(all, request(policy.SetSourceIdentity, c.addIdentity))
	}
	return all
}

// conditionKeys returns the keys of every action (IAM guide, "AWS global condition context keys").
// aws:SecureTransport is true over HTTP, too: AWS has no STS without TLS.
func (p *principal) conditionKeys(now time.Time) map[string][]string {
	keys := map[string][]string{
		"aws:CurrentTime":           {now.UTC().Format(time.RFC3339)},
		"aws:EpochTime":             {strconv.FormatInt(now.Unix(), 10)},
		"aws:PrincipalArn":          {p.ARN},
		"aws:PrincipalAccount":      {p.Account},
		"aws:PrincipalIsAWSService": {"false"},
		"aws:userid":                {p.UserID},
		"aws:SecureTransport":       {"true"},
		"aws:RequestedRegion":       {p.Region},
	}
	if p.Address != "" {
		keys["aws:SourceIp"] = []string{p.Address}
	}
	if p.isRoleSession() {
		keys["aws:PrincipalType"] = []string{"AssumedRole"}
	} else {
		keys["aws:PrincipalType"] = []string{"User"}
		keys["aws:username"] = []string{p.ARN[strings.LastIndex(p.ARN, "/")+1:]}
	}
	for _, tag := range p.tags {
		keys["aws:PrincipalTag/"+tag.Key] = []string{tag.Value}
	}
	if s := p.session; s != nil {
		if s.RoleARN != "" { // "aws:PrincipalArn": of a session it is the role's
			keys["aws:PrincipalArn"] = []string{s.RoleARN}
		}
		keys["aws:TokenIssueTime"] = []string{s.Issued.Format(time.RFC3339)}
		s.setTags(keys)
	}
	if has := p.originSubject(); has != "" {
		keys[policy.OriginSubject] = []string{has}
	}
	if has := p.sourceIdentity(); has != "" {
		keys["aws:SourceIdentity"] = []string{has}
	}
	return keys
}

// setTags gives the keys of a principal the tags of the session. They override those of the role, ignoring case (STS
// reference, AssumeRole, Tags).
func (s *Session) setTags(keys map[string][]string) {
	const prefix = "aws:PrincipalTag/"
	maps.DeleteFunc(keys, func(key string, _ []string) bool {
		name, ok := strings.CutPrefix(key, prefix)
		return ok && has(s.Tags, name)
	})
	for key, value := range s.Tags {
		keys[prefix+key] = []string{value}
	}
}

func (c chained) addTags(k *policy.Context) {
	keys := slices.Sorted(maps.Keys(c.tags.values))
	for _, key := range keys {
		k.Set("aws:RequestTag/"+key, c.tags.values[key])
	}
	k.Set("aws:TagKeys", keys...)
	k.Set("sts:TransitiveTagKeys", c.tags.transitive...)
}

func (c chained) addIdentity(k *policy.Context) {
	if c.identity != "" {
		k.Set("sts:SourceIdentity", c.identity)
	}
}

func (c chained) addNames(k *policy.Context) {
	k.Set("sts:RoleSessionName", c.parameters["RoleSessionName"])
	if external := c.parameters["ExternalId"]; external != "" {
		k.Set("sts:ExternalId", external)
	}
}
