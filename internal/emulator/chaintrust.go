package emulator

import (
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// chained is an AssumeRole request, as a role's trust policy sees it.
type chained struct {
	who        *principal
	role       Role
	parameters wire.Parameters
	tags       *tagSet
	identity   string
	now        time.Time
}

// check asks the role's lists, or its trust policy. The caller's own policies are not emulated: they
// count as if they allowed everything.
func (c chained) check() *wire.Error {
	if refusal := checkTrust(c.who, c.role, c.parameters, c.tags, c.identity); refusal != nil || c.role.trust == nil {
		return refusal
	}
	for _, request := range c.requests() {
		if r := c.role.trust.Evaluate(&request); r.Outcome != policy.Allowed {
			refusal := notAuthorized(c.who, request.Action, c.role.ARN, "its trust policy does not allow it:")
			if r.Outcome == policy.ExplicitDeny {
				refusal.Message += " with an explicit deny in a resource-based policy" // field reports
			}
			refusal.Reasons = explainActions([]policy.ActionResult{{Request: request, Result: r}})
			return refusal
		}
	}
	return nil
}

// requests returns what the trust policy is asked, with the keys that the Service Authorization
// Reference lists for each action of STS.
func (c chained) requests() []policy.Request {
	principal := policy.Principal{ARN: c.who.ARN}
	if c.who.session != nil {
		principal.Role = c.who.session.RoleARN
	}
	request := func(action string, add ...func(*policy.Context)) policy.Request {
		context := c.context()
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

// context returns the keys of every action (IAM guide, "AWS global condition context keys").
// aws:SecureTransport is true over HTTP, too: AWS has no STS without TLS.
func (c chained) context() policy.Context {
	var k policy.Context
	k.Set("aws:CurrentTime", c.now.UTC().Format(time.RFC3339))
	k.Set("aws:EpochTime", strconv.FormatInt(c.now.Unix(), 10))
	k.Set("aws:PrincipalArn", c.who.ARN)
	k.Set("aws:PrincipalAccount", c.who.Account)
	k.Set("aws:PrincipalIsAWSService", "false")
	k.Set("aws:userid", c.who.UserID)
	k.Set("aws:SecureTransport", "true")
	k.Set("aws:RequestedRegion", c.who.Region)
	if c.who.Address != "" {
		k.Set("aws:SourceIp", c.who.Address)
	}
	if c.who.isRoleSession() {
		k.Set("aws:PrincipalType", "AssumedRole")
	} else {
		k.Set("aws:PrincipalType", "User")
		k.Set("aws:username", c.who.ARN[strings.LastIndex(c.who.ARN, "/")+1:])
	}
	if s := c.who.session; s != nil {
		if s.RoleARN != "" { // "aws:PrincipalArn": of a session it is the role's
			k.Set("aws:PrincipalArn", s.RoleARN)
		}
		k.Set("aws:TokenIssueTime", s.Issued.Format(time.RFC3339))
		for _, key := range slices.Sorted(maps.Keys(s.Tags)) {
			k.Set("aws:PrincipalTag/"+key, s.Tags[key])
		}
	}
	if has := c.who.sourceIdentity(); has != "" {
		k.Set("aws:SourceIdentity", has)
	}
	return k
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
