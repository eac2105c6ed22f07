package ledger

import (
	"encoding/hex"
	"fmt"
)

// revocationRow is a certificate's revocation: revoked_at, reason and revoked_seq.
type revocationRow struct {
	certificate int64 // its seq, where known
	values      [3]any
}

// authorityRow is a row of authorities, as the entries imply it.
type authorityRow struct {
	values []any
	seen   bool
}

// replay records what an entry implies for revocations and authorities.
func (v *verifier) replay(e *Entry) error {
	switch e.Kind {
	case kindRevoke:
		var body revokedBody
		if err := e.decode(&body); err != nil {
			return err
		}
		for _, f := range body.Fingerprints {
			v.revoked[f] = revocationRow{values: [3]any{body.At, int64(body.Reason), e.Seq}}
		}
	case kindRelease:
		return v.replayRelease(e)
	case kindAuthority:
		return v.replayAuthority(e)
	case kindList:
		return v.replayList(e)
	case kindTakeOver:
		return v.replayTakeOver(e)
	case kindImport:
		return v.replayImport(e)
	case kindToken, kindApproval, kindRequestDeny, kindTokenRevoke, kindDeny, kindDecommission, kindResolve, kindRestore:
		return v.replayEnrollment(e)
	case kindArchive:
		return v.replayArchive(e)
	case kindAbandon:
		return v.replayAbandon(e)
	case kindIssue, kindCRL: // their rows have its number
	case kindClone: // it changes nothing
	default:
		return fmt.Errorf("the kind %q is unknown", e.Kind)
	}
	return nil
}

func (v *verifier) replayRelease(e *Entry) error {
	var body releasedBody
	if err := e.decode(&body); err != nil {
		return err
	}
	for _, f := range body.Fingerprints {
		delete(v.revoked, f)
	}
	return nil
}

func (v *verifier) replayAuthority(e *Entry) error {
	var body authorityBody
	if err := e.decode(&body); err != nil {
		return err
	}
	fingerprint, err := hex.DecodeString(body.Fingerprint)
	if err != nil {
		return err
	}
	issuing := int64(0)
	if body.Issuing {
		issuing = 1
		for name, other := range v.authorities {
			if other.values[4] != int64(0) && body.From != nil && name != body.Name { // schema 1 did not set its seq
				other.values[5] = e.Seq
			}
			other.values[4] = int64(0)
		}
	}
	v.history.authorities[body.Name] = append(v.history.authorities[body.Name], string(fingerprint))
	v.authorities[body.Name] = &authorityRow{values: []any{body.Name, fingerprint, body.Parent, body.State, issuing, e.Seq}}
	return nil
}

func (v *verifier) replayList(e *Entry) error {
	var body listBody
	if err := e.decode(&body); err != nil {
		return err
	}
	return v.replayListed(e, body.By, &body.listed)
}

func (v *verifier) replayTakeOver(e *Entry) error {
	var body takeOverBody
	if err := e.decode(&body); err != nil {
		return err
	}
	return v.replayListed(e, body.By, &body.listed)
}

// replayListed records what an entry revokes for an authority.
func (v *verifier) replayListed(e *Entry, by string, l *listed) error {
	for _, c := range l.Certificates {
		v.revoked[c.Fingerprint] = revocationRow{values: [3]any{c.At, int64(c.Reason), e.Seq}}
	}
	for _, s := range l.Serials {
		serial, err := hex.DecodeString(s.Serial)
		if err != nil {
			return err
		}
		v.listed[listedKey{by, s.Serial}] = listedRow{by, serial, []any{s.At, int64(s.Reason), e.Seq}}
	}
	return nil
}

// replayImport records the revocation of an imported certificate. If a list had it before, that row
// was removed.
func (v *verifier) replayImport(e *Entry) error {
	var body issuedBody
	if err := e.decode(&body); err != nil || body.Revoked == nil {
		return err
	}
	v.revoked[body.Fingerprint] = revocationRow{values: [3]any{body.Revoked.At, int64(body.Revoked.Reason), e.Seq}}
	delete(v.listed, listedKey{body.By, body.Serial})
	return nil
}
