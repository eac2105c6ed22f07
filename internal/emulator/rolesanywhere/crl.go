package rolesanywhere

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"strings"
	"time"

	"kedge/internal/emulator/wire"
)

// CRL is a certificate revocation list of a trust anchor's CA.
type CRL struct {
	Base           `json:",inline"`
	Data           []byte `json:"crlData"` // PEM or DER, as it was uploaded
	TrustAnchorARN string `json:"trustAnchorArn"`

	list    *x509.RevocationList
	revoked map[string]bool // decimal serials
}

func (l *CRL) copy() resource {
	c := *l
	c.Base = l.copyBase()
	return &c
}

func (l *CRL) check() error {
	if err := l.parse(KindCRL); err != nil {
		return err
	}
	list, err := ParseCRL(l.Data)
	if err != nil {
		return err
	}
	l.list, l.revoked = list, map[string]bool{}
	for _, entry := range list.RevokedCertificateEntries {
		if entry.ReasonCode != removeFromCRL {
			l.revoked[entry.SerialNumber.String()] = true
		}
	}
	return nil
}

// validateCRL makes the checks that need the trust anchor: as ImportCrl, it accepts only a list that
// the anchor's own CA signed, and two per anchor (guide, "revocation" and "quotas"). What happens to a list whose trust
// anchor is deleted or gets another CA is not documented; here it stays, can be changed, and revokes nothing. The
// caller holds s.mu.
func (s *Store) validateCRL(l *CRL) error {
	if before, ok := s.resources[KindCRL][l.ARN].(*CRL); ok && bytes.Equal(before.Data, l.Data) {
		return nil
	}
	a, ok := s.resources[KindTrustAnchor][l.TrustAnchorARN].(*TrustAnchor)
	if !ok {
		return fmt.Errorf("there is no trust anchor %s", l.TrustAnchorARN)
	}
	return s.checkNewCRL(l, a)
}

// checkNewCRL checks a list with the trust anchor whose CA must have signed it. The caller holds s.mu.
func (s *Store) checkNewCRL(l *CRL, a *TrustAnchor) error {
	if _, err := a.issuerOf(l.list); err != nil {
		return err
	}
	others := 0
	for _, other := range s.crlsOf(a.ARN) {
		if other.ARN != l.ARN {
			others++
		}
	}
	if others >= maxCRLs {
		return fmt.Errorf("it has %d CRLs already, which is the most", maxCRLs)
	}
	return nil
}

// crlsOf returns the CRLs of a trust anchor. The caller holds s.mu.
func (s *Store) crlsOf(anchor string) []*CRL {
	var lists []*CRL
	for _, r := range s.resources[KindCRL] {
		if l := r.(*CRL); l.TrustAnchorARN == anchor {
			lists = append(lists, l)
		}
	}
	return lists
}

// Revoked returns the first certificate of a verified path, leaf first, that is on an enabled CRL of
// its issuer.
func (s *Store) Revoked(a *TrustAnchor, path []*x509.Certificate) *x509.Certificate {
	s.mu.RLock()
	defer s.mu.RUnlock()
	lists := s.crlsOf(a.ARN)
	for i, cert := range path[:len(path)-1] {
		for _, l := range lists {
			issuer := s.issuers[l.ARN]
			if l.Enabled && issuer != nil && sameCA(issuer, path[i+1]) && l.revoked[cert.SerialNumber.String()] {
				return cert
			}
		}
	}
	return nil
}

// crlDetail is CrlDetail of the model.
type crlDetail struct {
	ID             string `json:"crlId"`
	ARN            string `json:"crlArn"`
	Name           string `json:"name"`
	aliases        `json:",inline"`
	Enabled        bool      `json:"enabled"`
	Data           []byte    `json:"crlData"`
	TrustAnchorARN string    `json:"trustAnchorArn"`
	CreatedAt      time.Time `json:"createdAt"`
	UpdatedAt      time.Time `json:"updatedAt"`
}

func (l *CRL) detail(previous string) any {
	return crlDetail{
		ID: l.id(), ARN: l.ARN, Name: l.Name, aliases: l.aliases(previous), Enabled: l.Enabled, Data: l.Data, TrustAnchorARN: l.TrustAnchorARN,
		CreatedAt: l.CreatedAt, UpdatedAt: l.UpdatedAt,
	}
}

func checkCRLData(data []byte) *wire.Error {
	switch {
	case len(data) == 0:
		return wire.Constraint("crlData", "", "have length greater than or equal to 1")
	case len(data) > maxCRLSize:
		return wire.Constraint("crlData", fmt.Sprintf("[%d bytes]", len(data)), fmt.Sprintf("have length less than or equal to %d", maxCRLSize))
	}
	return nil
}

func checkAnchorARN(name *string) *wire.Error {
	if name != nil && strings.Contains(*name, ":"+aliasPrefix) {
		return notFound(*name)
	}
	return anchorARNText().required("trustAnchorArn", name)
}

// importCRL takes the trust anchor's own ARN and no alias (guide, "resource-aliases"). Without enabled,
// the CRL is disabled (field reports).
func importCRL(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		Name           *string `json:"name"`
		Data           *[]byte `json:"crlData"`
		TrustAnchorARN *string `json:"trustAnchorArn"`
		Enabled        bool    `json:"enabled"`
		Tags           []Tag   `json:"tags"`
		Alias          *string `json:"aliasName"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.Data == nil {
		return nil, missing("crlData")
	}
	if refusal := first(nameText().required("name", in.Name), checkCRLData(*in.Data), checkAnchorARN(in.TrustAnchorARN), checkTags(in.Tags)); refusal != nil {
		return nil, refusal
	}
	if a := s.TrustAnchor(*in.TrustAnchorARN); a == nil || a.ARN != *in.TrustAnchorARN || !a.In(c.Caller.Account, c.Caller.Region) {
		return nil, notFound(*in.TrustAnchorARN)
	}
	l := &CRL{Base: Base{Name: *in.Name, Enabled: in.Enabled, Tags: in.Tags}, Data: *in.Data, TrustAnchorARN: *in.TrustAnchorARN}
	l.setAlias(in.Alias)
	return s.create(c, KindCRL, l)
}

func updateCRL(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		Name  *string `json:"name"`
		Data  *[]byte `json:"crlData"`
		Alias *string `json:"aliasName"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := nameText().optional("name", in.Name); refusal != nil {
		return nil, refusal
	}
	if in.Data != nil {
		if refusal := checkCRLData(*in.Data); refusal != nil {
			return nil, refusal
		}
	}
	return change(s, c, KindCRL, func(l *CRL) *wire.Error {
		l.setName(in.Name)
		l.setAlias(in.Alias)
		if in.Data != nil {
			l.Data = *in.Data
		}
		return nil
	})
}
