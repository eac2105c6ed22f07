package awsadmin

import (
	"fmt"
	"iter"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cadir"
	"kedge/internal/emulator/policy"
)

// Reach is which hosts of a CA a trust policy gives the role.
type Reach struct {
	Names []string // common names, in the order of the ledger
	Hosts int      // that have a certificate, whether they get the role or not
}

// findings returns a warning if the ledger has hosts, and none of them gets the role. It is no error: a policy can be
// there before its hosts are.
func (r Reach) findings() []ca.Finding {
	if r.Hosts == 0 || len(r.Names) > 0 {
		return nil
	}
	text := fmt.Sprintf("none of the %d hosts in the ledger gets the role", r.Hosts)
	if r.Hosts == 1 {
		text = "the only host in the ledger does not get the role"
	}
	return []ca.Finding{{Rule: "no-host", Severity: ca.Warning, Text: text, Source: evaluation}}
}

// anyAnchor stands for a trust anchor of which nothing is known.
const anyAnchor = "arn:aws:rolesanywhere:us-east-1:111122223333:trust-anchor/00000000-0000-4000-8000-000000000000"

// Reach evaluates a trust policy for the hosts of the ledger whose certificate is valid, with the tags and
// the source identity that each certificate gives. Where the CA's trust anchors are not known, those that the
// policy names count as the CA's, and any if it names none.
func (l Linter) Reach(t *TrustDocument, hosts iter.Seq2[issuance.Host, error]) (Reach, error) {
	var r Reach
	anchors := l.Anchors
	if len(anchors) == 0 {
		anchors = t.anchors()
	}
	if len(anchors) == 0 {
		anchors = []string{anyAnchor}
	}
	for host, err := range hosts {
		if err != nil {
			return r, err
		}
		if host.State != ledger.Valid && host.State != issuance.Overdue {
			continue
		}
		r.Hosts++
		allowed, err := l.allows(t.Document, anchors, &host.Certificate)
		if err != nil {
			return r, err
		}
		if allowed {
			r.Names = append(r.Names, host.CommonName)
		}
	}
	return r, nil
}

// allows reports whether a certificate gets the role, by one of the trust anchors.
func (l Linter) allows(trust *policy.Document, anchors []string, c *ledger.Certificate) (bool, error) {
	cert, err := c.X509()
	if err != nil {
		return false, err
	}
	for _, anchor := range anchors {
		if l.decide(trust, SessionOf(cert, anchor)).Outcome == policy.Allowed {
			return true, nil
		}
	}
	return false, nil
}

// anchors returns the trust anchors that a policy names.
func (t *TrustDocument) anchors() (all []string) {
	for i := range t.Document.Statements {
		for _, c := range t.Document.Statements[i].Conditions {
			for _, value := range c.Values {
				if _, err := cadir.ParseARN(value, cadir.TrustAnchorARN); err == nil {
					all = append(all, value)
				}
			}
		}
	}
	return all
}
