package enroll

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"
	"time"

	"kedge/ca"
	"kedge/ca/issuance"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// identity is the host that a proof has shown.
type identity struct {
	proof   string // ca.ProofToken, ca.ProofApproval or ca.ProofRenewal
	profile string
	only    string // the profile of the label of EST at which it asks; empty: any

	// Of a token or an approval.
	token           ledger.Token // without an ID for a request on which nobody has decided
	secret, request []byte       // the SHA-256 of what was presented

	// Of a certificate.
	old  ledger.Certificate
	leaf *x509.Certificate // nil for a token or an approval
}

// byToken returns the identity of a token. The sender learns nothing of a token whose secret it does
// not have; all other rules of tokens are those of the ledger's transaction.
func (s *Server) byToken(ctx context.Context, c *call, t enrollapi.TokenProof) (*identity, error) {
	c.proof = ca.ProofToken
	token, err := s.service.Presented(ctx, ca.Enrollment{Token: t.ID, Secret: t.Secret.Hash()})
	if err != nil {
		return nil, err
	}
	return &identity{proof: ca.ProofToken, profile: token.Profile, token: token, secret: t.Secret.Hash()}, nil
}

// byPossession returns the identity of a certificate whose key has signed the body of a request for
// a path. The certificate is the ledger's, found by the hash of what was sent: nothing of what was
// sent is believed. Whether it may still be renewed is for the ledger's transaction.
func (s *Server) byPossession(ctx context.Context, c *call, p enrollapi.Proof, body []byte) (*identity, error) {
	c.proof = ca.ProofRenewal
	old, leaf, err := s.known(ctx, p.Leaf)
	if err != nil {
		return nil, err
	}
	if err := s.limitOver(c, old); err != nil {
		return nil, err
	}
	signed, err := p.Possession(c.path, leaf, body)
	if err != nil {
		return nil, refuseAs("proof", err)
	}
	if err := s.checkAudience(ctx, signed.Audience); err != nil {
		return nil, err
	}
	if err := signed.Verify(p.Signature); err != nil {
		return nil, refuse(enrollapi.BadSignature, "signature", "the signature is not one of the key of the certificate over this request").because(err)
	}
	if now := s.now(); now.Sub(signed.At).Abs() > enrollapi.MaxSkew {
		return nil, refuse(enrollapi.Clock, "clock", "the request was signed at %s, and it is %s: the clocks may differ by %v", rfc3339(signed.At), rfc3339(now), enrollapi.MaxSkew).
			hinted("set the clock of the host; kedge signs again by the time of this answer")
	}
	c.name, c.old, c.due = old.CommonName, old.Serial, c.renews && isDue(old, c.begun)
	return &identity{proof: ca.ProofRenewal, profile: old.Profile, old: old, leaf: leaf}, nil
}

// known returns the leaf in the ledger that has exactly these bytes. One with its serial number and
// issuer is another.
func (s *Server) known(ctx context.Context, der []byte) (ledger.Certificate, *x509.Certificate, error) {
	sum := sha256.Sum256(der)
	old, err := s.service.Certificate(ctx, sum[:])
	if _, ok := errors.AsType[*ledger.NotFoundError](err); ok || err == nil && old.Kind != ledger.Leaf {
		return old, nil, refuse(enrollapi.UnknownCertificate, "unknown-certificate", "the CA does not know the certificate").
			hinted("it is of another CA, or the CA has lost it: get a token and run kedge enroll --force").
			toDevice("it is of another CA, or the CA has lost it: " + tokenForDevice).because(err)
	}
	if err != nil {
		return old, nil, err
	}
	leaf, err := old.X509()
	return old, leaf, err
}

// checkAudience checks that a signature was made for this CA: for the key of one of its roots,
// retired ones too, since a host may have been off during a whole rotation.
func (s *Server) checkAudience(ctx context.Context, audience [sha256.Size]byte) error {
	if own := s.certificate.Load(); own != nil && pin(own.root()) == audience {
		return nil
	}
	roots, err := s.service.Roots(ctx)
	if err != nil {
		return err
	}
	for _, root := range roots {
		if pin(root.Certificate) == audience {
			return nil
		}
	}
	return refuse(enrollapi.WrongCA, "audience", "the request was signed for another CA")
}

// pin is what hosts know a CA by: the hash of its root's key.
func pin(root *x509.Certificate) [sha256.Size]byte {
	return sha256.Sum256(root.RawSubjectPublicKeyInfo)
}

// given is a certificate that a host gets, and the CAs between it and the root, the issuer first.
type given struct {
	*issuance.Issued
	chain []*x509.Certificate
	root  *x509.Certificate
}

// givenBy is a certificate with those above it, from its issuer's to the root's.
func givenBy(issued *issuance.Issued, path []*x509.Certificate) *given {
	last := len(path) - 1
	return &given{issued, path[:last], path[last]}
}

// admit applies the policy, the same for every proof: it returns what the identity may get of a
// certificate request.
func (t *Terms) admit(c *call, id *identity, csrDER []byte) (policy Policy, csr *x509.CertificateRequest, request ca.Request, err error) {
	c.profile = id.profile
	if policy, err = t.policy(id); err == nil {
		csr, err = parseRequest(csrDER)
	}
	if err == nil {
		request, err = policy.request(id, csr, c.from)
	}
	if err != nil {
		return policy, nil, request, err
	}
	c.setKey(csr)
	if id.leaf == nil {
		c.name = request.Name
	}
	return policy, csr, request, nil
}

// issue is the end of the pipeline for every proof: policy, then the hook, then the ledger.
func (s *Server) issue(ctx context.Context, c *call, id *identity, csrDER []byte, place string) (*given, error) {
	terms := s.terms.Load()
	policy, csr, request, err := terms.admit(c, id, csrDER)
	if err != nil {
		return nil, err
	}
	if err := s.limitHost(c, id); err != nil {
		return nil, err
	}
	proof := ca.Enrollment{Proof: id.proof, Token: id.token.ID, Secret: id.secret, Request: id.request, Address: c.from, KeyPlace: place}
	if request.Longest, proof.Hook, err = policy.ask(ctx, c, question(c, id, csr, request, place)); err != nil {
		return nil, err
	}
	issuer, err := s.service.Issuer(ctx, terms.Issuer)
	if err != nil {
		return nil, err
	}
	var issued *issuance.Issued
	if id.leaf == nil {
		issued, err = issuer.Enroll(ctx, issuance.Enrolling{Enrollment: proof, Presented: id.token, Profile: policy.Profile, Request: request})
	} else if proof.Grace, err = s.grace(ctx, policy, id.old); err == nil {
		issued, err = issuer.Renew(ctx, policy.renewal(id, proof, request))
	}
	if err != nil {
		return nil, err
	}
	if !issued.Again {
		return givenBy(issued, pathOf(issuer.Authority())), nil
	}
	path, err := s.service.PathOf(ctx, issued.Certificate) // another authority may issue now
	if err != nil {
		return nil, err
	}
	return givenBy(issued, path), nil
}

// renewal is that of an identity's certificate, for the key of a request.
func (p Policy) renewal(id *identity, proof ca.Enrollment, r ca.Request) issuance.Renewal {
	proof.Recoveries = p.Recoveries
	return issuance.Renewal{Old: id.old, Enrollment: &proof, Renewal: ca.Renewal{Profile: p.Profile, Public: r.Public, Longest: r.Longest, Host: id.old.Host}}
}

// grace returns how long after its end a certificate can be renewed. Where its key is was stated when
// it was issued; what a host states now, which may be a thief with a copied file, does not count.
func (s *Server) grace(ctx context.Context, p Policy, old ledger.Certificate) (time.Duration, error) {
	if !s.now().After(old.NotAfter) {
		return p.Grace, nil
	}
	place, err := s.service.KeyPlace(ctx, old)
	return p.grace(place), err
}

// parseRequest parses a PKCS#10 in DER, and no other form.
func parseRequest(der []byte) (*x509.CertificateRequest, error) {
	const sequence = 0x30
	if len(der) == 0 || der[0] != sequence {
		return nil, refuse(enrollapi.BadRequest, "request-form", "the certificate request must be PKCS#10 in DER")
	}
	csr, err := ca.ParseCSR(der)
	if err != nil {
		return nil, refuse(enrollapi.BadRequest, "request-form", "%v", err)
	}
	if len(csr.Raw) != len(der) {
		return nil, refuse(enrollapi.BadRequest, "request-form", "there is more than a certificate request")
	}
	return csr, nil
}

// checkPlace refuses a word that is none for the place of a key.
func checkPlace(place string) error {
	switch place {
	case "", ca.KeyInFile, ca.KeyInTPM, ca.KeyInPKCS11:
		return nil
	}
	return refuse(enrollapi.BadRequest, "key-place", "the place of a key is %s, %s or %s", ca.KeyInFile, ca.KeyInTPM, ca.KeyInPKCS11)
}

// refuseAs is the refusal for an *enrollapi.Error that a message is at fault.
func refuseAs(rule string, err error) error {
	if e, ok := errors.AsType[*enrollapi.Error](err); ok {
		return &refusal{code: e.Code, rule: rule, message: e.Message, hint: e.Hint}
	}
	return fmt.Errorf("%s: %w", rule, err)
}
