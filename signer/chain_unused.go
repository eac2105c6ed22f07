package signer

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"slices"
	"time"

	"kedge/signer/keyfile"
)

// Unused is a certificate that was given and is not sent, though it might have been.
type Unused struct {
	File            string // where it was read; empty when that is not known
	Number          int    // in the file, of one that cannot be read; else 0
	Subject, Issuer string // empty where they cannot be read
	Reason          string // why it is not sent

	// Related reports whether it has the name of a CA whose certificate a path could have. Others
	// have nothing to do with the leaf.
	Related bool
}

func (u Unused) String() string {
	if u.Number > 0 {
		text := fmt.Sprintf("%scertificate %d", inFile(u.File), u.Number)
		if u.Subject != "" {
			text += fmt.Sprintf(", %q", u.Subject)
		}
		return text + ": " + u.Reason
	}
	return fmt.Sprintf("%scertificate %q, issued by %q: %s", inFile(u.File), u.Subject, u.Issuer, u.Reason)
}

// Unused returns what was given and is not sent, related certificates first. The root at the end
// of the path is none of them. It repeats the search, which an identity in use does not need.
func (id *Identity) Unused() []Unused {
	f := newPathFinder(id.leaf, id.given, id.made)
	f.path()
	var related, others []Unused
	for _, c := range f.issuers.pool {
		reason, isRelated := f.whyUnused(c)
		u := Unused{File: c.file, Subject: name(c), Issuer: c.Issuer.String(), Reason: reason, Related: isRelated}
		switch {
		case reason == "":
		case isRelated:
			related = append(related, u)
		default:
			others = append(others, u)
		}
	}
	for _, c := range id.unreadable {
		u := f.unread(c)
		if u.Related {
			related = append(related, u)
		} else {
			others = append(others, u)
		}
	}
	return append(related, others...)
}

// unread describes a certificate that cannot be read. It matters if it has the name of an issuer on
// the path, or one that cannot be read either.
func (f *pathFinder) unread(c unreadable) Unused {
	u := Unused{File: c.file, Number: c.Number, Reason: "it cannot be read: " + c.Reason, Related: c.RawSubject == nil}
	u.Subject, u.Issuer = nameOf(c.RawSubject), nameOf(c.RawIssuer)
	for _, s := range append([]located{f.leaf}, f.best.path...) {
		u.Related = u.Related || f.issuers.key(s.RawIssuer) == f.issuers.key(c.RawSubject)
	}
	return u
}

func nameOf(raw []byte) string {
	var rdns pkix.RDNSequence
	if _, err := asn1.Unmarshal(raw, &rdns); err != nil {
		return ""
	}
	return rdns.String()
}

// TopIssuer returns the name of the CA that issued the last certificate of the path, or the leaf
// if that is alone: the trust anchor must be that CA or one below it on the path. rootGiven reports
// whether the path reaches a root that was given.
func (id *Identity) TopIssuer() (issuer string, rootGiven bool) {
	last := id.leaf
	if n := len(id.chain); n > 0 {
		last = id.chain[n-1]
	}
	return last.Issuer.String(), id.reachesRoot
}

// whyUnused returns why a certificate is not part of the path; it is empty for the leaf, for those
// that are sent, and for the roots that issued one of these.
func (f *pathFinder) whyUnused(c located) (reason string, related bool) {
	sent := append([]located{f.leaf}, f.best.path...)
	if slices.ContainsFunc(sent, func(s located) bool { return s.Equal(c.Certificate) }) {
		return "", false
	}
	for i, child := range sent {
		if f.issuers.key(child.RawIssuer) == f.issuers.key(c.RawSubject) {
			return f.whyNotIssuer(c, child, i), true
		}
	}
	for l, right := range f.issuers.checked {
		if right && l.issuer == c.Certificate && l.child != c.Certificate {
			return "it belongs to another path than the one that is sent", true
		}
	}
	if bytes.Equal(c.RawSubjectPublicKeyInfo, f.leaf.RawSubjectPublicKeyInfo) {
		return "it is another certificate of the same key", false
	}
	return "it issued none of the certificates of the path", false
}

// whyNotIssuer returns why c, which has the name of child's issuer, is not the certificate number i
// of the path.
func (f *pathFinder) whyNotIssuer(c, child located, i int) string {
	below := f.best.path[:i]
	right, known := f.issuers.checked[link{child.Certificate, c.Certificate}]
	switch {
	case tooLarge(child, c):
		return fmt.Sprintf("its key is larger than %d bits, or what it signed than %d bytes", maxIssuerRSA, maxIssuedSize)
	case !known:
		return fmt.Sprintf("the search ended after %d signatures", maxSignatures)
	case !right:
		return whyNotSigned(c, child)
	case f.issuers.isRoot(c):
		return defect(checkRoot(c, below, f.now))
	case i == maxChain:
		return fmt.Sprintf("%d intermediates are sent, and no more can be", maxChain)
	}
	return f.whyNotBest(append(slices.Clip(below), c), i)
}

// whyNotBest returns why no path that begins with path was chosen, which differs from the best one
// in its last certificate, number i.
func (f *pathFinder) whyNotBest(path []located, i int) string {
	if reason := defect(checkIssuer(f.leaf, path, f.now)); reason != "" {
		return reason
	}
	f.broken = nil
	other := f.search(path[i], path)
	switch {
	case f.issuers.exhausted || other.found && i == len(f.best.path):
		return fmt.Sprintf("the search ended after %d signatures", maxSignatures)
	case !other.found:
		return fmt.Sprintf("every path through it has a defect: %v", checkIssuer(f.leaf, f.broken, f.now))
	}
	chosen := f.search(f.best.path[i], f.best.path[:i+1])
	switch {
	case other.roots < chosen.roots:
		return "the path that is sent reaches a root that was given"
	case other.until.Before(chosen.until):
		return "the path that is sent is valid longer, until " + chosen.until.UTC().Format(time.RFC3339)
	}
	return "the path that is sent is as good"
}

func whyNotSigned(c, child located) string {
	switch {
	case keyfile.SignatureName(child.Certificate) != "":
		return fmt.Sprintf("%q is signed with %s, which is not checked", name(child), keyfile.SignatureName(child.Certificate))
	case !strongDigest(child.SignatureAlgorithm):
		return fmt.Sprintf("%q is signed with %s, which is not checked", name(child), child.SignatureAlgorithm)
	case !c.IsCA:
		return "it is not a CA (basicConstraints)"
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return "it may not sign certificates (keyUsage lacks keyCertSign)"
	}
	return fmt.Sprintf("it has the name of the CA that issued %q, but its key did not sign that", name(child))
}

// defect returns what a RuleError or a ValidityError reports of the certificate that it names.
func defect(err error) string {
	if err == nil {
		return ""
	}
	if rule, ok := errors.AsType[*RuleError](err); ok {
		return "it " + rule.Rule
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
