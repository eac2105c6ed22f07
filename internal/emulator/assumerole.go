package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/wire"
)

// chainLimit is the longest session of a role that was assumed by a role (IAM guide, "Role
// chaining").
const chainLimit = time.Hour

// assumeRole: STS reference, AssumeRole. The role's trust policy decides, with the policies of the caller.
func (e *Emulator) assumeRole(who *principal, parameters wire.Parameters, now time.Time) (wire.XMLAnswer, *wire.Error) {
	target, name := parameters["RoleArn"], parameters["RoleSessionName"]
	if target == "" {
		return nil, wire.ForQuery(wire.Constraint("roleArn", nil, "not be null"))
	}
	if _, err := arn.Parse(target, "iam", "role"); err != nil {
		return nil, wire.NewError(http.StatusBadRequest, "ValidationError", target+" is invalid", "%v", err)
	}
	if name == "" {
		return nil, wire.ForQuery(wire.Constraint("roleSessionName", nil, "not be null"))
	}
	if refusal := checkSessionName("roleSessionName", name); refusal != nil {
		return nil, wire.ForQuery(refusal)
	}
	role := e.iam.Role(target)
	if role == nil {
		return nil, notAuthorized(who, "sts:AssumeRole", target, "the role does not exist")
	}
	if refusal := checkPolicies(parameters); refusal != nil {
		return nil, refusal
	}
	tags, refusal := sessionTags(who, parameters)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := checkProof(parameters); refusal != nil {
		return nil, refusal
	}
	least, refusal := leastTokenSize(parameters)
	if refusal != nil {
		return nil, refusal
	}
	duration, refusal := parseDuration(parameters, defaultDuration, maxDuration)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := checkRoleDuration(who, role, duration); refusal != nil {
		return nil, refusal
	}
	identity, refusal := chainedIdentity(who, target, parameters["SourceIdentity"])
	if refusal != nil {
		return nil, refusal
	}
	if refusal := (chained{who, role, e.iam.AssumePolicies(e.callerOf(who)), parameters, tags, identity, now}).check(); refusal != nil {
		return nil, refusal
	}
	s := newRoleSession(role, name, now, duration)
	s.SourceIdentity, s.Tags, s.TransitiveTags = identity, tags.values, tags.transitive
	s.OriginSubject = who.originSubject()
	s.Policy, s.PolicyARNs = sessionPolicies(parameters)
	s.lengthenToken(least)
	if refusal := e.remember(s); refusal != nil {
		return nil, refusal
	}
	return &assumeRoleResponse{
		Credentials:      credentialsOf(s),
		AssumedRoleUser:  assumedRoleUser{Arn: s.AssumedRoleARN, AssumedRoleID: s.UserID},
		PackedPolicySize: packedSize(s.Tags), TokenSize: len(s.sessionToken), TokenUtilization: s.tokenUtilization(), SourceIdentity: identity,
	}, nil
}

func checkRoleDuration(who *principal, role *iam.Role, duration time.Duration) *wire.Error {
	if who.isRoleSession() && duration > chainLimit {
		return wire.NewError(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining", "")
	}
	if duration > role.MaxSessionDuration() {
		return wire.NewError(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "the role allows %s", role.MaxSessionDuration())
	}
	return nil
}

// chainedIdentity: once set, a source identity cannot change (IAM guide, "Monitor and control
// actions taken with assumed roles").
func chainedIdentity(who *principal, target, wanted string) (string, *wire.Error) {
	has := who.sourceIdentity()
	if wanted == "" || wanted == has {
		return has, nil
	}
	if refusal := checkSessionName("sourceIdentity", wanted); refusal != nil {
		return "", wire.ForQuery(refusal)
	}
	if has != "" {
		return "", notAuthorized(who, "sts:SetSourceIdentity", target, "the source identity is %q already", has)
	}
	return wanted, nil
}

// getSessionToken: STS reference, GetSessionToken; only with long-term keys.
func (e *Emulator) getSessionToken(who *principal, parameters wire.Parameters, now time.Time) (wire.XMLAnswer, *wire.Error) {
	if who.session != nil {
		return nil, accessDenied("Cannot call GetSessionToken with session credentials", "")
	}
	if refusal := checkProof(parameters); refusal != nil {
		return nil, refusal
	}
	least, refusal := leastTokenSize(parameters)
	if refusal != nil {
		return nil, refusal
	}
	duration, refusal := parseDuration(parameters, 12*time.Hour, 36*time.Hour)
	if refusal != nil {
		return nil, refusal
	}
	s := newSession(now, duration)
	s.lengthenToken(least)
	s.AssumedRoleARN, s.UserID, s.Account = who.ARN, who.UserID, who.Account
	if refusal := e.remember(s); refusal != nil {
		return nil, refusal
	}
	return &getSessionTokenResponse{Credentials: credentialsOf(s), TokenSize: len(s.sessionToken), TokenUtilization: s.tokenUtilization()}, nil
}

// checkProof refuses what nobody can have here: the code of a device for multi-factor authentication (the text is a field
// report), and the assertion of a context provider (STS reference, AssumeRole, ProvidedContexts; the answer is ours).
func checkProof(parameters wire.Parameters) *wire.Error {
	if parameters["SerialNumber"] != "" || parameters["TokenCode"] != "" {
		return accessDenied("MultiFactorAuthentication failed with invalid MFA one time pass code. ", "the emulator has no devices for it")
	}
	for name := range parameters {
		if strings.HasPrefix(name, "ProvidedContexts.") {
			return wire.NewError(http.StatusBadRequest, "ValidationError", "The provided context assertion is invalid", "the emulator has no context providers")
		}
	}
	return nil
}

func parseDuration(parameters wire.Parameters, missing, most time.Duration) (time.Duration, *wire.Error) {
	text, ok := parameters["DurationSeconds"]
	if !ok {
		return missing, nil
	}
	seconds, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, wire.NewError(http.StatusBadRequest, "MalformedInput", "DurationSeconds is not a number", "%q", text)
	case seconds < int(minDuration.Seconds()):
		return 0, wire.ForQuery(wire.Constraint("durationSeconds", text, "have value greater than or equal to 900"))
	case seconds > int(most.Seconds()):
		return 0, wire.ForQuery(wire.Constraint("durationSeconds", text, fmt.Sprintf("have value less than or equal to %d", int(most.Seconds()))))
	}
	return time.Duration(seconds) * time.Second, nil
}
