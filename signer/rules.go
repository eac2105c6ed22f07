package signer

import (
	"crypto/x509"
	"fmt"
	"time"

	"kedge/internal/dn"
)

// Limits of the service.
const (
	maxChain    = 5         // certificates in X-Amz-X509-Chain; User Guide, "Signing process", task 1
	maxLeafSize = 16 * 1024 // bytes of DER; field reports
)

const (
	trustModel     = "IAM Roles Anywhere User Guide, \"Trust model\", signature verification"
	signingProcess = "IAM Roles Anywhere User Guide, \"Signing process\""
	pathValidation = "RFC 5280, section 6.1.4"
)

// checkChain holds the intermediates against the rules, and all against the clock.
func (id *Identity) checkChain(now time.Time) error {
	for i := range id.chain {
		if err := checkIssuerRules(id.leaf, id.chain[:i+1]); err != nil {
			return err
		}
	}
	return id.CheckTime(now)
}

// checkIssuer checks the last certificate of a path, the others having passed.
func checkIssuer(leaf located, path []located, now time.Time) error {
	if err := checkIssuerRules(leaf, path); err != nil {
		return err
	}
	return checkTime(path[len(path)-1], now)
}

// checkIssuerRules is checkIssuer without the clock.
func checkIssuerRules(leaf located, path []located) error {
	last := len(path) - 1
	if len(path) > maxChain {
		return broken(leaf, signingProcess, "needs more than %d intermediates to reach its root; no more can be sent", maxChain)
	}
	if c := path[last]; !strongDigest(c.SignatureAlgorithm) {
		return broken(c, trustModel, "is signed with %s; the digest must be SHA-256 or stronger", c.SignatureAlgorithm)
	}
	return checkPathLength(path[last], path[:last])
}

// checkRoot checks a root that was given, which is not sent.
func checkRoot(root located, path []located, now time.Time) error {
	if err := checkPathLength(root, path); err != nil {
		return err
	}
	return checkTime(root, now)
}

// checkPathLength checks the path length constraint of a CA, given the intermediates below it, of
// which the self-issued do not count (RFC 5280, 4.2.1.9).
func checkPathLength(c located, below []located) error {
	limit := c.MaxPathLen
	if limit < 0 || limit == 0 && !c.MaxPathLenZero {
		return nil
	}
	n := 0
	for _, b := range below {
		if dn.Key(b.RawSubject) != dn.Key(b.RawIssuer) {
			n++
		}
	}
	if n > limit {
		return broken(c, pathValidation, "has the path length %d, and %d intermediates are below it", limit, n)
	}
	return nil
}

// CheckTime compares leaf and intermediates with the clock, and nothing else: it is what
// can change after an identity was made.
func (id *Identity) CheckTime(now time.Time) error {
	for _, c := range append([]located{id.leaf}, id.chain...) {
		if err := checkTime(c, now); err != nil {
			return err
		}
	}
	return nil
}

func checkTime(c located, now time.Time) error {
	if inTime(c, now) {
		return nil
	}
	return &ValidityError{File: c.file, Subject: name(c), NotBefore: c.NotBefore, NotAfter: c.NotAfter, Now: now}
}

// checkLeaf checks the end-entity certificate against the rules of the trust model. The error is a *RuleError.
func checkLeaf(c located) error {
	if problems := leafProblems(c); len(problems) > 0 {
		return problems[0]
	}
	return nil
}

// CheckLeaf returns every rule of the trust model that a certificate breaks, each as a *RuleError: those that
// make an identity of it fail.
func CheckLeaf(c *x509.Certificate) []error { return leafProblems(located{Certificate: c}) }

func leafProblems(c located) (problems []error) {
	add := func(isBroken bool, format string, args ...any) {
		if isBroken {
			problems = append(problems, broken(c, trustModel, format, args...))
		}
	}
	add(c.Version != 3, "has X.509 version %d; it must be version 3", c.Version)
	add(c.IsCA, "is a CA certificate; a session needs a leaf, with CA false")
	add(c.KeyUsage&x509.KeyUsageDigitalSignature == 0, "lacks the key usage digitalSignature")
	add(!strongDigest(c.SignatureAlgorithm), "is signed with %s; the digest must be SHA-256 or stronger", c.SignatureAlgorithm)
	add(emptySubject(c.RawSubject), "has an empty subject; sessions are keyed by it")
	add(len(c.Raw) > maxLeafSize, "has %d bytes; at most %d are accepted", len(c.Raw), maxLeafSize)
	return problems
}

// emptySubject checks the encoding, an empty SEQUENCE (RFC 5280, 4.1.2.6): a name made
// only of attributes that Go does not know is not empty.
func emptySubject(raw []byte) bool { return len(raw) <= 2 }

func broken(c located, source, format string, args ...any) error {
	return &RuleError{File: c.file, Subject: name(c), Rule: fmt.Sprintf(format, args...), Source: source}
}
