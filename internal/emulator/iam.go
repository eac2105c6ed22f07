package emulator

import (
	"errors"
	"net/http"
	"time"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/rolesanywhere"
	"kedge/internal/emulator/wire"
)

// performIAM performs a call of IAM's query API.
func (e *Emulator) performIAM(who *principal, parameters wire.Parameters, now time.Time) (wire.XMLAnswer, *wire.Error) {
	if who.session != nil && !who.isRoleSession() { // STS reference, GetSessionToken; the answer is a field report
		return nil, wire.NewError(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.",
			"a session of GetSessionToken without multi-factor authentication may not call IAM")
	}
	if refusal := e.checkIAMRate(who, now); refusal != nil {
		return nil, refusal
	}
	answer, err := e.iam.Do(iam.Call{Parameters: parameters, Caller: e.callerOf(who), Keys: who.conditionKeys(now), Now: now})
	if err != nil {
		return nil, iamRefusal(err)
	}
	return answer, nil
}

// authorizeResource asks the policies of a caller about an action on a resource of IAM Roles Anywhere.
func (e *Emulator) authorizeResource(c rolesanywhere.Call, action, resource string, context policy.Context) *wire.Error {
	who := e.find(c.Caller.AccessKeyID)
	if who == nil {
		return wire.Denied("The security token included in the request is invalid.", "the access key was deleted meanwhile")
	}
	who.Caller = c.Caller
	for key, values := range who.conditionKeys(c.Now) {
		context.Set(key, values...)
	}
	request := policy.Request{Action: action, Resource: resource, Context: context}
	err := e.iam.Authorize(e.callerOf(who), request, resource)
	if err == nil {
		return nil
	}
	refusal := iamRefusal(err)
	refusal.Code = "AccessDeniedException" // that of the REST-JSON protocol
	return refusal
}

// callerOf returns the sender of a request with the session policies that limit it.
func (e *Emulator) callerOf(who *principal) iam.Caller {
	c := iam.Caller{ARN: who.ARN, Account: who.Account}
	s := who.session
	if s == nil {
		return c
	}
	c.Role = s.RoleARN
	if s.Policy != "" {
		c.Session = append(c.Session, sessionPolicy(s.Policy))
	}
	for _, name := range s.PolicyARNs {
		c.Session = append(c.Session, e.iam.ManagedPolicy(name))
	}
	return c
}

// sessionPolicy returns a policy that AssumeRole has checked.
func sessionPolicy(text string) *policy.Document {
	d, err := policy.Parse(policy.Session, []byte(text))
	if err != nil {
		return &policy.Document{} // allows nothing
	}
	return d
}

// iamRefusal returns an error of package iam with the reasons for the log.
func iamRefusal(err error) *wire.Error {
	refused, ok := errors.AsType[*iam.Error](err)
	if !ok {
		return wire.NewError(http.StatusInternalServerError, "ServiceFailure", "The request processing has failed", "%v", err)
	}
	refusal := wire.NewError(refused.Status, refused.Code, refused.Message, "%s", refused.Why)
	if refused.Decision != nil {
		refusal.Why = "the policies of the sender do not allow it:"
		refusal.Reasons = decisions{callerDecision(*refused.Request, *refused.Decision)}
	}
	return refusal
}
