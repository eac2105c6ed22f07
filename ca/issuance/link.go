package issuance

import (
	"context"
	"crypto/x509"
	"fmt"

	"kedge/ca"
	"kedge/ca/ledger"
)

// Link leads those who know an older root of the CA to another: it has the name and the key of that
// root, and was signed by the older one.
type Link struct {
	Certificate *x509.Certificate
	Older       *x509.Certificate // the root that signed it
}

// Links returns the links to the root of an authority, the issuing one when the name is empty, from
// each older root that has one. A root that is being rotated out gets one here, for which its key is
// needed; a retired one issues nothing any more. After an error the links that there are are
// returned as well.
func (s *Service) Links(ctx context.Context, authority string) (links []Link, err error) {
	path, err := s.Path(ctx, authority)
	if err != nil {
		return nil, err
	}
	root := path[len(path)-1]
	roots, err := s.Roots(ctx)
	if err != nil {
		return nil, err
	}
	var failed error
	for _, older := range roots {
		if older.Name == root.Name || older.State == ledger.Next || root.State == ledger.Retired {
			continue
		}
		cert, err := s.link(ctx, older, root)
		if err != nil {
			failed = fmt.Errorf("the link from the root %q to %q: %w", older.Name, root.Name, err)
		} else if cert != nil {
			links = append(links, Link{cert, older.Certificate})
		}
	}
	return links, failed
}

// link returns the certificate of a root by an older one; nil if there is none and none is issued.
func (s *Service) link(ctx context.Context, older, root ledger.Authority) (*x509.Certificate, error) {
	like := *root.Certificate
	like.RawIssuer, like.AuthorityKeyId = older.Certificate.RawSubject, older.Certificate.SubjectKeyId
	recorded, err := s.recordedCA(ctx, &like)
	if recorded != nil || err != nil || older.State == ledger.Retired {
		return recorded, err
	}
	signer, err := s.Authority(ctx, []ledger.Authority{older})
	if err != nil {
		return nil, err
	}
	config, err := ca.ConfigOf(root.Certificate)
	if err != nil {
		return nil, err
	}
	config.Why = "link to the root " + root.Name
	prepared, err := signer.PrepareCA(root.Certificate.PublicKey, config, s.now())
	if err != nil {
		return nil, err
	}
	cert, _, err := s.IssueCA(ctx, prepared)
	return cert, err
}
