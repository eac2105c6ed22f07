package certinfo

import (
	"encoding/hex"
	"fmt"
	"iter"
	"time"

	"kedge/ca/issuance"
	"kedge/internal/report"
)

// Host is a host in JSON documents, and in lists.
type Host struct {
	Name       string     `json:"name"`
	Profile    string     `json:"profile,omitempty"`
	State      string     `json:"state"`
	Proof      string     `json:"proof"` // token, renewal or operator
	KeyPlace   string     `json:"key_place,omitempty"`
	Address    string     `json:"address,omitempty"`
	Serial     string     `json:"serial"`
	Subject    string     `json:"subject"`
	IssuedAt   time.Time  `json:"issued_at"`
	NotAfter   time.Time  `json:"not_after"`
	RenewAfter time.Time  `json:"renew_after"`
	LastSeen   *time.Time `json:"last_seen,omitempty"`  // unknown of hosts that never asked a server
	Version    string     `json:"version,omitempty"`    // of kedge on the host, by its word
	Recoveries int        `json:"recoveries,omitempty"` // renewals after the end
	Denied     *Denied    `json:"denied,omitempty"`
	Clones     []Clone    `json:"clones,omitempty"`
}

// Denied is since when a host gets no more certificates.
type Denied struct {
	At  time.Time `json:"at"`
	Why string    `json:"why,omitempty"`
}

// Clone is a renewal that was refused, since another key has the newest certificate.
type Clone struct {
	At        time.Time `json:"at"`
	Presented string    `json:"presented"` // the fingerprint of the older certificate
	Serial    string    `json:"presented_serial,omitempty"`
	Key       string    `json:"key"` // the SHA-256 of the key that wanted the next one
	NewestKey string    `json:"newest_key"`
	Address   string    `json:"address,omitempty"`
}

// HostOf describes a host.
func HostOf(h issuance.Host) Host {
	d := Host{
		Name: h.CommonName, Profile: h.Profile, State: h.State, Proof: "operator", Serial: h.Serial, Subject: h.Subject,
		IssuedAt: h.IssuedAt, NotAfter: h.NotAfter, RenewAfter: h.Due, Recoveries: h.Recoveries,
	}
	if e := h.Enrollment; e != nil {
		d.Proof, d.KeyPlace = e.Proof, e.KeyPlace
		if e.Address.IsValid() {
			d.Address = e.Address.String()
		}
	}
	if !h.Seen.IsZero() {
		d.LastSeen = &h.Seen
	}
	if h.Contact != nil {
		d.Version = h.Contact.Version
	}
	if h.Denied != nil {
		d.Denied = &Denied{h.Denied.At, h.Denied.Why}
	}
	for _, c := range h.Clones {
		clone := Clone{At: c.At, Presented: hex.EncodeToString(c.Presented), Serial: c.Serial, Key: hex.EncodeToString(c.Key), NewestKey: hex.EncodeToString(h.KeyHash)}
		if c.Address.IsValid() {
			clone.Address = c.Address.String()
		}
		d.Clones = append(d.Clones, clone)
	}
	return d
}

// Hosts describes hosts, only the late ones if those are asked for. They come first.
func Hosts(hosts iter.Seq2[issuance.Host, error], late bool) iter.Seq2[Host, error] {
	return func(yield func(Host, error) bool) {
		for h, err := range hosts {
			if err == nil && late && !h.Late() {
				return
			}
			if !yield(HostOf(h), err) || err != nil {
				return
			}
		}
	}
}

// HostListing returns how hosts are written.
func HostListing() report.Listing[Host] {
	columns := []report.Column[Host]{
		{Head: "NAME", Value: func(h Host) string { return h.Name }},
		{Head: "PROFILE", Value: func(h Host) string { return h.Profile }},
		{Head: "PROOF", Value: func(h Host) string { return h.Proof }},
		{Head: "STATE", Value: func(h Host) string { return h.State }},
		{Head: "SERIAL", Value: func(h Host) string { return h.Serial }},
		{Head: "NOT AFTER", Value: func(h Host) string { return report.Time(h.NotAfter) }},
		{Head: "RENEW AFTER", Value: func(h Host) string { return report.Time(h.RenewAfter) }},
		{Head: "LAST SEEN", Value: Host.lastSeen},
		{Head: "VERSION", Value: func(h Host) string { return h.Version }},
		{Head: "ALARM", Value: Host.alarm},
	}
	return report.Listing[Host]{Key: "hosts", JSON: func(h Host) any { return h }, Columns: columns}
}

func (h Host) lastSeen() string {
	if h.LastSeen == nil {
		return ""
	}
	return report.Time(*h.LastSeen)
}

// alarm describes in few words what is wrong with a host; empty: nothing.
func (h Host) alarm() string {
	switch n := len(h.Clones); {
	case n > 0:
		from := ""
		if last := h.Clones[n-1]; last.Address != "" {
			from = " from " + last.Address
		}
		return fmt.Sprintf("cloned: another key tried to renew on %s%s, presenting %s", report.Time(h.Clones[n-1].At), from, h.Clones[n-1].Serial)
	case h.Denied != nil:
		return "denied since " + report.Time(h.Denied.At)
	}
	return ""
}
