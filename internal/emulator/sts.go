package emulator

import (
	"crypto/subtle"
	"fmt"
	"mime"
	"net"
	"net/http"
	"time"
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
	refuse := func(refusal *apiError) {
		e.recordRefusal(now, call, refusal)
		writeXMLError(w, refusal)
	}
	body, refusal := readBody(r, maxSTSBody)
	if refusal != nil {
		refuse(refusal)
		return
	}
	if fault.misbehave(r.Context(), w, writeXMLError) {
		e.recordFault(now, call, fault)
		return
	}
	request := newWireRequest(r, body)
	query, parameters, refusal := request.stsParameters()
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
	writeXML(w, http.StatusOK, result)
}

// stsParameters parses the query protocol: parameters in the query of a GET, or as a form in the
// body of a POST.
func (r wireRequest) stsParameters() ([]pair, map[string]string, *apiError) {
	if r.method != http.MethodGet && r.method != http.MethodPost {
		return nil, nil, stsRefusal(http.StatusMethodNotAllowed, "InvalidAction", "Only GET and POST are supported", "%s", r.method)
	}
	query, err := parseQuery(r.rawQuery)
	pairs := query
	if kind, _, _ := mime.ParseMediaType(r.header.Get("Content-Type")); err == nil && r.method == http.MethodPost && kind == "application/x-www-form-urlencoded" {
		var form []pair
		form, err = parseQuery(string(r.body))
		pairs = append(pairs[:len(pairs):len(pairs)], form...)
	}
	if err != nil {
		return nil, nil, stsRefusal(http.StatusBadRequest, "MalformedQueryString", err.Error(), "")
	}
	parameters := map[string]string{}
	for _, p := range pairs {
		if _, twice := parameters[p.name]; twice {
			return nil, nil, stsRefusal(http.StatusBadRequest, "InvalidParameterCombination", fmt.Sprintf("The parameter %q is given twice", p.name), "")
		}
		parameters[p.name] = p.value
	}
	return query, parameters, nil
}

// authenticateSTS returns the principal whose credentials signed the request. Codes and messages
// are those of STS, as the SDKs know them.
func (e *Emulator) authenticateSTS(r wireRequest, query []pair, now time.Time) (*principal, *apiError) {
	s, refusal := r.readSigned(query)
	if refusal != nil {
		return nil, refusal
	}
	who := e.find(s.auth.credential.key)
	if who == nil {
		return nil, invalidToken("the access key id %s was not issued", s.auth.credential.key)
	}
	token := ""
	if who.session != nil {
		token = who.session.sessionToken
	}
	if subtle.ConstantTimeCompare([]byte(s.token), []byte(token)) != 1 {
		return nil, invalidToken("the session token does not belong to the access key id %s", s.auth.credential.key)
	}
	if who.session != nil && !now.Before(who.session.Expiration) {
		return nil, stsRefusal(http.StatusForbidden, "ExpiredToken", "The security token included in the request is expired", "the session ended %s", who.session.Expiration.Format(time.RFC3339))
	}
	if refusal := s.check(r, now); refusal != nil {
		return nil, refusal
	}
	who.region = s.auth.credential.region
	return who, s.verify(r, who.secret)
}

func invalidToken(why string, args ...any) *apiError {
	return stsRefusal(http.StatusForbidden, "InvalidClientTokenId", "The security token included in the request is invalid.", why, args...)
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
	a, _ := parseARN(u.ARN, "iam", "user") // validated by New
	return &principal{arn: u.ARN, userID: uniqueID("AIDA", u.ARN), account: a.account, secret: u.SecretAccessKey}
}

// perform performs an action (STS reference).
func (e *Emulator) perform(who *principal, parameters map[string]string, now time.Time) (any, *apiError) {
	action, version := parameters["Action"], parameters["Version"]
	if action == "" {
		return nil, stsRefusal(http.StatusBadRequest, "MissingAction", "The request must contain the parameter Action", "")
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
	return nil, stsRefusal(http.StatusBadRequest, "InvalidAction", fmt.Sprintf("Could not find operation %s for version %s", action, version), "")
}

func accessDenied(message, why string, args ...any) *apiError {
	return stsRefusal(http.StatusForbidden, "AccessDenied", message, why, args...)
}

// stsInvalid returns a ValidationException with STS's code for it.
func stsInvalid(refusal *apiError) *apiError {
	if refusal != nil {
		refusal.code = "ValidationError"
	}
	return refusal
}
