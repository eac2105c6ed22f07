package emulator

import (
	"cmp"
	"fmt"
	"net/http"
	"strings"
	"time"

	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/wire"
)

const stsVersion = "2011-06-15" // STS reference; of the query protocol

// principal is the sender of a request: a user, or a session of a role or of a user.
type principal struct {
	wire.Caller
	secret  string
	session *Session  // nil for a user
	tags    []iam.Tag // of the user, or of the session's role
}

// isRoleSession reports whether assuming a role with these credentials is role chaining.
func (p *principal) isRoleSession() bool { return p.session != nil && p.session.RoleARN != "" }

func (p *principal) sourceIdentity() string {
	if p.session == nil {
		return ""
	}
	return p.session.SourceIdentity
}

// originSubject returns that of trusted identity propagation, which goes on to the sessions that are made with these
// credentials (IAM guide, "Trusted identity propagation with IAM").
func (p *principal) originSubject() string {
	if p.session == nil {
		return ""
	}
	return p.session.OriginSubject
}

// identify returns the principal whose credentials signed the request for a service.
func (e *Emulator) identify(r wire.Request, query []wire.Pair, service string, now time.Time) (*principal, *wire.Error) {
	var who *principal
	signer, refusal := wire.Authenticator{Service: service, Now: now, Key: func(id string) (wire.Key, bool) {
		if who = e.find(id); who == nil {
			return wire.Key{}, false
		}
		return who.key(), true
	}}.Authenticate(r, query)
	if refusal != nil {
		return nil, refusal
	}
	who.Region, who.AccessKeyID = signer.Region, signer.Key
	return who, nil
}

// key returns the access key of the principal.
func (p *principal) key() wire.Key {
	if p.session == nil {
		return wire.Key{Secret: p.secret}
	}
	return wire.Key{Secret: p.secret, Token: p.session.sessionToken, Expiration: p.session.Expiration}
}

func (e *Emulator) find(accessKeyID string) *principal {
	if s := e.sessions.find(accessKeyID); s != nil {
		return e.holder(s)
	}
	k, ok := e.iam.Key(accessKeyID)
	if !ok {
		return nil
	}
	return &principal{Caller: wire.Caller{ARN: k.User.ARN, UserID: k.User.ID, Account: k.Account}, secret: k.Secret, tags: k.User.Tags}
}

// holder returns the principal of a session; nil if its role or user does not exist any more. A new one of the same name is
// another one (IAM guide, "Unique identifiers"). That the token is invalid then, and not just without rights, is ours.
func (e *Emulator) holder(s *Session) *principal {
	id, _, _ := strings.Cut(s.UserID, ":")
	identity, ok := e.iam.Identity(cmp.Or(s.RoleARN, s.AssumedRoleARN))
	if !ok || identity.ID != id {
		return nil
	}
	caller := wire.Caller{ARN: s.AssumedRoleARN, UserID: s.UserID, Account: s.Account, Role: s.RoleARN}
	return &principal{Caller: caller, secret: s.secretAccessKey, session: s, tags: identity.Tags}
}

// stsOperation performs one operation of STS.
type stsOperation func(*Emulator, *principal, wire.Parameters, time.Time) (wire.XMLAnswer, *wire.Error)

// stsOperations returns the operations of STS by their names.
func stsOperations() map[string]stsOperation {
	return map[string]stsOperation{
		"AssumeRole": (*Emulator).assumeRole, "GetCallerIdentity": (*Emulator).getCallerIdentity, "GetSessionToken": (*Emulator).getSessionToken,
	}
}

// stsMembers returns the parameters of an operation (STS reference), without those that are secrets: the code of a device and
// the assertions of identity providers.
func stsMembers(operation string) (names []string, ok bool) {
	names, ok = map[string][]string{
		"AssumeRole": {
			"RoleArn", "RoleSessionName", "PolicyArns.member.N.arn", "Policy", "DurationSeconds", "Tags.member.N.Key", "Tags.member.N.Value",
			"TransitiveTagKeys.member.N", "ExternalId", "SerialNumber", "SourceIdentity", "ProvidedContexts.member.N.ProviderArn",
			"MinimumSessionTokenSize",
		},
		"GetCallerIdentity": {},
		"GetSessionToken":   {"DurationSeconds", "SerialNumber", "MinimumSessionTokenSize"},
	}[operation]
	return names, ok
}

// performSTS performs an action of STS (STS reference).
func (e *Emulator) performSTS(who *principal, parameters wire.Parameters, now time.Time) (wire.XMLAnswer, *wire.Error) {
	action, version := parameters["Action"], parameters["Version"]
	if perform := stsOperations()[action]; perform != nil && version == stsVersion {
		return perform(e, who, parameters, now)
	}
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	return nil, wire.NewError(http.StatusBadRequest, "InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", action, version), "")
}

// getCallerIdentity: STS reference, GetCallerIdentity.
func (e *Emulator) getCallerIdentity(who *principal, _ wire.Parameters, _ time.Time) (wire.XMLAnswer, *wire.Error) {
	return &getCallerIdentityResponse{Arn: who.ARN, UserID: who.UserID, Account: who.Account}, nil
}

func accessDenied(message, why string, args ...any) *wire.Error {
	return wire.NewError(http.StatusForbidden, "AccessDenied", message, why, args...)
}
