package awsexplain

import (
	"bytes"
	"crypto/x509"
	"fmt"

	"kedge/ca/ledger"
	"kedge/internal/report"
)

// removeFromCRL is the reason by which a delta list takes an entry back (RFC 5280, 5.3.1).
const removeFromCRL = 8

// judgeRevoked judges whether the host's certificate, or one above it, is on a list that counts.
func judgeRevoked(in *Input) finding {
	answer, h := in.Account.Lists, &in.Host
	if answer.Denied != "" {
		return lacking(answer.Denied)
	}
	path := append([]*x509.Certificate{h.Certificate}, h.Path...)
	disabled := ""
	for i, cert := range path[:len(path)-1] {
		for _, l := range *answer.Value {
			switch {
			case !l.revokes(cert, path[i+1]):
			case !l.Enabled:
				disabled = l.ARN
			case i > 0:
				return failed(fmt.Sprintf("the authority %q is on %s", cert.Subject, l.describe()), "issue the certificates of its hosts by another authority").run("kedge-ca status")
			default:
				return in.revokedBy(l)
			}
		}
	}
	if disabled != "" {
		return warning("it is on "+disabled+", which is disabled, and so revokes nothing", "before that list is enabled, see whether the host should be on it")
	}
	return ok("it is on none of " + report.Count(len(*answer.Value), "list"))
}

// revokedBy is the finding for a host that is on a list. The ledger decides whether it should be.
func (in *Input) revokedBy(l List) finding {
	h := &in.Host
	seen := "it is on " + l.describe()
	switch {
	case h.State == ledger.Revoked:
		return failed(seen+", as in the ledger", "see the state of the certificate above")
	case h.State == ledger.Held:
		return failed(seen+", as in the ledger", "once the hold is taken back, make the next list, and push it").push()
	case l.number() > h.List:
		return failed(fmt.Sprintf("%s, and not revoked in the ledger, whose last list is %d", seen, h.List), "the ledger is behind, such as after a restore: take the list into it, and issue another certificate").
			run("kedge-ca aws crl push --take-list").reissue(h)
	}
	return failed(seen+", and not revoked in the ledger", "make the next list, and push it").push()
}

func (f finding) push() finding { return f.run("kedge-ca crl").run("kedge-ca aws crl push") }

// revokes reports whether a certificate is on the list of its issuer.
func (l List) revokes(cert, issuer *x509.Certificate) bool {
	if l.Parsed == nil || !bytes.Equal(l.Parsed.RawIssuer, issuer.RawSubject) || l.Parsed.CheckSignatureFrom(issuer) != nil {
		return false
	}
	for _, e := range l.Parsed.RevokedCertificateEntries {
		if e.SerialNumber.Cmp(cert.SerialNumber) == 0 && e.ReasonCode != removeFromCRL {
			return true
		}
	}
	return false
}

func (l List) number() int64 {
	if l.Parsed == nil || l.Parsed.Number == nil || !l.Parsed.Number.IsInt64() {
		return 0
	}
	return l.Parsed.Number.Int64()
}

func (l List) describe() string {
	return fmt.Sprintf("list %d of %q at AWS, %s", l.number(), l.Parsed.Issuer, l.ARN)
}

// judgeLists judges whether the lists do what they are for. None of it keeps credentials from a host that is on no list.
func judgeLists(in *Input) finding {
	answer := in.Account.Lists
	if answer.Denied != "" {
		return lacking(answer.Denied)
	}
	for _, l := range *answer.Value {
		switch {
		case l.Parsed == nil:
			return warning(l.ARN+" cannot be read", "see what it is").run("aws rolesanywhere get-crl --crl-id %s"+in.region(), l.ARN)
		case !l.Enabled:
			return warning(l.describe()+", is disabled: hosts on it get sessions", "if nobody meant that, enable it").run("aws rolesanywhere enable-crl --crl-id %s"+in.region(), l.ARN)
		case l.Parsed.NextUpdate.Before(in.Now):
			return warning(fmt.Sprintf("%s, was to be replaced by %s", l.describe(), report.Time(l.Parsed.NextUpdate)), "make the next list, and push it").push()
		}
	}
	if n := len(*answer.Value); n > 0 {
		return ok(report.Count(n, "list") + ", enabled and current")
	}
	return ok("there is none")
}
