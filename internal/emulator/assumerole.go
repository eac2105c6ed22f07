package emulator

import (
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// chainLimit is the longest session of a role that was assumed by a role (IAM guide, "Role
// chaining").
const chainLimit = time.Hour

// assumeRole: STS reference, AssumeRole. Session policies are checked, and have no effect. Anyone
// with credentials and the external id may assume every configured role, except one that requires an
// aws:SourceArn; a role with a trust policy decides by it.
func (e *Emulator) assumeRole(who *principal, parameters map[string]string, now time.Time) (any, *apiError) {
	target, name := parameters["RoleArn"], parameters["RoleSessionName"]
	if target == "" {
		return nil, stsInvalid(constraint("roleArn", nil, "not be null"))
	}
	if _, err := parseARN(target, "iam", "role"); err != nil {
		return nil, stsRefusal(http.StatusBadRequest, "ValidationError", target+" is invalid", "%v", err)
	}
	if name == "" {
		return nil, stsInvalid(constraint("roleSessionName", nil, "not be null"))
	}
	if refusal := checkSessionName("roleSessionName", name); refusal != nil {
		return nil, stsInvalid(refusal)
	}
	e.mu.RLock()
	role, ok := e.roles[target]
	e.mu.RUnlock()
	if !ok || len(role.TrustAnchorARNs) > 0 {
		return nil, notAuthorized(who, "sts:AssumeRole", target, "the role does not exist, or wants an aws:SourceArn")
	}
	if refusal := checkPolicies(parameters); refusal != nil {
		return nil, refusal
	}
	tags, refusal := sessionTags(who, parameters)
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
	if refusal := (chained{who, role, parameters, tags, identity, now}).check(); refusal != nil {
		return nil, refusal
	}
	s := newRoleSession(role.ARN, name, now, duration)
	s.SourceIdentity, s.Tags, s.TransitiveTags = identity, tags.values, tags.transitive
	if refusal := e.remember(s); refusal != nil {
		return nil, refusal
	}
	return &assumeRoleResponse{
		Credentials:      credentialsOf(s),
		AssumedRoleUser:  assumedRoleUser{Arn: s.AssumedRoleARN, AssumedRoleID: s.UserID},
		PackedPolicySize: packedSize(s.Tags), SourceIdentity: identity,
	}, nil
}

func checkRoleDuration(who *principal, role Role, duration time.Duration) *apiError {
	if who.isRoleSession() && duration > chainLimit {
		return stsRefusal(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining", "")
	}
	if duration > role.MaxSessionDuration {
		return stsRefusal(http.StatusBadRequest, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role.", "the role allows %s", role.MaxSessionDuration)
	}
	return nil
}

// chainedIdentity: once set, a source identity cannot change (IAM guide, "Monitor and control
// actions taken with assumed roles").
func chainedIdentity(who *principal, target, wanted string) (string, *apiError) {
	has := who.sourceIdentity()
	if wanted == "" || wanted == has {
		return has, nil
	}
	if refusal := checkSessionName("sourceIdentity", wanted); refusal != nil {
		return "", stsInvalid(refusal)
	}
	if has != "" {
		return "", notAuthorized(who, "sts:SetSourceIdentity", target, "the source identity is %q already", has)
	}
	return wanted, nil
}

// getSessionToken: STS reference, GetSessionToken; only with long-term keys.
func (e *Emulator) getSessionToken(who *principal, parameters map[string]string, now time.Time) (any, *apiError) {
	if who.session != nil {
		return nil, accessDenied("Cannot call GetSessionToken with session credentials", "")
	}
	duration, refusal := parseDuration(parameters, 12*time.Hour, 36*time.Hour)
	if refusal != nil {
		return nil, refusal
	}
	s := newSession(now, duration)
	s.AssumedRoleARN, s.UserID, s.Account = who.arn, who.userID, who.account
	if refusal := e.remember(s); refusal != nil {
		return nil, refusal
	}
	return &getSessionTokenResponse{Credentials: credentialsOf(s)}, nil
}

func parseDuration(parameters map[string]string, missing, most time.Duration) (time.Duration, *apiError) {
	text, ok := parameters["DurationSeconds"]
	if !ok {
		return missing, nil
	}
	seconds, err := strconv.Atoi(text)
	switch {
	case err != nil:
		return 0, stsRefusal(http.StatusBadRequest, "MalformedInput", "DurationSeconds is not a number", "%q", text)
	case seconds < int(minDuration.Seconds()):
		return 0, stsInvalid(constraint("durationSeconds", text, "have value greater than or equal to 900"))
	case seconds > int(most.Seconds()):
		return 0, stsInvalid(constraint("durationSeconds", text, fmt.Sprintf("have value less than or equal to %d", int(most.Seconds()))))
	}
	return time.Duration(seconds) * time.Second, nil
}
