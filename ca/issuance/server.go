package issuance

import (
	"context"
	"crypto"

	"kedge/ca"
)

// ServerCertificate issues the certificate of an enrollment server, or of a proxy in front of one,
// with an authority, the issuing one when the name is empty. names are DNS names and addresses.
// Errors are those of Issuer and ca.Authority.PrepareServer; a name that a host has is a
// *ledger.ReservedNameError.
func (s *Service) ServerCertificate(ctx context.Context, authority string, public crypto.PublicKey, names []string) (*Issued, error) {
	i, err := s.Issuer(ctx, authority)
	if err != nil {
		return nil, err
	}
	host := ""
	if len(names) > 0 {
		host = names[0]
	}
	at := s.now()
	prepared, err := i.authority.PrepareServer(ca.ServerRequest{Public: public, Names: names, Host: host}, at)
	if err != nil {
		return nil, err
	}
	cert, err := prepared.Issue(ctx, s.ledger)
	if err != nil {
		return nil, err
	}
	return &Issued{Issued: ca.Issued{Certificate: cert, Issuer: i.authority.Certificate(), Server: true, Host: host, At: at}}, nil
}
