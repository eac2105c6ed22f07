package enroll

import (
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"net/http"
	"strings"
	"time"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/enrollapi"
)

// The rules of requests that wait, in the log.
const (
	ruleWaits      = "waits"       // it is new
	ruleWaitsStill = "waits-still" // it was sent again; only in the log for debugging
)

// maxNames bounds the alternative names of a request that waits, in bytes.
const maxNames = 2048

// request answers a host without a token: with a certificate once the operator has approved, until then
// that it waits. The same policy as for tokens decides what is asked of the operator at all.
func (s *Server) request(ctx context.Context, c *call, r *http.Request) (any, error) {
	var body enrollapi.ApprovalRequest
	if err := read(r, &body); err != nil {
		return nil, err
	}
	if err := checkPlace(body.KeyPlace); err != nil {
		return nil, err
	}
	id, err := s.byApproval(ctx, c, body)
	if err != nil {
		return nil, err
	}
	if id.token.ID == nil {
		return s.await(ctx, c, id, body.Request, body.KeyPlace)
	}
	return s.certify(ctx, c, id, body.Request, body.KeyPlace)
}

// byApproval returns the identity of a request: what was approved, or is to be. The sender need not
// show anything else, since the answer is of use only with the key that signed the request.
func (s *Server) byApproval(ctx context.Context, c *call, body enrollapi.ApprovalRequest) (*identity, error) {
	c.proof = ca.ProofApproval
	csr, err := parseRequest(body.Request)
	if err != nil {
		return nil, err
	}
	return s.decided(ctx, c, csr, waiting{enrollapi.RequestID(csr, body.Profile), body.Profile})
}

// waiting is a request for approval: its ID, and the profile that it names, which may be empty.
type waiting struct {
	id      [sha256.Size]byte
	profile string
}

// decided returns the identity of a request for approval, without a token if nobody has decided on it.
func (s *Server) decided(ctx context.Context, c *call, csr *x509.CertificateRequest, w waiting) (*identity, error) {
	c.proof, c.request = ca.ProofApproval, hex.EncodeToString(w.id[:])
	c.setKey(csr)
	profile := cmp.Or(w.profile, s.terms.Load().Default)
	token, err := s.service.Decision(ctx, w.id[:])
	if e, ok := errors.AsType[*ledger.TokenError](err); ok && e.Why == ledger.TokenUnknown {
		return &identity{proof: ca.ProofApproval, profile: profile, request: w.id[:]}, nil
	}
	if len(token.Names) > 0 {
		c.name, c.profile = token.Names[0], token.Profile
	}
	if err != nil {
		return nil, err
	}
	return &identity{proof: ca.ProofApproval, profile: token.Profile, token: token, request: w.id[:]}, nil
}

// await keeps a request for the operator, if it could be granted.
func (s *Server) await(ctx context.Context, c *call, id *identity, csrDER []byte, place string) (*enrollapi.Waiting, error) {
	terms := s.terms.Load()
	policy, _, request, err := terms.admit(c, id, csrDER)
	if err != nil {
		return nil, err
	}
	issuer, err := s.service.Issuer(ctx, terms.Issuer)
	if err != nil {
		return nil, err
	}
	if _, err := issuer.Prepare(policy.Profile, request); err != nil {
		return nil, err
	}
	waits := asked(c, id, policy.Profile, request, place)
	if len(strings.Join(waits.SANs, "")) > maxNames {
		return nil, refuse(enrollapi.BadRequest, "request", "the alternative names have more than %d bytes, which nobody would read", maxNames)
	}
	filed, err := s.service.File(ctx, waits, policy.Wait)
	if err != nil {
		return nil, err
	}
	c.rule = ruleWaitsStill
	if filed.New {
		c.rule = ruleWaits
	}
	return &enrollapi.Waiting{ID: c.request, PollAfter: int64(poll(s.now().Sub(filed.At)) / time.Second)}, nil
}

// asked is what the operator is shown of a request.
func asked(c *call, id *identity, profile *ca.Profile, r ca.Request, place string) ledger.Request {
	key := ca.KeyHash(&x509.Certificate{PublicKey: r.Public})
	out := ledger.Request{ID: id.request, Name: profile.CommonName(r.Name), Profile: id.profile, KeyHash: key[:], KeyPlace: place, Address: c.from}
	for _, dns := range r.DNS {
		out.SANs = append(out.SANs, "DNS:"+dns)
	}
	for _, u := range r.URIs {
		out.SANs = append(out.SANs, "URI:"+u.String())
	}
	for _, ip := range r.IPs {
		out.SANs = append(out.SANs, "IP:"+ip.String())
	}
	return out
}

// How soon a host asks again.
const (
	pollLeast = 5 * time.Second
	pollMost  = time.Minute
)

// poll returns when a host asks again that has waited for a time: so that it is not late by more than a
// tenth of that, and a fleet that waits for days asks once a minute.
func poll(waited time.Duration) time.Duration {
	return min(max(waited/10, pollLeast), pollMost).Truncate(time.Second)
}
