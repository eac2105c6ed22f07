package takeover

import (
	"fmt"
	"time"

	"kedge/ca"
)

// place is a file, by its position in reader.files, and a line of it.
type place struct{ file, line int32 }

// revocation is a revocation as kept in memory. Times are in Unix seconds, 0 if unknown.
type revocation struct {
	at, expires int64
	reason      ca.Reason
	place       place
	subject     string // from index.txt
}

// addFile keeps the name of an index or CRL.
func (r *reader) addFile(path string) int32 {
	r.files = append(r.files, path)
	return int32(len(r.files) - 1)
}

func (r *reader) placeName(p place) string {
	if p.line == 0 {
		return r.files[p.file]
	}
	return fmt.Sprintf("%s:%d", r.files[p.file], p.line)
}

// revoke merges a revocation with those of other sources. It takes the earlier time and the graver
// reason, so that no certificate is trusted that must not be.
func (r *reader) revoke(s serial, n revocation) {
	old, ok := r.revoked[s]
	if !ok {
		r.revoked[s] = &n
		return
	}
	// A CRL of version 1 has no reasons: a missing one is no disagreement.
	unlike := old.reason != n.reason && old.reason != ca.Unspecified && n.reason != ca.Unspecified
	if old.at != n.at || unlike {
		r.skip(Doubt, r.files[n.place.file], int(n.place.line), fmt.Sprintf(
			"the certificate %s is revoked here at %s (%s), in %s at %s (%s); the earlier time and the graver reason are taken",
			s, rfc3339(n.at), n.reason, r.placeName(old.place), rfc3339(old.at), old.reason))
	}
	old.at = min(old.at, n.at)
	if gravity(n.reason) > gravity(old.reason) {
		old.reason = n.reason
	}
	if old.expires == 0 {
		old.expires, old.subject = n.expires, n.subject
	}
}

// gravity orders reasons by severity. A hold is last: it can be undone, the others cannot.
func gravity(reason ca.Reason) int {
	switch reason {
	case ca.CertificateHold:
		return 0
	case ca.Unspecified:
		return 1
	case ca.Superseded, ca.CessationOfOperation, ca.AffiliationChanged:
		return 2
	case ca.PrivilegeWithdrawn:
		return 3
	case ca.AACompromise:
		return 4
	case ca.KeyCompromise:
		return 5
	case ca.CACompromise:
		return 6
	}
	return -1
}

// public returns the exported form, or nil for nil.
func (r *reader) public(n *revocation) *Revocation {
	if n == nil {
		return nil
	}
	return &Revocation{At: time.Unix(n.at, 0).UTC(), Reason: n.reason, From: r.placeName(n.place)}
}

func rfc3339(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }
