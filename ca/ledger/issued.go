package ledger

import (
	"context"
	"time"

	"kedge/ca"
)

// Receipt is the result of recording a certificate.
type Receipt struct {
	Seq int64 // of its entry
	At  time.Time
	// Ended are the valid certificates of the same name and another key. They can no longer be
	// renewed, and stay valid until they expire or are revoked. At most the last maxEnded.
	Ended []Certificate
}

const maxEnded = 20

// RecordIssued is Record without the receipt: it makes a Ledger a [ca.Recorder].
func (l *Ledger) RecordIssued(ctx context.Context, i ca.Issued) error {
	_, err := l.Record(ctx, i)
	return err
}

// Record records a certificate that was just signed and has not left the process, if the rules of
// the ledger allow it: see rules.go. When it returns nil, the record is on disk. A serial number
// that the issuer has used before is a *DuplicateError. After an error nothing is written, except
// the entry of a *CloneError.
//
// A leaf without a host is recorded for the host with its name. Concurrent calls share a
// transaction. Once ctx is done, Record returns: the certificate may be recorded, and must not be
// used.
func (l *Ledger) Record(ctx context.Context, i ca.Issued) (Receipt, error) {
	r, err := newRecord(i)
	if err != nil {
		return Receipt{}, err
	}
	j := &job{record: r}
	if r.row.Kind == Server { // the rules of leaves in the same batch must see its names
		return aloneFor(ctx, l, func(ctx context.Context, t *transaction) (Receipt, error) {
			err := t.insertOne(ctx, j)
			return j.receipt, err
		})
	}
	if err := l.writer.submit(ctx, j); err != nil {
		return Receipt{}, l.noteClone(ctx, err, r.enrollment)
	}
	return j.receipt, nil
}

// issuedBody is the entry of a certificate. The certificate itself is stored beside the chain,
// which has its fingerprint; serial and subject are for people who read the entry.
type issuedBody struct {
	Fingerprint string `json:"fingerprint"`
	Serial      string `json:"serial"`
	Subject     string `json:"subject"`
	Host        string `json:"host,omitempty"`
	Profile     string `json:"profile,omitempty"`
	Why         string `json:"why,omitempty"`
	Replaces    string `json:"replaces,omitempty"`

	By         string       `json:"by,omitempty"`          // the authority that signed it; absent for a root, and in schema 1
	RevokedKey bool         `json:"revoked_key,omitempty"` // the operator allowed a key that has a revoked certificate
	Revoked    *revokedThen `json:"revoked,omitempty"`     // of an import
	// Late is set for an import that had expired, of a name that had a later certificate: it gets no lineage.
	Late bool `json:"late,omitempty"`

	Server   bool   `json:"server,omitempty"` // it is the certificate of an enrollment server
	Probe    bool   `json:"probe,omitempty"`  // it is the certificate of a probe
	Proof    string `json:"proof,omitempty"`  // of a host; absent if the operator issued it
	Token    string `json:"token,omitempty"`  // its ID, or that of the approval
	KeyPlace string `json:"key_place,omitempty"`
	Address  string `json:"address,omitempty"` // of the host
	Hook     string `json:"hook,omitempty"`    // what a policy hook said
}

// revokedThen is a revocation from before the certificate was in the ledger.
type revokedThen struct {
	At     int64     `json:"at"` // microseconds
	Reason ca.Reason `json:"reason"`
}

// forGood reports whether there was a revocation that cannot be released.
func (r *revokedThen) forGood() bool { return r != nil && r.Reason != ca.CertificateHold }

// outweighs reports whether the ledger's revocation takes precedence over the one of an import: a
// permanent one over a hold, and a compromise over other reasons.
func (r *revokedThen) outweighs(other *revokedThen) bool {
	return !other.forGood() || r.Reason == ca.KeyCompromise || r.Reason == ca.CACompromise
}
