package awsup

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/internal/awsaccount"
	"kedge/internal/awsplan"
	"kedge/internal/cadir"
	"kedge/signer"
	"kedge/signer/session"
)

// The times of a probe. A new role can be assumed after 2 to 30 seconds, says experience; IAM promises nothing (IAM User
// Guide, "Changes that I make are not always immediately visible").
const (
	probeSession = 15 * time.Minute // the shortest that there is
	settleTime   = time.Minute
	firstSettle  = 2 * time.Second
	maxSettle    = 10 * time.Second
	newFor       = 2 * time.Minute // how long a role counts as new
)

// ProbeError reports that a host would get no session, though the account is built.
type ProbeError struct {
	Role    string // ARN
	Name    string // of the host
	Settled bool   // it is not the first minutes of a role that was just made
	Err     error
}

func (e *ProbeError) Error() string {
	return "the account is built, but a host such as " + e.Name + " gets no session of " + e.Role + ": " + e.Err.Error()
}

// Unwrap returns the error of CreateSession.
func (e *ProbeError) Unwrap() error { return e.Err }

// Host is one whose session is tried.
type Host struct {
	Name     string
	Identity *signer.Identity
	Changed  bool // its role was changed by this run
}

// Probe makes a session as a host makes it, and discards it. While a role is new, a refusal is not believed at once.
// The error is a *ProbeError.
func (p *Planned) Probe(ctx context.Context, a *awsaccount.Account, role string, h Host) error {
	client, err := session.New(session.Config{
		TrustAnchorARN: p.Anchor, ProfileARN: p.Profile, RoleARN: role, Duration: probeSession,
		Endpoint: aws.ToString(a.RolesAnywhere.Options().BaseEndpoint), Proxy: http.ProxyFromEnvironment, Now: a.Now,
	})
	if err != nil {
		return &ProbeError{Role: role, Name: h.Name, Err: err}
	}
	settled := !h.Changed && !p.isNew(role, a.Now())
	end := a.Now().Add(settleTime)
	for wait := firstSettle; ; wait = min(2*wait, maxSettle) {
		_, err := client.CreateSession(ctx, fixed{h.Identity})
		if err == nil {
			return nil
		}
		if settled || !isSettling(err) || a.Now().Add(wait).After(end) || a.Sleep(ctx, wait) != nil {
			return &ProbeError{Role: role, Name: h.Name, Settled: settled, Err: err}
		}
	}
}

// fixed is a signer.Source of one identity.
type fixed struct{ identity *signer.Identity }

func (f fixed) Identity(context.Context) (*signer.Identity, error) { return f.identity, nil }

// isNew reports whether a role was created a moment ago, such as by a run that was interrupted.
func (p *Planned) isNew(role string, now time.Time) bool {
	for _, r := range p.Found.Roles {
		if r.ARN == role {
			return now.Sub(r.Created) < newFor
		}
	}
	return false
}

// isSettling reports whether a refusal may be over once IAM shows its changes everywhere: all others are about what IAM
// Roles Anywhere has itself.
func isSettling(err error) bool {
	refused, ok := errors.AsType[*session.APIError](err)
	return ok && (refused.Status == http.StatusForbidden || refused.Status == http.StatusNotFound)
}

// Changes returns the names of the roles that the steps change.
func (p *Planned) Changes() (roles []string) {
	for _, s := range p.Steps {
		if s.Kind == awsplan.KindRole && !slices.Contains(roles, s.Name) {
			roles = append(roles, s.Name)
		}
	}
	return roles
}

// Untried returns the ARNs of the roles that are to be tried once these steps are done: those that the steps change, and
// those of which it is not known that a session was made. built is what came of the steps; known are the ARNs that are
// kept, with those that were not tried yet.
func (p *Planned) Untried(built *Planned, known *cadir.AWS) (arns []string) {
	proven := len(p.Steps) == 0 && known.TrustAnchor == built.Anchor && known.Profile == built.Profile
	for i, arn := range built.Roles {
		if !proven || known.Roles[built.Wanted.Roles[i].Name] != arn || slices.Contains(known.Untried, arn) {
			arns = append(arns, arn)
		}
	}
	return arns
}
