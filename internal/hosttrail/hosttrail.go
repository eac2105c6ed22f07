// Package hosttrail finds the hosts behind events of AWS CloudTrail: the certificates of a ledger.
package hosttrail

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"time"

	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/cloudtrail"
)

// By is what of an event led to a certificate.
type By string

// What leads to certificates, from the surest on: a certificate that signed the request; the serial number that IAM
// Roles Anywhere names a session by; the source identity, which stays for the sessions that follow; and what proves
// nothing.
const (
	ByCertificate    By = "certificate"
	BySession        By = "session name"
	BySourceIdentity By = "source identity"
	BySessionAlone   By = "session name alone" // anybody who assumes a role chooses one
	ByRefused        By = "refused request"    // anybody can send a certificate, which is public
)

// Traced is an event with a certificate of the host behind it.
type Traced struct {
	cloudtrail.Event
	By      By
	Host    *ledger.Certificate // nil: the ledger does not have Foreign
	Foreign *x509.Certificate   // that is in the request, if the ledger does not have it
}

// Tracer finds hosts. It is not safe for concurrent use.
type Tracer struct {
	// Find returns the certificates that match a query: none is no error.
	Find func(issuance.Query) ([]ledger.Certificate, error)

	found map[issuance.Query][]ledger.Certificate
	size  int // queries and certificates in found
}

// maxFound bounds what is remembered of the ledger, in queries and certificates. What one query finds is kept, whatever
// its size.
const maxFound = 10_000

// find returns the certificates of hosts that match a query.
func (t *Tracer) find(q issuance.Query) ([]ledger.Certificate, error) {
	if all, ok := t.found[q]; ok {
		return all, nil
	}
	all, err := t.Find(q)
	if err != nil {
		return nil, err
	}
	var leaves []ledger.Certificate
	for _, c := range all {
		if c.Kind == ledger.Leaf {
			leaves = append(leaves, c)
		}
	}
	size := 1 + len(leaves)
	if t.found == nil || t.size+size > maxFound {
		t.found, t.size = map[issuance.Query][]ledger.Certificate{}, 0
	}
	t.found[q] = leaves
	t.size += size
	return leaves, nil
}

// Behind returns the hosts behind an event. There are several if they have certificates of one common name, which the
// event does not tell apart, and none if nothing in the event leads to the ledger.
//
// Who assumes a role chooses the name of the session, and may choose the serial number of another host. A source
// identity cannot be changed once it is there, so a session name counts only if it is of the same host. (IAM User
// Guide, "Monitor and control actions taken with assumed roles".) IAM Roles Anywhere sets one for every session: a
// session without one is of no host.
func (t *Tracer) Behind(e cloudtrail.Event) ([]Traced, error) {
	if len(e.Certificate) > 0 {
		return t.signer(e)
	}
	var serial []ledger.Certificate
	if q, ok := issuance.SessionQuery(e.Session); ok {
		var err error
		if serial, err = t.find(q); err != nil {
			return nil, err
		}
	}
	switch {
	case e.SessionAlone:
		return traced(e, BySessionAlone, serial), nil
	case e.SourceIdentity == "":
		return nil, nil
	}
	identity, ok := issuance.SourceIdentityQuery(e.SourceIdentity)
	if !ok {
		return nil, nil // somebody else set it
	}
	named, err := t.find(identity)
	if err != nil {
		return nil, err
	}
	for _, s := range serial {
		for _, n := range named {
			if s.Seq == n.Seq {
				return traced(e, BySession, []ledger.Certificate{s}), nil
			}
		}
	}
	return traced(e, BySourceIdentity, current(named, e.Time)), nil
}

// signer returns the host whose certificate is in a request. AWS has checked the signature only of a request that it
// did not refuse.
func (t *Tracer) signer(e cloudtrail.Event) ([]Traced, error) {
	by := ByCertificate
	if e.ErrorCode != "" {
		by = ByRefused
	}
	sum := sha256.Sum256(e.Certificate)
	found, err := t.find(issuance.Query{Kind: issuance.ByFingerprint, Value: hex.EncodeToString(sum[:])})
	if err != nil || len(found) > 0 {
		return traced(e, by, found), err
	}
	cert, err := x509.ParseCertificate(e.Certificate)
	if err != nil {
		return nil, nil // nothing of it can be named
	}
	return []Traced{{Event: e, By: by, Foreign: cert}}, nil
}

func traced(e cloudtrail.Event, by By, certs []ledger.Certificate) []Traced {
	all := make([]Traced, len(certs))
	for i := range certs {
		all[i] = Traced{Event: e, By: by, Host: &certs[i]}
	}
	return all
}

// longestSession is the longest duration of a session of IAM Roles Anywhere (API reference, "CreateSession",
// durationSeconds). The credentials stay after the end of the certificate.
const longestSession = 12 * time.Hour

// current returns, of each host, the certificate that it had last at a time: what begins later was not used, nor what
// had ended before the longest session.
func current(certs []ledger.Certificate, at time.Time) []ledger.Certificate {
	var newest []ledger.Certificate
	places := map[string]int{} // in newest, by host
	for _, c := range certs {
		if c.NotBefore.After(at) || c.NotAfter.Add(longestSession).Before(at) {
			continue
		}
		i, ok := places[c.Host]
		switch {
		case !ok:
			places[c.Host] = len(newest)
			newest = append(newest, c)
		case c.NotBefore.After(newest[i].NotBefore), c.NotBefore.Equal(newest[i].NotBefore) && c.Seq > newest[i].Seq:
			newest[i] = c
		}
	}
	return newest
}
