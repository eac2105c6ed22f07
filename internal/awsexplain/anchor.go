package awsexplain

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"kedge/internal/awsplan"
	"kedge/internal/report"
)

// judgeAnchor judges whether the trust anchor is there, and is of this CA.
func judgeAnchor(in *Input) finding {
	answer := in.Account.Anchor
	switch a := answer.Value; {
	case answer.Denied != "":
		return lacking(answer.Denied)
	case a == nil:
		return in.anchorMissing()
	case !awsplan.Owns(in.Owners, a.Tags) && !in.isOurs(a):
		return failed(fmt.Sprintf("%s, %s, has neither the tag nor a certificate of this CA", a.ARN, a.Name), "configure the host with a trust anchor of this CA; kedge-ca aws status lists what there is").run("kedge-ca aws status")
	default:
		return ok(a.ARN + ", " + a.Name)
	}
}

// anchorMissing is the finding where the trust anchor is not there. Perhaps the CA has another one.
func (in *Input) anchorMissing() finding {
	seen, others := "there is no trust anchor "+in.Uses.TrustAnchor, in.Account.Others
	switch {
	case others.Value != nil && len(*others.Value) > 0:
		return failed(seen, "this CA has another one: configure the host with "+report.FirstOf(*others.Value, report.MaxNamed, len(*others.Value)))
	case others.Denied != "":
		seen += "; whether this CA has another one was not shown: these credentials may not do " + others.Denied
	}
	return failed(seen, "build it again, and configure hosts with its new ARN").build(in)
}

// isOurs reports whether a trust anchor has one of the roots of the CA.
func (in *Input) isOurs(a *awsplan.FoundAnchor) bool {
	return slices.ContainsFunc(in.Roots, func(root *x509.Certificate) bool { return has(a.Certificates, root) })
}

func has(all []*x509.Certificate, cert *x509.Certificate) bool {
	return slices.ContainsFunc(all, cert.Equal)
}

// judgeAnchorEnabled judges whether the trust anchor gives sessions.
func judgeAnchorEnabled(in *Input) finding {
	a := in.Account.Anchor.Value
	if a.Enabled {
		return ok("it is")
	}
	return failed("it is disabled: no host gets a session by it", "find out who disabled it, and why, in CloudTrail (DisableTrustAnchor); if nothing is wrong, enable it").
		run("aws rolesanywhere enable-trust-anchor --trust-anchor-id %s"+in.region(), a.ARN)
}

// judgeAnchorCertificates judges whether the trust anchor has the roots in use, and no others.
func judgeAnchorCertificates(in *Input) finding {
	a := in.Account.Anchor.Value
	if len(a.Certificates) == 0 {
		return warning("its certificates cannot be read here: it has another source, such as AWS Private CA", "see which CA it has").run("aws rolesanywhere get-trust-anchor --trust-anchor-id %s"+in.region(), a.ARN)
	}
	var missing, foreign []string
	for _, root := range in.Roots {
		if !has(a.Certificates, root) {
			missing = append(missing, root.Subject.String())
		}
	}
	for _, c := range a.Certificates {
		switch {
		case !has(in.Roots, c):
			foreign = append(foreign, c.Subject.String())
		case in.Now.After(c.NotAfter):
			return failed(fmt.Sprintf("%q has expired on %s", c.Subject, report.Time(c.NotAfter)), "rotate to another root").run("kedge-ca rotate start")
		}
	}
	switch {
	case len(missing) > 0:
		return warning("it lacks the root "+strings.Join(missing, ", "), "give it the roots in use: hosts below that root get no session").giveRoots(in)
	case len(foreign) > 0:
		return warning("it has "+strings.Join(foreign, ", ")+", which is no root of this CA in use", "whoever has that key can name hosts: give it the roots in use").giveRoots(in)
	}
	return ok(report.Count(len(a.Certificates), "certificate") + " of this CA")
}

// giveRoots adds the command that gives the trust anchor the roots in use. kedge-ca aws rotate refuses one that has none of
// them: a person decides whether it is to be of this CA.
func (f finding) giveRoots(in *Input) finding {
	a := in.Account.Anchor.Value
	if awsplan.Owns(in.Owners, a.Tags) && in.isOurs(a) {
		return f.run("kedge-ca aws rotate")
	}
	f.advice += "; see first what else uses this trust anchor"
	return f.run("kedge-ca bundle --aws-cli --trust-anchor %s | sh", a.ARN)
}

// judgePath judges whether the certificate leads to one of the trust anchor, with what hosts send along.
func judgePath(in *Input) finding {
	a, h := in.Account.Anchor.Value, &in.Host
	if len(a.Certificates) == 0 {
		return warning("the certificates of the trust anchor are not known, so the path was not checked", "compare them by hand")
	}
	roots, others := x509.NewCertPool(), x509.NewCertPool()
	for _, c := range a.Certificates {
		roots.AddCert(c)
	}
	for _, c := range h.Path {
		others.AddCert(c)
	}
	at := h.Certificate.NotBefore // that it has expired is another check
	if h.Certificate.NotAfter.After(in.Now) && in.Now.After(at) {
		at = in.Now
	}
	if _, err := h.Certificate.Verify(x509.VerifyOptions{Roots: roots, Intermediates: others, CurrentTime: at, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny}}); err != nil {
		if n := len(h.Path); n > 0 && !has(in.Roots, h.Path[n-1]) {
			return failed(fmt.Sprintf("%s is below the root %q, which is not in use any more", describe(h), h.Path[n-1].Subject), "give the host a certificate below a root in use").reissue(h)
		}
		return failed(fmt.Sprintf("%s leads to no certificate of the trust anchor: its issuer is %q", describe(h), h.Certificate.Issuer), "give the trust anchor the roots in use, or renew the host's certificate below one that it has").giveRoots(in)
	}
	if in.Report.says("untrusted signing certificate") {
		return failed("it leads to the trust anchor, and AWS did not find the path: the host does not send the intermediates", "configure the host with the file of its issuers: --intermediates NAME.chain.pem")
	}
	return ok("it leads to a certificate of the trust anchor")
}
