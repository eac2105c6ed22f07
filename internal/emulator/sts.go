package emulator

import (
	"fmt"
	"net"
	"net/http"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/wire"
)

const stsVersion = "2011-06-15" // STS reference; of the query protocol

// principal is the sender of an STS request.
type principal struct {
	arn, userID, account string
	secret               string
	session              *Session // nil for a user
	region, address      string   // what the request was signed for, and came from
}

// isRoleSession reports whether assuming a role with these credentials is role chaining.
func (p *principal) isRoleSession() bool { return p.session != nil && p.session.RoleARN != "" }

func (p *principal) sourceIdentity() string {
	if p.session == nil {
		return ""
	}
	return p.session.SourceIdentity
}

func (e *Emulator) serveSTS(w http.ResponseWriter, r *http.Request) {
	fault, call := e.begin(w, true, "STS")
	now := call.Time
	refuse := func(refusal *wire.Error) {
		e.recordRefusal(now, call, refusal)
		writeSTSError(w, refusal)
	}
	body, refusal := wire.ReadBody(r, maxSTSBody)
	if refusal != nil {
		refuse(refusal)
		return
	}
	if fault.misbehave(r.Context(), w, writeSTSError) {
		e.recordFault(now, call, fault)
		return
	}
	request := wire.NewRequest(r, body)
	query, parameters, refusal := request.Form()
	if refusal != nil {
		refuse(refusal)
		return
	}
	if action := parameters["Action"]; action != "" {
		call.Operation = action
	}
	who, refusal := e.authenticateSTS(request, query, now)
	if refusal != nil {
		refuse(refusal)
		return
	}
	who.address, _, _ = net.SplitHostPort(r.RemoteAddr)
	result, refusal := e.perform(who, parameters, now)
	if refusal != nil {
		refuse(refusal)
		return
	}
	call.Status = http.StatusOK
	e.record(call)
	e.log.entry(now, fmt.Sprintf("%s 200 for %s, source identity %q%s", call.Operation, who.arn, who.sourceIdentity(), faultNote(fault)))
	wire.WriteXML(w, http.StatusOK, result)
}

// authenticateSTS returns the principal whose credentials signed the request.
func (e *Emulator) authenticateSTS(r wire.Request, query []wire.Pair, now time.Time) (*principal, *wire.Error) {
	var who *principal
	signer, refusal := wire.Authenticator{Service: "sts", Now: now, Key: func(id string) (wire.Key, bool) {
		if who = e.find(id); who == nil {
			return wire.Key{}, false
		}
		return who.key(), true
	}}.Authenticate(r, query)
	if refusal != nil {
		return nil, refusal
	}
	who.region = signer.Region
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
		return &principal{arn: s.AssumedRoleARN, userID: s.UserID, account: s.Account, secret: s.secretAccessKey, session: s}
	}
	e.mu.RLock()
	defer e.mu.RUnlock()
	u, ok := e.users[accessKeyID]
	if !ok {
		return nil
	}
	a, _ := arn.Parse(u.ARN, "iam", "user") // validated by New
	return &principal{arn: u.ARN, userID: uniqueID("AIDA", u.ARN), account: a.Account, secret: u.SecretAccessKey}
}

// perform performs an action (STS reference).
func (e *Emulator) perform(who *principal, parameters wire.Parameters, now time.Time) (wire.XMLAnswer, *wire.Error) {
	action, version := parameters["Action"], parameters["Version"]
	if action == "" {
		return nil, wire.NewError(http.StatusBadRequest, "MissingAction", "The request must contain the parameter Action", "")
	}
	if version == stsVersion {
		switch action {
		case "GetCallerIdentity":
			return &getCallerIdentityResponse{Arn: who.arn, UserID: who.userID, Account: who.account}, nil
		case "AssumeRole":
			return e.assumeRole(who, parameters, now)
		case "GetSessionToken":
			return e.getSessionToken(who, parameters, now)
		}
	}
	if version == "" {
		version = "NO_VERSION_SPECIFIED"
	}
	return nil, wire.NewError(http.StatusBadRequest, "InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", action, version), "")
}

func accessDenied(message, why string, args ...any) *wire.Error {
	return wire.NewError(http.StatusForbidden, "AccessDenied", message, why, args...)
}
