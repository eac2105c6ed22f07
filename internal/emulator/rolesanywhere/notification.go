package rolesanywhere

import (
	"cmp"
	"fmt"
	"slices"

	"kedge/internal/emulator/wire"
)

const (
	maxNotifications = 50 // model
	channelAll       = "ALL"
	defaultThreshold = 45 // days (guide, "customize-notification-settings")
	eventCA          = "CA_CERTIFICATE_EXPIRY"
	eventLeaf        = "END_ENTITY_CERTIFICATE_EXPIRY"

	configuredByService = "rolesanywhere.amazonaws.com" // API reference, NotificationSettingDetail
)

// NotificationSetting is when and where the service warns that a certificate expires. The emulator
// keeps it, and warns of nothing.
type NotificationSetting struct {
	Enabled   *bool  `json:"enabled"`
	Event     string `json:"event"`
	Threshold *int64 `json:"threshold,omitzero"` // days
	Channel   string `json:"channel,omitzero"`
}

// notificationDetail is NotificationSettingDetail of the model.
type notificationDetail struct {
	Enabled      bool   `json:"enabled"`
	Event        string `json:"event"`
	Threshold    int64  `json:"threshold"`
	Channel      string `json:"channel"`
	ConfiguredBy string `json:"configuredBy"`
}

func checkEvent(field, event, channel string) *wire.Error {
	if event == "" {
		return missing(field + ".event")
	}
	if channel != "" {
		if refusal := checkOneOf(field+".channel", channel, channelAll); refusal != nil {
			return refusal
		}
	}
	return checkOneOf(field+".event", event, eventCA, eventLeaf)
}

// checkNotifications checks settings by the model.
func checkNotifications(settings []NotificationSetting) *wire.Error {
	if refusal := checkCount("notificationSettings", len(settings), maxNotifications); refusal != nil {
		return refusal
	}
	for i, n := range settings {
		field := fmt.Sprintf("notificationSettings.%d.member", i+1)
		if n.Enabled == nil {
			return missing(field + ".enabled")
		}
		if refusal := first(checkEvent(field, n.Event, n.Channel), checkRange(field+".threshold", n.Threshold, 1, 360)); refusal != nil {
			return refusal
		}
	}
	return nil
}

// putNotifications replaces the settings of the same event and channel.
func (a *TrustAnchor) putNotifications(settings []NotificationSetting) {
	for _, n := range settings {
		n.Channel = cmp.Or(n.Channel, channelAll)
		a.resetNotification(n.Event, n.Channel)
		a.Notifications = append(a.Notifications, n)
	}
}

func (a *TrustAnchor) resetNotification(event, channel string) {
	a.Notifications = slices.DeleteFunc(a.Notifications, func(n NotificationSetting) bool {
		return n.Event == event && n.Channel == cmp.Or(channel, channelAll)
	})
}

// notificationDetails returns a setting for every event: what was put, or the default (guide,
// "customize-notification-settings").
func (a *TrustAnchor) notificationDetails() []notificationDetail {
	var all []notificationDetail
	for _, event := range []string{eventCA, eventLeaf} {
		d := notificationDetail{Enabled: true, Event: event, Threshold: defaultThreshold, Channel: channelAll, ConfiguredBy: configuredByService}
		for _, n := range a.Notifications {
			if n.Event != event {
				continue
			}
			d.Enabled, d.ConfiguredBy = *n.Enabled, a.name.Account
			if n.Threshold != nil {
				d.Threshold = *n.Threshold
			}
		}
		all = append(all, d)
	}
	return all
}

// anchorOfBody returns the trust anchor of the notification operations: they take an id and no alias
// (guide, "resource-aliases").
func (s *Store) anchorOfBody(c *Call, id *string) (*TrustAnchor, *wire.Error) {
	if refusal := referenceText().required("trustAnchorId", id); refusal != nil {
		return nil, refusal
	}
	if _, isAlias := s.aliases[*id]; isAlias {
		return nil, notFound(*id)
	}
	c.ID = *id
	r, refusal := s.byReference(c, KindTrustAnchor)
	if refusal != nil {
		return nil, refusal
	}
	return r.(*TrustAnchor), nil
}

func putNotificationSettings(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		ID       *string                `json:"trustAnchorId"`
		Settings *[]NotificationSetting `json:"notificationSettings"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.Settings == nil {
		return nil, missing("notificationSettings")
	}
	if refusal := checkNotifications(*in.Settings); refusal != nil {
		return nil, refusal
	}
	return s.notify(c, in.ID, func(a *TrustAnchor) { a.putNotifications(*in.Settings) })
}

func resetNotificationSettings(s *Store, c *Call) (any, *wire.Error) {
	type key struct {
		Event   string `json:"event"`
		Channel string `json:"channel"`
	}
	in, refusal := decode[struct {
		ID   *string `json:"trustAnchorId"`
		Keys *[]key  `json:"notificationSettingKeys"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.Keys == nil {
		return nil, missing("notificationSettingKeys")
	}
	if refusal := checkCount("notificationSettingKeys", len(*in.Keys), maxNotifications); refusal != nil {
		return nil, refusal
	}
	for i, k := range *in.Keys {
		if refusal := checkEvent(fmt.Sprintf("notificationSettingKeys.%d.member", i+1), k.Event, k.Channel); refusal != nil {
			return nil, refusal
		}
	}
	return s.notify(c, in.ID, func(a *TrustAnchor) {
		for _, k := range *in.Keys {
			a.resetNotification(k.Event, k.Channel)
		}
	})
}

// notify changes the settings of a trust anchor.
func (s *Store) notify(c *Call, id *string, change func(*TrustAnchor)) (any, *wire.Error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	a, refusal := s.anchorOfBody(c, id)
	if refusal != nil {
		return nil, refusal
	}
	return s.edit(c, a, func(r resource) *wire.Error {
		change(r.(*TrustAnchor))
		return nil
	})
}
