package issuance

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"kedge/ca"
	"kedge/ca/ledger"
	"kedge/internal/pemread"
)

// A list is never replaced blindly. The one in its place may know of revocations that the ledger
// does not: it was made before the ledger was restored from an older backup, or by another
// program. Then a person decides what becomes of them, and the ledger keeps the decision.

// ForgottenError reports that the last CRL of an authority has revocations that the ledger lacks,
// so that it is not replaced: CRLRequest.Take adds them to the ledger, and Drop discards them.
type ForgottenError struct {
	Authority string
	Number    int64    // of that CRL
	Serials   []string // in hex, revoked by it and not by the ledger
	Where     string   // path or URL of the CRL by Config.LastList; empty: unknown
}

func (e *ForgottenError) Error() string {
	where := e.Where
	if where == "" {
		where = "the last list"
	}
	if len(e.Serials) == 0 {
		return fmt.Sprintf("%s, list %d of %q, is one that the ledger did not record", where, e.Number, e.Authority)
	}
	return fmt.Sprintf("%s, list %d of %q, has revocations that the ledger lacks: %s", where, e.Number, e.Authority, someOf(e.Serials, 10, len(e.Serials)))
}

// someOf lists the first few of total names, and counts the rest.
func someOf(names []string, most, total int) string {
	named := names[:min(most, len(names))]
	text := strings.Join(named, ", ")
	if n := total - len(named); n > 0 {
		text += fmt.Sprintf(" and %d more", n)
	}
	return text
}

// OddListError reports that the file in place of an authority's last CRL is not one: it cannot be
// parsed, or another CA signed it.
type OddListError struct {
	Authority string
	Why       string
	Where     string // as in ForgottenError
}

func (e *OddListError) Error() string {
	where := e.Where
	if where == "" {
		where = "what is in the place of the last list"
	}
	return fmt.Sprintf("%s is no list of %q: %s", where, e.Authority, e.Why)
}

// parse parses the file in place of the last CRL.
func (l *lastCRL) parse(data []byte) (*x509.RevocationList, error) {
	odd := &OddListError{Authority: l.by.Name, Where: l.place}
	list := parseList(data)
	if list == nil {
		odd.Why = "it cannot be read as a CRL; it may have been cut short"
		return nil, odd
	}
	cert := l.by.Certificate
	if cert.CheckSignature(list.SignatureAlgorithm, list.RawTBSRevocationList, list.Signature) != nil {
		odd.Why = fmt.Sprintf("the key of %q did not sign it; its issuer is %q", cert.Subject, list.Issuer)
		return nil, odd
	}
	return list, nil
}

// parseList parses a CRL in DER or PEM. It returns nil if there is none, or more than one block.
func parseList(data []byte) *x509.RevocationList {
	blocks, err := pemread.Blocks(data, pemread.Options{MaxSize: maxList})
	if err != nil || len(blocks) != 1 {
		return nil
	}
	list, err := x509.ParseRevocationList(blocks[0].DER)
	if err != nil {
		return nil
	}
	return list
}

// maxList bounds the bytes of a CRL that is read: many times what IAM Roles Anywhere accepts.
const maxList = 64 << 20

// forgotten compares a CRL with the ledger. If the ledger lacks something, the error is a
// *ForgottenError, and the returned list has it.
func (s *Service) forgotten(ctx context.Context, last *lastCRL, list *x509.RevocationList) (*ledger.ForeignList, error) {
	sum := sha256.Sum256(list.Raw)
	foreign, err := ledger.ReadList(list, last.by.Certificate, sum[:])
	if err != nil {
		return nil, &OddListError{Authority: last.by.Name, Where: last.place, Why: err.Error()}
	}
	missing, err := s.ledger.Missing(ctx, foreign, s.now())
	if err != nil || missing.None() {
		return nil, err
	}
	return &foreign, &ForgottenError{Authority: last.by.Name, Where: last.place, Number: foreign.Number, Serials: serials(missing.Revoked)}
}

func serials(all []ca.Revocation) []string {
	var words []string
	for _, r := range all {
		words = append(words, serialHex(r.Serial))
	}
	return words
}

// Forgotten returns what the last CRLs of authorities have and the ledger lacks, as far as they can
// be read: a *ForgottenError or an *OddListError for each. It changes nothing.
func (s *Service) Forgotten(ctx context.Context) (all []error, err error) {
	authorities, err := s.ledger.Authorities(ctx)
	if err != nil {
		return nil, err
	}
	for _, a := range authorities {
		_, err := s.lastCRL(ctx, a)
		if !isAboutList(err) {
			if err != nil {
				return nil, err
			}
			continue
		}
		all = append(all, err)
	}
	return all, nil
}

// ToDrop returns what [CRLRequest].Drop would discard of the authorities' CRLs, to be confirmed by
// the user. It changes nothing.
func (s *Service) ToDrop(ctx context.Context, authorities []ledger.Authority) (all []*ForgottenError, err error) {
	for _, a := range authorities {
		_, err := s.lastCRL(ctx, a)
		if forgotten, ok := errors.AsType[*ForgottenError](err); ok {
			all = append(all, forgotten)
		} else if err != nil && !isAboutList(err) {
			return nil, err
		}
	}
	return all, nil
}

// isAboutList reports whether an error is about the CRL to be replaced.
func isAboutList(err error) bool {
	_, forgotten := errors.AsType[*ForgottenError](err)
	_, odd := errors.AsType[*OddListError](err)
	return forgotten || odd
}

// decide takes or drops the revocations that the ledger lacks.
func (s *Service) decide(ctx context.Context, last *lastCRL, err error, r CRLRequest) (*lastCRL, error) {
	if _, ok := errors.AsType[*ForgottenError](err); !ok || !r.Take && !r.Drop {
		return last, err
	}
	record := s.ledger.TakeList
	if r.Drop {
		record = s.ledger.DropList
	}
	if err := record(ctx, *last.foreign, r.Why); err != nil {
		return nil, err
	}
	return s.lastCRL(ctx, last.by)
}

// signedHere returns the authority whose key signed a certificate.
func (s *Service) signedHere(ctx context.Context, cert *x509.Certificate) (a ledger.Authority, ok bool, err error) {
	return s.searchAuthority(ctx, func(a ledger.Authority) bool {
		return string(cert.RawIssuer) == string(a.Certificate.RawSubject) &&
			a.Certificate.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature) == nil
	})
}

// unknownIn returns the certificate of a file if this CA signed it and the ledger does not have it:
// its Seq is 0.
func (s *Service) unknownIn(ctx context.Context, file string) (*ledger.Certificate, error) {
	cert, err := s.readFile(file)
	if err != nil {
		return nil, err
	}
	a, ok, err := s.signedHere(ctx, cert)
	if err != nil || !ok {
		return nil, err
	}
	c := ledger.Describe(cert)
	key := ca.KeyHash(a.Certificate)
	c.IssuerKey = key[:]
	return &c, nil
}

// takeIn records certificates that the ledger does not have, as revoked.
func (s *Service) takeIn(ctx context.Context, certs []ledger.Certificate, r ledger.Revocation) error {
	var all []ledger.Import
	for _, c := range certs {
		cert, err := c.X509()
		if err != nil {
			return err
		}
		a, ok, err := s.signedHere(ctx, cert)
		if err == nil && !ok {
			err = fmt.Errorf("the certificate %q (SHA-256 %s) is not one of this CA", c.Subject, hex.EncodeToString(c.Fingerprint))
		}
		if err != nil {
			return err
		}
		all = append(all, ledger.Import{Issued: ca.Issued{Certificate: cert, Issuer: a.Certificate, Why: r.Why, At: s.now()},
			Revoked: &ca.Revocation{At: r.At, Reason: r.Reason}})
	}
	_, err := s.ledger.Import(ctx, "", all) // what is revoked is not looked for in the archive
	return err
}
