package doctor

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/cli"
	"kedge/internal/role"
	"kedge/signer/session"
)

// The IDs of the checks of the session.
const (
	idSession  = "session"
	idCaller   = "caller-identity"
	idRole     = "role"
	idDuration = "session-duration"
)

func sessionSteps() []step {
	return []step{
		{idSession, "session", idAnswer + " " + idPair + " " + idRules + " " + idValidity + " " + idPath, (*Examination).judgeCreate},
		{idCaller, "caller identity", idSession, (*Examination).judgeCaller},
		{idRole, "role of the session", idCaller, func(e *Examination, _ context.Context) *Finding {
			return judgeRole(e.session.arn, e.Settings.FinalRole())
		}},
		{idDuration, "duration of the session", idSession, func(e *Examination, _ context.Context) *Finding { return judgeDuration(e.session.lasts, e.wanted()) }},
	}
}

// created is the session that was made.
type created struct {
	credentials aws.Credentials
	lasts       time.Duration
	arn         string // of the caller, as STS says; empty: not known
}

// judgeCreate makes the session.
func (e *Examination) judgeCreate(ctx context.Context) *Finding {
	limit := min(e.Limits.Session, e.time.left())
	silent := &session.NetworkError{Host: e.service.host(), Attempts: 1, Err: context.DeadlineExceeded}
	ctx, cancel := context.WithTimeoutCause(ctx, limit, &session.TimeoutError{Limit: limit, Attempts: 1, Err: silent})
	defer cancel()
	c, err := e.pair.role.Retrieve(ctx)
	if err != nil {
		return e.judgeRefusal(err)
	}
	e.session = created{credentials: c, lasts: c.Expires.Sub(e.Host.Now())}
	return ok("one was made, and is used for the next checks alone")
}

// judgeRefusal is the finding where there is no session.
func (e *Examination) judgeRefusal(err error) *Finding {
	f := e.Advise.failure(err)
	refusal, refused := errors.AsType[*session.APIError](err)
	if !refused {
		return f
	}
	e.refusal = &Refusal{Status: refusal.Status, Code: refusal.Code, Message: refusal.Message, RequestID: refusal.RequestID}
	return e.withRemedy(f, refusal)
}

// withRemedy adds the command for the causes that have one. Most are for an administrator of the account. None
// lets more in than the words say first.
func (e *Examination) withRemedy(f *Finding, refusal *session.APIError) *Finding {
	s, message := &e.Settings, strings.ToLower(refusal.Message)
	says := func(text string) bool { return strings.Contains(message, text) }
	id := func(arn string) string { return arn[strings.LastIndexByte(arn, '/')+1:] }
	region := "--region=" + e.service.way.Region()
	switch {
	case refusal.RoleARN != "":
		return f
	case says("trust anchor wasn't found"):
		return byOperator(mayBeDisabled(f, "trust-anchor", id(s.TrustAnchor), region))
	case says("invalid or empty profile"):
		return byOperator(mayBeDisabled(f, "profile", id(s.Profile), region))
	case says("listed in the profile"): // the other roles stay: nothing is changed if they cannot be read
		return f.run(`roles=$(aws rolesanywhere get-profile --profile-id %s --query profile.roleArns --output text %s) && aws rolesanywhere update-profile --profile-id %s --role-arns %s $(echo "$roles") %s`, id(s.Profile), region, id(s.Profile), s.Role, region)
	case says("exceeds the maxsessionduration"):
		return f.run("aws iam update-role --role-name %s --max-session-duration %s", id(s.Role), fmt.Sprint(s.Seconds))
	case says("unable to assume role"):
		f.Advice = "see whether the role is there; if so, " + f.Advice + "; this session would have the source identity " + sourceIdentity(e.leaf) + " and the tags " + listTags(sessionTags(e.leaf))
		return byOperator(f).run("aws iam get-role --role-name %s", id(s.Role)) // a new policy for this host would take the role from others
	case says("untrusted signing certificate"):
		return byOperator(f).run("aws rolesanywhere get-trust-anchor --trust-anchor-id %s %s", id(s.TrustAnchor), region)
	case says("revoked") && e.host.pair != nil:
		return e.host.enrollAnew(f)
	case says("revoked"):
		return e.issueAgain(f)
	}
	return f
}

// byOperator adds how the operator of a CA of kedge finds a cause that AWS alone can see.
func byOperator(f *Finding) *Finding {
	f.Advice += "; where the CA is, `kedge-ca aws explain --report report.json` names the cause, with what `kedge doctor --json > report.json` writes here"
	return f
}

// mayBeDisabled adds the command that shows whether a trust anchor or a profile is disabled. The one that enables
// it is in the words alone: it may have been disabled because a key was stolen.
func mayBeDisabled(f *Finding, kind, id, region string) *Finding {
	f.run("aws rolesanywhere get-"+kind+" --"+kind+"-id %s %s", id, region)
	f.Advice += "; if it shows \"enabled\": false, find out why it was disabled; `aws rolesanywhere enable-" + kind + "` with the same options enables it"
	return f
}

// judgeCaller asks STS whose the session is.
func (e *Examination) judgeCaller(ctx context.Context) *Finding {
	ctx, cancel := e.within(ctx, e.Limits.STS)
	defer cancel()
	arn, asked, err := e.service.way.Caller(ctx, e.stsEndpoint(), e.session.credentials)
	if err == nil {
		e.session.arn = arn
		return ok(arn)
	}
	if refusal, ok := errors.AsType[*session.APIError](err); ok && refusal.Status < http.StatusInternalServerError && !refusal.Throttled() {
		return failed(cli.ExitRefused, "STS at "+asked+" does not take the session: "+err.Error(), "see whether that is the STS of the account: name another with --sts-endpoint")
	}
	hint := e.Advise(err).Hint
	if asked == "" {
		return warning("STS was not asked: "+err.Error(), cmp.Or(hint, "correct --sts-endpoint"))
	}
	return warning("STS at "+asked+" gave no answer: "+err.Error(), hint)
}

// stsEndpoint is the address of STS, as for the other commands: the one that is given, else the region's. For a
// service on this machine it is that of the service, as an emulator has both. Variables do not change it: the
// session's token is sent there.
func (e *Examination) stsEndpoint() string {
	if e.Settings.STSEndpoint != "" {
		return e.Settings.STSEndpoint
	}
	if u, err := url.Parse(e.Settings.Endpoint); err == nil && isLoopback(u.Hostname()) {
		return e.Settings.Endpoint
	}
	return ""
}

// judgeRole judges whether the caller is the role that was asked for.
func judgeRole(arn, want string) *Finding {
	if arn == "" {
		return blocked(idCaller)
	}
	wanted, _ := session.ParseARN(want)
	got, _ := session.ParseARN(arn)
	name := wanted.Resource[strings.LastIndexByte(wanted.Resource, '/')+1:]
	if got.Account != wanted.Account || !strings.HasPrefix(got.Resource, "assumed-role/"+name+"/") {
		return failed(cli.ExitFailed, fmt.Sprintf("%s is no session of %s", arn, want), "see which endpoint --endpoint and --sts-endpoint lead to")
	}
	return ok("it is of " + want)
}

// wanted is the duration that the session should have: that of the last role if some are assumed.
func (e *Examination) wanted() time.Duration {
	s := &e.Settings
	seconds := s.Seconds
	if len(s.Assumed) > 0 {
		seconds = min(seconds, role.MaxChained)
		if s.AssumeSeconds != 0 {
			seconds = s.AssumeSeconds
		}
	}
	return time.Duration(seconds) * time.Second
}

// judgeDuration compares what there is with what was asked for.
func judgeDuration(lasts, want time.Duration) *Finding {
	seen := fmt.Sprintf("%s, of %s that were asked for", lasts.Round(time.Minute), want)
	switch {
	case lasts <= 15*time.Minute+time.Minute && want > 20*time.Minute:
		return warning(seen, "programs renew such a session all the time: raise the duration of the profile")
	case lasts < want-5*time.Minute:
		return warning(seen, "the profile gives no more: raise its duration, or lower --session-duration")
	}
	return ok(want.String() + ", as it was asked for")
}
