package enroll

import (
	"context"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
	"kedge/internal/est"
)

// refusal is why a request is not granted: what the host is told, and the rule that decided, for
// the log.
type refusal struct {
	code    enrollapi.Code
	rule    string
	message string
	hint    string
	device  string        // the hint for a client of EST, which has no kedge; empty: hint
	retry   time.Duration // 0: a repetition would be refused as well
	allowed []string      // the methods of HTTP, if another is refused
	err     error         // what the host is not told; nil if the message is all of it
}

func (r *refusal) Error() string {
	if r.err != nil {
		return r.err.Error()
	}
	return r.message
}

func (r *refusal) Unwrap() error { return r.err }

func refuse(code enrollapi.Code, rule, format string, args ...any) *refusal {
	return &refusal{code: code, rule: rule, message: fmt.Sprintf(format, args...)}
}

func (r *refusal) hinted(hint string) *refusal {
	r.hint = hint
	return r
}

// toDevice sets the hint for clients of EST, where hint names a command of kedge.
func (r *refusal) toDevice(hint string) *refusal {
	r.device = hint
	return r
}

// refuseMethod refuses a method of HTTP that is not one of those allowed (RFC 9110, 15.5.6).
func refuseMethod(allowed ...string) *refusal {
	r := refuse(enrollapi.MethodNotAllowed, "method", "only %s is answered here", allowed[0])
	r.allowed = allowed
	return r
}

// because keeps the error that caused a refusal, for the log.
func (r *refusal) because(err error) *refusal {
	r.err = err
	return r
}

// refusalOf returns the refusal for an error, whatever it is: the host learns of the errors in this
// table, and of others only that the CA could not issue.
func refusalOf(err error) *refusal {
	if r, ok := errors.AsType[*refusal](err); ok {
		return r
	}
	for _, row := range []func(error) *refusal{refuseToken, refuseRoom, refuseName, refuseRenewal, refuseKey} {
		if r := row(err); r != nil {
			return r.because(err)
		}
	}
	if isRequest(err) {
		return refuseRequest(err)
	}
	return unavailable(err)
}

func refuseToken(err error) *refusal {
	e, ok := errors.AsType[*ledger.TokenError](err)
	if !ok {
		return nil
	}
	if e.Approval {
		return refuseApproval(e)
	}
	again := "have the operator of the CA make another: kedge-ca token NAME"
	switch e.Why {
	case ledger.TokenUnknown, ledger.TokenSecret: // one answer for both: the ID alone, without the secret, reveals nothing
		return refuse(enrollapi.BadToken, "token-unknown", "the token is not one of this CA").hinted(again)
	case ledger.TokenExpired:
		return refuse(enrollapi.TokenExpired, "token-expired", "the token has expired").hinted(again)
	case ledger.TokenSpent:
		return refuse(enrollapi.TokenSpent, "token-spent", "the token has been used").
			hinted(fmt.Sprintf("if it was not used here, somebody else has a certificate by it: the operator of the CA revokes that with kedge-ca token revoke %x --certificates; for this host, ", e.ID) + again)
	case ledger.TokenRevoked:
		return refuse(enrollapi.TokenRevoked, "token-revoked", "the token was revoked").hinted(again)
	case ledger.TokenVoid:
		return refuse(enrollapi.TokenRevoked, "token-void", "the token was made before the CA's ledger was restored").hinted(again)
	case ledger.TokenNetwork:
		return refuse(enrollapi.WrongNetwork, "token-network", "the token cannot be used from this address")
	case ledger.TokenName:
		return refuse(enrollapi.NameNotAllowed, "token-name", "the token is not for this name, or the name has been used")
	case ledger.TokenKey:
		return refuse(enrollapi.KeyNotAllowed, "token-key", "the token is for another key")
	case ledger.TokenProfile:
		return refuse(enrollapi.NameNotAllowed, "token-profile", "the token is for another profile")
	}
	return refuse(enrollapi.BadToken, "token", "the token cannot be used").hinted(again)
}

// refuseApproval is refuseToken for the approval of a request.
func refuseApproval(e *ledger.TokenError) *refusal {
	switch e.Why {
	case ledger.TokenRevoked:
		return refuse(enrollapi.RequestDenied, "request-denied", "the operator of the CA denied the request").
			hinted("ask the operator why; kedge enroll asks again with a new key").
			toDevice("ask the operator why; a request with a new key is another request")
	case ledger.TokenSpent, ledger.TokenExpired:
		return refuse(enrollapi.RequestOver, "request-over", "the request was approved before, and its certificate has expired or was revoked").
			hinted("run the same command again: kedge enroll asks with a new key").
			toDevice("make a new key: a request with it is another request")
	case ledger.TokenName, ledger.TokenKey, ledger.TokenProfile:
		return refuse(enrollapi.NameNotAllowed, "approval-name", "the approval is for another name, key or profile")
	}
	r := refuse(enrollapi.Unavailable, "approval-gone", "the approval is gone, and has to be given again") // since the request was looked up
	r.retry = pollLeast
	return r
}

func refuseRoom(err error) *refusal {
	e, ok := errors.AsType[*ledger.TooManyRequestsError](err)
	if !ok {
		return nil
	}
	r := refuse(enrollapi.SlowDown, "requests-limit", "%v", e).hinted("the operator of the CA decides on those that wait: kedge-ca pending; then there is room")
	r.retry = pollMost
	return r
}

func refuseName(err error) *refusal {
	if e, ok := errors.AsType[*ledger.HeldError](err); ok {
		return refuse(enrollapi.Held, "held", "another key has the name %q", e.Name).
			hinted("for a new machine in its place: kedge-ca token --replace, or approve --replace; if the name is free: kedge-ca decommission, then a new token")
	}
	if e, ok := errors.AsType[*ledger.DeniedError](err); ok {
		return refuse(enrollapi.Denied, "denied", "the CA no longer gives certificates to %q", e.Name).
			hinted("the operator of the CA lifts it: kedge-ca deny-renew NAME --undo")
	}
	if e, ok := errors.AsType[*ledger.ReservedNameError](err); ok {
		return refuse(enrollapi.NameNotAllowed, "reserved", "the name %q is that of a server of the CA", e.Name)
	}
	return nil
}

func refuseRenewal(err error) *refusal {
	enroll := "have the operator of the CA make a token that replaces the key of the name, with kedge-ca token NAME --replace, and run kedge enroll --force"
	// The name may be another host's by now, as that of a copy is after kedge-ca resolve.
	apart := "if no other host has the name now, " + enroll + "; if one has, this host needs a name of its own: kedge-ca token NEW-NAME, then kedge enroll --force"
	if e, ok := errors.AsType[*ledger.GraceError](err); ok {
		return refuse(enrollapi.BeyondGrace, "beyond-grace", "the certificate %q expired too long ago, or too often", e.Presented.Subject).hinted(enroll).toDevice(tokenForDevice)
	}
	if e, ok := errors.AsType[*ledger.CloneError](err); ok {
		return refuseClone(e)
	}
	if e, ok := errors.AsType[*ledger.EndedError](err); ok {
		return refuse(enrollapi.Ended, "ended", "the certificate %q can no longer be renewed: its name was given to another key, or to nobody", e.Presented.Subject).hinted(apart).toDevice(tokenForDevice)
	}
	if e, ok := errors.AsType[*ledger.RevokedError](err); ok {
		return refuse(enrollapi.Revoked, "revoked", "the certificate %q was revoked", e.Subject).hinted(apart).toDevice(tokenForDevice)
	}
	return nil
}

// refuseClone refuses a renewal since the certificate was renewed before, with another key. Whether that was
// another host, and which of the two may go on, the operator decides.
func refuseClone(e *ledger.CloneError) *refusal {
	r := refuse(enrollapi.Clone, "clone", "the certificate %q, serial %s, was renewed on %s already, with another key than that of this request: there is a copy of this host, it was restored from a snapshot or backup, or it made a new key and still presents its old certificate, since it never got the new one or does not use it",
		e.Presented.Subject, e.Presented.Serial, rfc3339(e.Newest.IssuedAt))
	if e.Presented.Seq == e.Newest.Seq {
		r.message = fmt.Sprintf("the certificate %q, serial %s, is now renewed by one key alone, which is another: two hosts have had it", e.Presented.Subject, e.Presented.Serial)
	}
	right := fmt.Sprintf("kedge-ca resolve NAME --keep %s", e.Presented.Serial)
	return r.hinted("if this host is the right one, the operator of the CA lets it go on, and it renews by itself then: " + right + "; if it is a copy, it needs a name of its own: kedge-ca token NEW-NAME, then kedge enroll --force").
		toDevice("if the device has a newer certificate, have it present that one; if it has none and is no copy, the operator of the CA lets it go on with the key of this request: " + right + "; otherwise it needs a token as the password of HTTP Basic at " + est.SimpleEnroll + ": kedge-ca token NAME --replace, or kedge-ca token NEW-NAME for a copy")
}

func refuseKey(err error) *refusal {
	if _, ok := errors.AsType[*ledger.RevokedKeyError](err); ok {
		return refuse(enrollapi.KeyRevoked, "key-revoked", "a certificate of this key was revoked").hinted("make a new key: kedge enroll --force").
			toDevice("make a new key in the device; if its certificate is not renewed for that either, " + tokenForDevice)
	}
	return nil
}

// isRequest reports whether an error is about what a host asked for.
func isRequest(err error) bool {
	return is[*ca.ProfileError](err) || is[*ca.NameError](err) || is[*ca.SANError](err) || is[*ca.SubjectError](err) || is[*ca.LintError](err)
}

// refuseRequest refuses what a request has. Errors of package ca say what is wrong, and nothing of
// the CA but the name of a profile and constraints that stand in its certificates.
func refuseRequest(err error) *refusal {
	code, rule := enrollapi.BadRequest, "request"
	if e, ok := errors.AsType[*ca.ProfileError](err); ok {
		code, rule = enrollapi.NameNotAllowed, "profile-"+e.Key
		if e.Key == "key_types" {
			code = enrollapi.KeyNotAllowed
		}
	} else if is[*ca.NameError](err) {
		code, rule = enrollapi.NameNotAllowed, "name"
	}
	return refuse(code, rule, "%v", err)
}

// unavailableRetry is after what time a host tries again when the CA could not issue.
const unavailableRetry = 30 * time.Second

// overloadedRetry is after what time a host tries again when the server had no time for it.
const overloadedRetry = 10 * time.Second

func unavailable(err error) *refusal {
	r := refuse(enrollapi.Unavailable, "unavailable", "the CA cannot issue at this moment").because(err)
	r.retry = unavailableRetry
	if is[*ledger.BusyError](err) || isOverload(err) || errors.Is(err, context.DeadlineExceeded) {
		r.code, r.rule, r.message = enrollapi.Overloaded, "overloaded", "the CA has too much to do at this moment"
	}
	return r
}

// isOverload reports whether the key of the CA has too much to do.
func isOverload(err error) bool {
	e, ok := errors.AsType[interface {
		error
		Overloaded() bool
	}](err)
	return ok && e.Overloaded()
}

func is[T error](err error) bool {
	_, ok := errors.AsType[T](err)
	return ok
}
