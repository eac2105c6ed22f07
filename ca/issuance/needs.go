package issuance

import (
	"errors"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
)

// When a renewal or a new CRL is reported as needed.
const (
	// authorityNotice is the remaining time, at most, at which an authority should be renewed; a
	// fifth of its lifetime if that is shorter.
	authorityNotice = 90 * 24 * time.Hour
	// listNotice is the remaining part of a CRL's validity at which it should be renewed, as a
	// divisor: a quarter.
	listNotice = 4
)

// needs lists what the operator should do about an authority.
func (a *AuthorityStatus) needs(notBefore, now time.Time) []string {
	if now.After(a.NotAfter) {
		if a.State == ledger.Retired {
			return nil
		}
		return []string{fmt.Sprintf("the certificate of %s expired on %s: %s", a.Name, rfc3339(a.NotAfter), a.remedy())}
	}
	var all []string
	if notice := min(authorityNotice, a.NotAfter.Sub(notBefore)/5); a.State != ledger.Retired && now.Add(notice).After(a.NotAfter) {
		all = append(all, fmt.Sprintf("the certificate of %s expires on %s: %s", a.Name, rfc3339(a.NotAfter), a.remedy()))
	}
	if now.Before(notBefore) {
		all = append(all, fmt.Sprintf("the certificate of %s is valid from %s only: wait, or check the clock of this host", a.Name, rfc3339(notBefore)))
	}
	if a.Issuing && a.CertificateRevoked {
		all = append(all, fmt.Sprintf("the certificate of %s, which issues, or one above it is revoked: kedge-ca intermediate NAME makes another", a.Name))
	}
	if a.Issuing && !a.KeyHere {
		all = append(all, fmt.Sprintf("the key of %s, which issues, is not here: bring it back, as %s.key, or %s.key-uri where it is elsewhere", a.Name, a.Name, a.Name))
	}
	return append(all, a.listNeeds(now)...)
}

func (a *AuthorityStatus) remedy() string {
	if a.Kind == ledger.Root {
		return "kedge-ca rotate start"
	}
	return "kedge-ca renew --authority " + a.Name
}

// listNeeds lists what the operator should do about the CRL of an authority. One that never revoked
// anything needs no CRL.
func (a *AuthorityStatus) listNeeds(now time.Time) []string {
	var all []string
	command := "kedge-ca crl --issuer " + a.Name
	if !a.KeyHere {
		command += ", where its key is"
	}
	if a.aboutList != nil {
		all = append(all, listNeed(a.aboutList, command))
	}
	if a.Unlisted > 0 {
		all = append(all, fmt.Sprintf("the list of %s is behind by %d: %s, and import it", a.Name, a.Unlisted, command))
	}
	if a.CRL == nil {
		return all
	}
	due := a.CRL.NextUpdate.Add(-a.CRL.NextUpdate.Sub(a.CRL.ThisUpdate) / listNotice)
	if now.After(due) && a.Unlisted == 0 {
		all = append(all, fmt.Sprintf("the list of %s is good until %s: %s, and import it", a.Name, rfc3339(a.CRL.NextUpdate), command))
	}
	if size := pemSize(a.CRL.Size); size > ca.MaxCRLSize*4/5 {
		all = append(all, fmt.Sprintf("the list of %s has about %d of the %d bytes that IAM Roles Anywhere takes: rotate to a new CA, or issue for shorter times", a.Name, size, ca.MaxCRLSize))
	}
	return all
}

// listNeed returns what to do about a CRL that must not be replaced as it is.
func listNeed(about error, command string) string {
	if _, odd := errors.AsType[*OddListError](about); odd {
		return fmt.Sprintf("%v: move it away", about)
	}
	return fmt.Sprintf("%v: %s --take-list", about, command)
}

// pemSize estimates the size of DER as PEM: lines of 64 characters and their ends.
func pemSize(der int64) int64 { return der * 4 / 3 * 65 / 64 }
