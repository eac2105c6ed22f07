package awsplan

import "time"

// Change is what a step changes: one of the types below.
type Change interface {
	// what tells it from others of its type and object.
	what() string
}

// CreateAnchor creates a trust anchor.
type CreateAnchor struct {
	Anchor
	Alias string // empty: none
	Tags  map[string]string
}

// UpdateAnchor gives a trust anchor its name and its certificates.
type UpdateAnchor struct {
	ARN string
	Anchor
}

// EnableAnchor enables a trust anchor.
type EnableAnchor struct{ ARN string }

// SetNotifications sets when the service warns.
type SetNotifications struct {
	ARN string
	All []Notification
}

// CreateRole creates a role without policies of permissions.
type CreateRole struct {
	Role
	Document string // the trust policy
	Tags     map[string]string
}

// SetTrust replaces a trust policy.
type SetTrust struct{ Role, Document string }

// SetMaxSession sets how long sessions may last.
type SetMaxSession struct {
	Role string
	Max  time.Duration
}

// SetBoundary sets the permissions boundary.
type SetBoundary struct{ Role, ARN string }

// AttachPolicy attaches a managed policy.
type AttachPolicy struct{ Role, ARN string }

// PutPolicy writes a policy of the role itself.
type PutPolicy struct{ Role, Policy, Document string }

// CreateProfile creates a profile.
type CreateProfile struct {
	Profile
	Alias string   // empty: none
	Roles []string // ARNs
	Tags  map[string]string
}

// UpdateProfile gives a profile its name, its roles and its duration.
type UpdateProfile struct {
	ARN string
	Profile
	Roles []string // ARNs
}

// EnableProfile enables a profile.
type EnableProfile struct{ ARN string }

// SetAlias gives an alias to a trust anchor or a profile that has none.
type SetAlias struct {
	Kind       Kind
	ARN, Alias string
}

// SetTags adds tags to an object, or changes their values.
type SetTags struct {
	Kind Kind
	ID   string // name of a role, ARN of the others
	Tags map[string]string
}

func (CreateAnchor) what() string     { return "" }
func (UpdateAnchor) what() string     { return "" }
func (EnableAnchor) what() string     { return "" }
func (SetNotifications) what() string { return "" }
func (CreateRole) what() string       { return "" }
func (SetTrust) what() string         { return "" }
func (SetMaxSession) what() string    { return "" }
func (SetBoundary) what() string      { return "" }
func (c AttachPolicy) what() string   { return c.ARN }
func (c PutPolicy) what() string      { return c.Policy }
func (CreateProfile) what() string    { return "" }
func (UpdateProfile) what() string    { return "" }
func (EnableProfile) what() string    { return "" }
func (SetAlias) what() string         { return "" }
func (SetTags) what() string          { return "" }
