package signer

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"time"
)

// Unused is a certificate that was given and is not sent, though it might have been.
type Unused struct {
	File            string // where it was read; empty when that is not known
	Subject, Issuer string
	Reason          string // why it is not sent

	// Related reports whether it has the name of a CA whose certificate a path could have. Others
	// have nothing to do with the leaf.
	Related bool
}

func (u Unused) String() string {
	return fmt.Sprintf("%scertificate %q, issued by %q: %s", inFile(u.File), u.Subject, u.Issuer, u.Reason)
}

// Unused returns what was given and is not sent, related certificates first. The root at the end
// of the path is none of them.
func (id *Identity) Unused() []Unused {
	var related, others []Unused
	for _, c := range id.search.issuers.pool {
		reason, isRelated := id.search.whyUnused(c, id.chain)
		if reason == "" {
			continue
		}
		u := Unused{File: c.file, Subject: name(c), Issuer: c.Issuer.String(), Reason: reason, Related: isRelated}
		if isRelated {
			related = append(related, u)
		} else {
			others = append(others, u)
		}
	}
	return append(related, others...)
}

// TopIssuer returns the name of the CA that issued the last certificate of the path, or the leaf
// if it is alone: the trust anchor must be that CA, or one on the path. rootGiven reports whether
// the path ends at a root that was given.
func (id *Identity) TopIssuer() (issuer string, rootGiven bool) {
	last := id.leaf
	if n := len(id.chain); n > 0 {
		last = id.chain[n-1]
	}
	return last.Issuer.String(), id.search.best.roots > 0
}

// whyUnused returns why a certificate is not part of the path; it is empty for the leaf, for those
// that are sent, and for the roots that issued one of these.
func (f *pathFinder) whyUnused(c located, path []located) (reason string, related bool) {
	sent := append([]located{f.leaf}, path...)
	for i, child := range sent {
		if child.Equal(c.Certificate) {
			return "", false
		}
		if f.issuers.key(child.RawIssuer) != f.issuers.key(c.RawSubject) {
			continue
		}
		return f.whyNotIssuer(c, child, path[:i]), true
	}
	for l, right := range f.issuers.checked {
		if right && l.issuer == c.Certificate && l.child != c.Certificate {
			return "it is on another path, and " + f.whyOtherPath(), true
		}
	}
	if bytes.Equal(c.RawSubjectPublicKeyInfo, f.leaf.RawSubjectPublicKeyInfo) {
		return "it is another certificate of the same key", false
	}
	return "it did not issue any certificate of the path", false
}

// whyNotIssuer returns why c, which has the name of child's issuer, is not the next on the path.
func (f *pathFinder) whyNotIssuer(c, child located, below []located) string {
	right, known := f.issuers.checked[link{child.Certificate, c.Certificate}]
	switch {
	case tooLarge(child, c):
		return fmt.Sprintf("its key is larger than %d bits, or what it signed than %d bytes", maxIssuerRSA, maxIssuedSize)
	case !known:
		return fmt.Sprintf("the search ended after %d signatures", maxSignatures)
	case !right:
		return whyNotSigned(c, child)
	case f.issuers.checked[link{c.Certificate, c.Certificate}]:
		return defect(checkRoot(c, below, f.now))
	}
	if reason := defect(checkIssuer(f.leaf, append(slices.Clip(below), c), f.now)); reason != "" {
		return reason
	}
	return f.whyOtherPath()
}

func whyNotSigned(c, child located) string {
	switch {
	case !strongDigest(child.SignatureAlgorithm):
		return fmt.Sprintf("%q is signed with %s, which is not checked", name(child), child.SignatureAlgorithm)
	case !c.IsCA:
		return "it is not a CA (basicConstraints)"
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return "it may not sign certificates (keyUsage lacks keyCertSign)"
	}
	return fmt.Sprintf("it has the name of the CA that issued %q, but its key did not sign that", name(child))
}

// whyOtherPath returns why the path that was chosen is better than others that could be used.
func (f *pathFinder) whyOtherPath() string {
	if f.best.roots > 0 {
		return "the path that is sent reaches a root that was given"
	}
	if f.best.until.IsZero() {
		return "none of its paths can be used"
	}
	return "the path that is sent is valid longer, until " + f.best.until.UTC().Format(time.DateOnly)
}

// defect returns what a RuleError or a ValidityError says of the certificate that it names.
func defect(err error) string {
	if err == nil {
		return ""
	}
	if rule, ok := errors.AsType[*RuleError](err); ok {
		return "the certificate " + rule.Rule
	}
	validity, ok := errors.AsType[*ValidityError](err)
	switch {
	case !ok:
		return err.Error()
	case validity.Expired():
		return "it expired at " + validity.NotAfter.UTC().Format(time.RFC3339)
	}
	return "it is not valid before " + validity.NotBefore.UTC().Format(time.RFC3339)
}
