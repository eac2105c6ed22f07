package emulator

import (
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/iam"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// parseTrustPolicy reads a trust policy as CreateRole does. That the quota of its size is not raised
// is ours.
func parseTrustPolicy(document string) (*policy.Document, error) {
	if size := policy.Trust.Size(document); size > policy.MaxTrustSize {
		return nil, fmt.Errorf("the trust policy has %d characters without white space; %d are the most", size, policy.MaxTrustSize)
	}
	doc, err := policy.Parse(policy.Trust, []byte(document))
	if err != nil {
		return nil, fmt.Errorf("the trust policy: %w", err)
	}
	return doc, nil
}

// errTwoTrusts is a role that says twice who may assume it.
var errTwoTrusts = errors.New("a role with a trust policy has its conditions there: leave trustAnchorArns, externalId and actions out")

// parseTrust checks the trust policy of a role that has one.
func (r Role) parseTrust() error {
	if r.TrustPolicy == "" {
		return nil
	}
	_, err := parseTrustPolicy(r.TrustPolicy)
	if err == nil && (len(r.TrustAnchorARNs) > 0 || r.ExternalID != "" || len(r.Actions) > 0) {
		err = errTwoTrusts
	}
	if err != nil {
		return fmt.Errorf("role %s: %w", r.ARN, err)
	}
	return nil
}

// certificateSession is what CreateSession asks a trust policy about: the source is the anchor's own
// ARN, not the alias of the request (guide, "resource-aliases").
func certificateSession(role string, anchor arn.ARN, leaf *x509.Certificate, tags map[string]string, now time.Time) policy.CertificateSession {
	return policy.CertificateSession{
		Role: role, TrustAnchor: anchor.String(), Account: anchor.Account, Tags: tags,
		SourceIdentity: sourceIdentityOf(leaf), SessionName: serialHex(leaf), Now: now,
	}
}

// checkTrustPolicy asks the trust policy of a role. The refusal has the reasons.
func checkTrustPolicy(r *iam.Role, session policy.CertificateSession) *wire.Error {
	trust, _ := r.TrustPolicy()
	d := session.Authorize(trust)
	if d.Outcome == policy.Allowed {
		return nil
	}
	refusal := wire.Denied(textAssume, "the role's trust policy does not allow the session:")
	refusal.Reasons = refusedActions(d.Actions)
	return refusal
}

// IsMalformedPolicy reports whether an error is a policy that IAM refuses.
func IsMalformedPolicy(err error) bool {
	_, ok := errors.AsType[*policy.MalformedError](err)
	return ok
}
