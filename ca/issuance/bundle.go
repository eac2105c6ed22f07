package issuance

import (
	"context"
	"encoding/pem"
	"fmt"
	"strings"

	"kedge/ca/ledger"
)

// The limits of a trust anchor: IAM Roles Anywhere User Guide, "Quotas", and API Reference,
// SourceData, x509CertificateData.
const (
	MaxAnchors     = 2    // certificates
	MaxAnchorChars = 8000 // of their PEM
)

// Anchors returns the roots in use, which belong in the trust anchor, or the named authority only.
func (s *Service) Anchors(ctx context.Context, name string) ([]ledger.Authority, error) {
	if name != "" {
		path, err := s.Path(ctx, name)
		if err != nil {
			return nil, err
		}
		return path[:1], nil
	}
	r, err := s.Rotation(ctx)
	if err != nil {
		return nil, err
	}
	return r.Roots(), nil
}

// AnchorSizeError reports that certificates do not fit into one trust anchor.
type AnchorSizeError struct {
	Names []string
	Size  int // characters
}

func (e *AnchorSizeError) Error() string {
	return fmt.Sprintf("the PEM of %s has %d characters; a trust anchor takes %d at most", strings.Join(e.Names, " and "), e.Size, MaxAnchorChars)
}

// AnchorPEM encodes the certificates of a trust anchor. If the service would refuse them, it also
// returns an *AnchorSizeError.
func AnchorPEM(anchors ...ledger.Authority) ([]byte, error) {
	var text []byte
	tooLarge := &AnchorSizeError{}
	for _, a := range anchors {
		text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.Certificate.Raw})...)
		tooLarge.Names = append(tooLarge.Names, a.Name)
	}
	if tooLarge.Size = len(text); tooLarge.Size > MaxAnchorChars {
		return nil, tooLarge
	}
	return text, nil
}
