package session

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"

	"kedge/signer"
)

// ProviderName is what Provider calls itself in aws.Credentials.Source.
const ProviderName = "RolesAnywhereProvider"

// Provider is an aws.CredentialsProvider whose credentials come from CreateSession, and from
// AssumeRole after it if it is that of a Chain. Each
// Retrieve makes a session: wrap it in aws.NewCredentialsCache with an ExpiryWindow of some
// minutes, for by default that asks for new credentials only once the old ones expired. It
// is safe for concurrent use.
type Provider struct {
	create func(context.Context, signer.Source) (*Session, error)
	source signer.Source
}

var _ aws.CredentialsProvider = (*Provider)(nil)

// NewProvider makes a Provider of sessions that c asks for, for the identity that src gives
// at each time.
func NewProvider(c *Client, src signer.Source) *Provider {
	return &Provider{create: c.CreateSession, source: src}
}

// NewChainProvider makes a Provider of sessions at the end of the chain.
func NewChainProvider(c *Chain, src signer.Source) *Provider {
	return &Provider{create: c.CreateSession, source: src}
}

// Retrieve makes a new session. The errors are those of CreateSession of the Client or Chain.
//
// Expires is by this host's clock, even a wrong one, and a minute early: that much a clock
// may be off before it counts as Skew, and credentials must not be used for too long.
func (p *Provider) Retrieve(ctx context.Context) (aws.Credentials, error) {
	s, err := p.create(ctx, p.source)
	if err != nil {
		return aws.Credentials{}, err
	}
	return aws.Credentials{
		AccessKeyID:     s.AccessKeyID,
		SecretAccessKey: s.SecretAccessKey,
		SessionToken:    s.SessionToken,
		Source:          ProviderName,
		CanExpire:       true,
		Expires:         s.Expiration.Add(-s.Skew - minSkew),
		AccountID:       s.AccountID,
	}, nil
}
