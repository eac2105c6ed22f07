package rolesanywhere

import (
	"crypto/x509"
	"slices"
	"time"

	"kedge/internal/emulator/wire"
)

// TrustAnchor is a certificate authority whose certificates CreateSession accepts.
type TrustAnchor struct {
	Base          `json:",inline"`
	Source        Source                `json:"source"`
	Notifications []NotificationSetting `json:"notificationSettings,omitzero"` // that were put; the others are defaults
	CRLDP         *bool                 `json:"crlDpRevocationEnabled,omitzero"`

	certificates []*x509.Certificate
}

// Certificates returns the CA's certificates; a trust anchor of AWS Private CA has none here. They
// must not be changed.
func (a *TrustAnchor) Certificates() []*x509.Certificate { return a.certificates }

func (a *TrustAnchor) copy() resource {
	c := *a
	c.Base = a.copyBase()
	c.Notifications = slices.Clone(a.Notifications)
	return &c
}

func (a *TrustAnchor) check() error {
	if err := a.parse(KindTrustAnchor); err != nil {
		return err
	}
	var err error
	a.certificates, err = a.Source.certificates()
	return err
}

// Validate makes the checks of CreateTrustAnchor that need no other resource.
func (a *TrustAnchor) Validate() error {
	if err := a.check(); err != nil {
		return err
	}
	return checkAlias(a.Alias)
}

// anchorDetail is TrustAnchorDetail of the model.
type anchorDetail struct {
	ID            string `json:"trustAnchorId"`
	ARN           string `json:"trustAnchorArn"`
	Name          string `json:"name"`
	aliases       `json:",inline"`
	Source        Source               `json:"source"`
	Enabled       bool                 `json:"enabled"`
	Notifications []notificationDetail `json:"notificationSettings"`
	CRLDP         *bool                `json:"crlDpRevocationEnabled,omitzero"`
	CreatedAt     time.Time            `json:"createdAt"`
	UpdatedAt     time.Time            `json:"updatedAt"`
}

func (a *TrustAnchor) detail(previous string) any {
	return anchorDetail{
		ID: a.id(), ARN: a.ARN, Name: a.Name, aliases: a.aliases(previous), Source: a.Source, Enabled: a.Enabled,
		Notifications: a.notificationDetails(), CRLDP: a.CRLDP, CreatedAt: a.CreatedAt, UpdatedAt: a.UpdatedAt,
	}
}

// createTrustAnchor: without enabled, the trust anchor is disabled (field reports).
func createTrustAnchor(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		Name          *string               `json:"name"`
		Source        *Source               `json:"source"`
		Enabled       bool                  `json:"enabled"`
		Notifications []NotificationSetting `json:"notificationSettings"`
		Tags          []Tag                 `json:"tags"`
		CRLDP         *bool                 `json:"crlDpRevocationEnabled"`
		Alias         *string               `json:"aliasName"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.Source == nil {
		return nil, missing("source")
	}
	if refusal := first(nameText().required("name", in.Name), in.Source.constraints(), checkTags(in.Tags), checkNotifications(in.Notifications)); refusal != nil {
		return nil, refusal
	}
	a := &TrustAnchor{Source: *in.Source, CRLDP: in.CRLDP, Base: Base{Name: *in.Name, Enabled: in.Enabled, Tags: in.Tags}}
	a.setAlias(in.Alias)
	a.putNotifications(in.Notifications)
	return s.create(c, KindTrustAnchor, a)
}

func updateTrustAnchor(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		Name   *string `json:"name"`
		Source *Source `json:"source"`
		CRLDP  *bool   `json:"crlDpRevocationEnabled"`
		Alias  *string `json:"aliasName"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := nameText().optional("name", in.Name); refusal != nil {
		return nil, refusal
	}
	if in.Source != nil {
		if refusal := in.Source.constraints(); refusal != nil {
			return nil, refusal
		}
	}
	return change(s, c, KindTrustAnchor, func(a *TrustAnchor) *wire.Error {
		a.setName(in.Name)
		a.setAlias(in.Alias)
		if in.Source != nil {
			a.Source = *in.Source
		}
		if in.CRLDP != nil {
			a.CRLDP = in.CRLDP
		}
		return nil
	})
}
