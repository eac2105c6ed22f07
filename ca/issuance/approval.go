package issuance

import (
	"context"
	"crypto/rand"
	"iter"
	"time"

	"kedge/ca/ledger"
)

// File keeps a request for the operator: see ledger.Ledger.File.
func (s *Service) File(ctx context.Context, r ledger.Request, lifetime time.Duration) (ledger.Request, error) {
	return s.ledger.File(ctx, r, lifetime)
}

// Requests yields the requests that wait for the operator, the oldest first.
func (s *Service) Requests(ctx context.Context) iter.Seq2[ledger.Request, error] {
	return s.ledger.Requests(ctx)
}

// Decision returns the approval of a request: see ledger.Ledger.Decision.
func (s *Service) Decision(ctx context.Context, request []byte) (ledger.Token, error) {
	return s.ledger.Decision(ctx, request)
}

// Approval specifies how a request is approved.
type Approval struct {
	Lifetime time.Duration // in which the host must ask again
	Replace  bool          // it may take the name from another key, which can then renew no more
	Why      string        // for the ledger; may be empty
}

// Approve approves the request whose ID begins with a text: see ledger.Ledger.Approve.
func (s *Service) Approve(ctx context.Context, request string, a Approval) (ledger.Token, error) {
	now := s.now()
	return s.ledger.Approve(ctx, request, ledger.Approving{ID: newApprovalID(), At: now, Expires: now.Add(a.Lifetime), Replace: a.Replace, Why: a.Why})
}

// DenyRequest denies the request whose ID begins with a text, or revokes its approval: see
// ledger.Ledger.DenyRequest.
func (s *Service) DenyRequest(ctx context.Context, request, why string) (ledger.Token, error) {
	return s.ledger.DenyRequest(ctx, request, ledger.Approving{ID: newApprovalID(), At: s.now(), Why: why})
}

func newApprovalID() []byte {
	id := make([]byte, ledger.TokenIDSize)
	_, _ = rand.Read(id) // it never fails
	return id
}
