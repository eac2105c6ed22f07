package awsplan

import (
	"crypto/x509"
	"maps"
	"slices"
	"time"
)

// Wanted is what hosts of a CA need in an account.
type Wanted struct {
	Owners  []Owner // at least one; new objects get the first
	Anchor  Anchor
	Roles   []Role // by name
	Profile Profile
	Tags    map[string]string // of each object, besides that of the owner
	// Alias is that of the trust anchor and of the profile, by which hosts can name them; empty: any that they have.
	Alias string
	// KeepRoles keeps roles in the profile that are not among Roles: where these are not all that are configured.
	KeepRoles bool
	// OnlyAnchor leaves roles and the profile as they are.
	OnlyAnchor bool
}

// Anchor is a trust anchor with the certificates of a CA.
type Anchor struct {
	Name          string
	Certificates  []*x509.Certificate // one, or two while the CA is rotated
	Notifications []Notification
}

// Notification is when IAM Roles Anywhere warns of certificates that expire.
type Notification struct {
	Event string // EventCA or EventLeaf
	Days  int    // before the end; 0: never
}

// The events of notifications (IAM Roles Anywhere API Reference, NotificationSetting).
const (
	EventCA   = "CA_CERTIFICATE_EXPIRY"
	EventLeaf = "END_ENTITY_CERTIFICATE_EXPIRY"
)

// Role is a role for hosts.
type Role struct {
	Name string
	Path string // with a slash at both ends
	For  string // the hosts, for people
	// Trust returns the trust policy, as JSON, that gives the role to hosts by the trust anchor with an ARN.
	Trust      func(anchor string) (string, error)
	Attached   []string          // ARNs of managed policies
	Inline     map[string]string // policies of the role itself, as JSON, by their names
	Boundary   string            // ARN of the permissions boundary; empty: any that it has
	MaxSession time.Duration
}

// Policies returns the ARNs of the managed policies of the role, and the names of its own.
func (r *Role) Policies() []string {
	return slices.Concat(r.Attached, slices.Sorted(maps.Keys(r.Inline)))
}

// Profile is the profile that gives hosts the roles.
type Profile struct {
	Name     string
	Duration time.Duration // of sessions
}

// The bounds of MaxSession (IAM API Reference, CreateRole).
const (
	MinMaxSession = time.Hour
	MaxMaxSession = 12 * time.Hour
)

const day = 24 * time.Hour

// Notifications returns notifications that fit the lifetimes of certificates. Hosts renew after two thirds of a
// lifetime: those of which less than a sixth is left are late. Of certificates for which that is less than a day,
// the service would warn all the time: it counts days.
func Notifications(leaf, authority time.Duration) []Notification {
	const most = 45 // the service's default
	return []Notification{
		{EventCA, min(int(authority/6/day), 180)},
		{EventLeaf, min(int(leaf/6/day), most)},
	}
}

// SetDuration sets the duration of sessions, which each role must allow.
func (w *Wanted) SetDuration(d time.Duration) {
	w.Profile.Duration = d
	for i := range w.Roles {
		w.Roles[i].MaxSession = max(d, MinMaxSession)
	}
}
