package doctor

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"kedge/internal/cli"
	"kedge/internal/config"
	"kedge/internal/enrollclient"
	"kedge/internal/hostdir"
)

// The IDs of the checks of enrollment.
const (
	idEnrolled = "enrollment"
	idRenewal  = "renewal"
	idLastTry  = "last-renewal"
	idServer   = "enrollment-server"
	idTimer    = "renewal-timer"
)

func enrollmentSteps() []step {
	return []step{
		{idEnrolled, "enrollment", "", (*Examination).judgeEnrolled},
		{idRenewal, "renewal", idEnrolled, func(e *Examination, _ context.Context) *Finding { return judgeRenewal(&e.host, e.Host.Now()) }},
		{idLastTry, "last renewal", idEnrolled, func(e *Examination, _ context.Context) *Finding { return judgeLastTry(&e.host) }},
		{idServer, "enrollment server", idEnrolled, (*Examination).judgeServer},
		{idTimer, "what renews", idEnrolled, func(e *Examination, _ context.Context) *Finding {
			return judgeTimer(lookTimer(e.Root, e.host.dir), e.host.dir)
		}},
	}
}

// notEnrolled is the finding of a check of renewals where kedge renews nothing.
func notEnrolled() *Finding { return ok("kedge does not renew this certificate") }

// enrolled is the identity of an enrolled host that the certificate is of.
type enrolled struct {
	dir    string
	pair   *hostdir.Pair // nil: the certificate is of none
	status enrollclient.Status
	state  hostdir.State
	others []string // folders of other identities
	err    error    // why the folder cannot be read
}

// lookEnrolled finds the folder of the certificate.
func (e *Examination) lookEnrolled() enrolled {
	path := strings.TrimPrefix(e.Settings.Certificate, "file:")
	if absolute, err := filepath.Abs(path); err == nil && path != "" {
		path = absolute
	}
	base, err := config.StateDir(e.Environment)
	if err != nil {
		return enrolled{}
	}
	dirs, err := hostdir.List(base)
	if err != nil {
		return enrolled{dir: base, err: err}
	}
	h := enrolled{others: dirs}
	if parent := filepath.Dir(filepath.Dir(path)); !slices.Contains(dirs, parent) {
		dirs = append(slices.Clone(dirs), parent)
	}
	for _, dir := range dirs {
		certificate, _ := hostdir.Files(dir)
		if certificate != path {
			continue
		}
		h.dir = dir
		if h.pair, h.err = hostdir.Current(dir); h.err == nil {
			h.status, h.state = enrollclient.StatusOf(dir, h.pair), hostdir.ReadState(dir)
		}
		if errors.As(h.err, new(*hostdir.NotEnrolledError)) {
			h.err = nil
		}
		return h
	}
	return h
}

// enrolledFlags are the flags that use the one identity of this user; nil if there is none or several.
func (e *Examination) enrolledFlags() []string {
	if len(e.host.others) != 1 {
		return nil
	}
	pair, err := hostdir.Current(e.host.others[0])
	if err != nil || pair.Record.AWS == nil {
		return nil
	}
	return enrollclient.RoleFlags(e.host.others[0], pair)
}

func (e *Examination) judgeEnrolled(context.Context) *Finding {
	h := &e.host
	switch {
	case h.err != nil:
		return e.Advise.failure(h.err)
	case h.state.Removing != "":
		return e.Advise.failure(&enrollclient.RemovingError{Dir: h.dir}).run("kedge unenroll --dir %s", h.dir)
	case h.pair != nil:
		return ok(fmt.Sprintf("%s in %s", h.pair.Record.Name, h.dir))
	case len(h.others) > 0:
		return ok("the certificate is of none of the identities in " + strings.Join(h.others, ", "))
	}
	return ok("this user has no identity here")
}

// hasEnded reports whether the server refused to renew the certificate in use, so that only a token helps.
func (h *enrolled) hasEnded() bool {
	return h.state.Ended != nil && h.state.Ended.Serial == h.pair.Record.Serial
}

// renewNow adds the command that renews the certificate, for as long after its end as the CA allows that, which this
// host learns when it asks. Once the server refused, it is the one to enroll anew.
func (h *enrolled) renewNow(f *Finding) *Finding {
	if h.hasEnded() {
		return h.enrollAnew(f)
	}
	return f.run("kedge renew --dir %s --force", h.dir)
}

// enrollAnew adds the command for a host whose certificate is renewed no more.
func (h *enrolled) enrollAnew(f *Finding) *Finding {
	token := "this host has to enroll anew: have the operator of the CA make a token, by kedge-ca token " + h.pair.Record.Name + " --replace, and save it in a file"
	if f.Advice != "" {
		token = f.Advice + "; " + token
	}
	f.Advice = token
	return f.run("kedge enroll --force --dir %s --token-file TOKEN-FILE", h.dir)
}

// renewalDelay is how late a renewal may be before something is wrong: what renews runs every few minutes.
const renewalDelay = time.Hour

// judgeRenewal judges whether the certificate is renewed when it is due.
func judgeRenewal(h *enrolled, now time.Time) *Finding {
	if h.pair == nil {
		return notEnrolled()
	}
	seen := "due at " + h.status.RenewAt.Format(time.RFC3339)
	switch late := now.Sub(h.status.RenewAt).Round(time.Minute); {
	case h.hasEnded():
		return h.enrollAnew(failed(cli.ExitRefused, "the server renews this certificate no more: "+h.state.Ended.Reason, ""))
	case late > renewalDelay:
		f := warning(fmt.Sprintf("%s, %s ago", seen, late), "nothing renews it, or renewing fails: run it by hand to see why")
		return f.run("kedge renew --dir %s", h.dir)
	case late > 0:
		return ok(seen + ": it is about to be renewed")
	}
	return ok(seen)
}

// judgeLastTry judges how the last try to renew ended.
func judgeLastTry(h *enrolled) *Finding {
	switch {
	case h.pair == nil:
		return notEnrolled()
	case h.status.Failures == 0 || h.status.Error == "":
		return ok("nothing failed since the last one")
	}
	seen := fmt.Sprintf("%d failed, the last one at %s: %s", h.status.Failures, h.status.LastTry.Format(time.RFC3339), h.status.Error)
	return h.renewNow(warning(seen, "correct the cause, and renew"))
}

// askReady asks the enrollment server whether it can issue.
func (e *Examination) askReady(ctx context.Context) error {
	if e.host.pair == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, e.Limits.Local)
	defer cancel()
	return e.Server.Ready(ctx, e.host.pair.Record)
}

// judgeServer judges what the enrollment server answered.
func (e *Examination) judgeServer(context.Context) *Finding {
	if e.host.pair == nil {
		return notEnrolled()
	}
	if err := e.ready(); err != nil {
		f := e.Advise.failure(err)
		f.State, f.Code = Warning, cli.ExitDone // the certificate is good until its end
		return f.run("kedge renew --dir %s", e.host.dir)
	}
	return ok(e.host.pair.Record.Server + " is ready, and shows the key of the CA")
}
