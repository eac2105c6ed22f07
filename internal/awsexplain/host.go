package awsexplain

import (
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/report"
)

// judgeCertificate judges whether the ledger has the certificate of the host.
func judgeCertificate(in *Input) finding {
	h := &in.Host
	switch {
	case h.Certificate != nil && h.Newer != "":
		return warning(fmt.Sprintf("%s is not the newest of %s, which has the serial number %s", describe(h), h.Name, h.Newer),
			"the host still uses an earlier file: see which one it is configured with")
	case h.Certificate != nil:
		return ok(describe(h))
	case in.Report != nil && in.Report.Certificate != nil:
		c := in.Report.Certificate
		return failed(fmt.Sprintf("the ledger has no certificate with the serial number %s, of the issuer %q, that the host uses", c.Serial, c.Issuer),
			"it is of another CA, or was issued past this ledger: issue one here, and have the host use that").reissue(h)
	case in.Report != nil:
		return failed("the host could read no certificate: "+in.Report.first(), "correct that on the host first: kedge doctor has the command")
	}
	return failed("the ledger has no certificate of "+h.Name, "issue one, or have the host enroll with a token").run("kedge-ca issue %s", h.Name)
}

func describe(h *Host) string {
	return fmt.Sprintf("the certificate %q, serial number %s", h.Certificate.Subject, ca.SerialHex(h.Certificate))
}

// judgeState judges whether the certificate is valid.
func judgeState(in *Input) finding {
	h := &in.Host
	ends := "valid until " + report.Time(h.Certificate.NotAfter)
	switch h.State {
	case ledger.Revoked:
		return failed(fmt.Sprintf("revoked on %s: %s", report.Time(h.RevokedAt), h.Reason), "find out why; if the host may go on, issue another certificate for a new key").reissue(h)
	case ledger.Held:
		return failed("suspended on "+report.Time(h.RevokedAt), "if the reason is gone, take it back").run("kedge-ca unrevoke %s", h.Name)
	case ledger.Expired:
		seen := "expired on " + report.Time(h.Certificate.NotAfter)
		if h.Enrolled {
			return failed(seen, "renew it on the host: kedge renew --force; kedge doctor there shows why it was not renewed in time")
		}
		return failed(seen, "issue another one, and bring it to the host").reissue(h)
	case ledger.Pending:
		return failed("valid from "+report.Time(h.Certificate.NotBefore)+" on", "wait until then; if that is not meant, set the clock of the CA before it issues another one")
	case issuance.Overdue:
		return warning("it should have been renewed: "+ends, "find out on the host why it was not: kedge doctor")
	}
	return ok(ends)
}

// reissue adds the command by which the host gets another certificate. A host that enrolled keeps its key to itself: it
// gets a token.
func (f finding) reissue(h *Host) finding {
	if !h.Enrolled {
		return f.run("kedge-ca issue %s", h.Name)
	}
	f.advice += "; have it enroll with this token: kedge enroll --force --token-file FILE"
	return f.run("kedge-ca token %s --replace", h.Name)
}

// judgeRenewal judges whether the host may get another certificate. Without a valid one, that is why it has no
// credentials.
func judgeRenewal(in *Input) finding {
	h, grade := &in.Host, warning
	if h.Certificate == nil || h.State == ledger.Expired {
		grade = failed
	}
	switch {
	case h.Denied != "":
		return grade("it may neither renew nor enroll, "+h.Denied, "if that is over, allow it again").run("kedge-ca deny-renew %s --undo", h.Name)
	case h.Copied:
		return grade("another key wanted to renew a certificate of this host: there is a copy, or the host went back to an earlier one", "find out which host is the right one, and let that go on: kedge-ca resolve NAME --keep SERIAL").run("kedge-ca hosts --json")
	case h.Certificate == nil:
		return ok("nothing forbids that it enrolls")
	}
	return ok("nothing forbids it")
}

// judgeRules judges the certificate by the rules of the service.
func judgeRules(in *Input) finding {
	h := &in.Host
	for _, f := range ca.Lint(h.Certificate, h.Path) {
		if f.Severity == ca.Error {
			return failed(f.Text+" ("+f.Source+")", "issue another one without that").run("kedge-ca show %s --pem | kedge-ca lint -", h.Name)
		}
	}
	return ok("it breaks none")
}

// judgeSeen judges what AWS has seen of the host.
func judgeSeen(in *Input) finding {
	answer := in.Account.Subject
	switch s := answer.Value; {
	case answer.Denied != "":
		return lacking(answer.Denied)
	case s == nil:
		return warning("AWS has seen no request of the host that it could read", "if the checks above are ok, the cause is on the host or on the way: run kedge doctor there")
	case !s.Enabled:
		return warning("its subject is disabled at AWS; last session "+written(s.LastSeen), "find out who did it, in CloudTrail, and have it enabled in the console of IAM Roles Anywhere")
	case s.Failed:
		return warning("its last request was refused; last session "+written(s.LastSeen), "if the checks above are ok, it may have been refused before that: run kedge doctor on the host")
	default:
		return ok("last session " + written(s.LastSeen))
	}
}

func written(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return report.Time(t)
}
