package emulator

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/iam"
)

// Config is the content of the emulated accounts, and the emulator's settings. Everything has a
// default: New(Config{TrustAnchors: []TrustAnchor{{Certificates: pem}}}) has a trust anchor, a
// profile and a role with fixed ARNs, which the accessors return.
type Config struct {
	Region  string // of generated ARNs; default: that of the first ARN given, else us-east-1
	Account string // of generated ARNs; default: that of the first ARN given, else 111122223333

	TrustAnchors []TrustAnchor
	Profiles     []Profile          // default: one that lists every role
	Roles        []Role             // default: role/kedge
	Users        []User             // besides the [Emulator.Administrator]; default: none
	Policies     []iam.PolicyConfig // customer managed policies; default: none

	Conditions Conditions // of the control planes
	Faults     []Fault    // of the first requests, as [Emulator.Inject] adds them

	// StateDir is the folder (0700) where sessions and resources survive a restart, for one emulator at a time. Sessions
	// and subjects are written soon after their answers: a process that is killed may lose those of the last moment, one
	// that ends by [Run] or [Emulator.Flush] loses none. Empty keeps all in memory.
	StateDir   string
	CloudTrail string           // file to which what CloudTrail would record is appended, an event a line; empty: none
	Log        io.Writer        // one readable entry per request, never a secret; nil for none
	Now        func() time.Time // the emulated clock; nil for the system's
}

// TrustAnchor is a certificate authority whose certificates are accepted (guide,
// "getting-started").
type TrustAnchor struct {
	ARN          string   // empty: generated
	Alias        string   // aliasName, which CreateSession accepts as well; empty: none
	File         string   // the source of Certificates, for messages; may be empty
	Certificates []byte   // PEM, one or two CA certificates, at most 8,000 characters
	CRLs         [][]byte // PEM or DER, at most two; see [Emulator.ImportCRL]
	Disabled     bool
}

// Profile lists the roles that may be assumed, with the duration (guide, "getting-started").
type Profile struct {
	ARN                   string        // empty: generated
	Alias                 string        // aliasName, which CreateSession accepts as well; empty: none
	RoleARNs              []string      // nil: every role of the configuration; empty: none
	Duration              time.Duration // 15 minutes to 12 hours; default 1 hour
	AcceptRoleSessionName bool          // a request may set the session's name
	Disabled              bool
}

// Role is an IAM role.
type Role struct {
	ARN                string        // empty: generated
	MaxSessionDuration time.Duration // 1 to 12 hours; default 1 hour
	TrustAnchorARNs    []string      // the aws:SourceArn condition of its trust policy; empty: any
	ExternalID         string        // the sts:ExternalId condition; empty: none
	Actions            []string      // that the trust policy allows, such as "sts:AssumeRole"; empty: all
	TrustPolicy        string        // the whole trust policy, as JSON, in the place of the three lists; empty: none
	Permissions        iam.Permissions
}

// User has long-term keys, which STS accepts as well; GetSessionToken accepts only these.
type User struct {
	ARN             string
	AccessKeyID     string
	SecretAccessKey string
	Permissions     iam.Permissions // several entries of one user have those of the first
}

const (
	defaultRegion  = "us-east-1"
	defaultAccount = "111122223333" // the account of AWS's own examples

	// The service's limits (guide, "authentication-create-session"; IAM guide, "MaxSessionDuration").
	minDuration        = 15 * time.Minute
	maxDuration        = 12 * time.Hour
	defaultDuration    = time.Hour
	minRoleMaxDuration = time.Hour
)

// withDefaults returns a copy of c in which every ARN, duration and function is set.
func (c Config) withDefaults() Config {
	c.Region, c.Account = cmp.Or(c.Region, c.given(3), defaultRegion), cmp.Or(c.Account, c.given(4), defaultAccount)
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Log == nil {
		c.Log = io.Discard
	}
	c.TrustAnchors, c.Profiles, c.Roles = slices.Clone(c.TrustAnchors), slices.Clone(c.Profiles), slices.Clone(c.Roles)
	if len(c.Roles) == 0 {
		c.Roles = []Role{{}}
	}
	if len(c.Profiles) == 0 {
		c.Profiles = []Profile{{}}
	}
	for i := range c.TrustAnchors {
		if c.TrustAnchors[i].ARN == "" {
			c.TrustAnchors[i].ARN = c.madeUpARN("trust-anchor", i)
		}
	}
	for i := range c.Roles {
		c.Roles[i] = c.roleDefaults(c.Roles[i], i)
	}
	for i := range c.Profiles {
		c.Profiles[i] = c.profileDefaults(c.Profiles[i], i)
	}
	return c
}

// given returns a part of the first configured ARN that has it: 3 is the region, 4 the account.
func (c Config) given(part int) string {
	var arns []string
	for _, t := range c.TrustAnchors {
		arns = append(arns, t.ARN)
	}
	for _, p := range c.Profiles {
		arns = append(arns, p.ARN)
	}
	for _, r := range c.Roles {
		arns = append(arns, r.ARN)
	}
	for _, name := range arns {
		if parts := strings.SplitN(name, ":", 6); len(parts) == 6 && parts[part] != "" {
			return parts[part]
		}
	}
	return ""
}

func (c Config) roleDefaults(r Role, i int) Role {
	if r.ARN == "" {
		name := "role/kedge"
		if i > 0 {
			name = fmt.Sprintf("role/kedge-%d", i+1)
		}
		r.ARN = arn.ARN{Partition: arn.PartitionOf(c.Region), Service: "iam", Account: c.Account, Resource: name}.String()
	}
	if r.MaxSessionDuration == 0 {
		r.MaxSessionDuration = defaultDuration
	}
	return r
}

func (c Config) profileDefaults(p Profile, i int) Profile {
	if p.ARN == "" {
		p.ARN = c.madeUpARN("profile", i)
	}
	if p.Duration == 0 {
		p.Duration = defaultDuration
	}
	if p.RoleARNs == nil {
		for _, r := range c.Roles {
			p.RoleARNs = append(p.RoleARNs, r.ARN)
		}
	}
	return p
}

// madeUpARN generates the ARN of the i-th anchor or profile, the same in every run, so that scripts
// can use it. The UUID begins with "kedge" in ASCII.
func (c Config) madeUpARN(kind string, i int) string {
	variant := map[string]string{"trust-anchor": "8000", "profile": "9000"}[kind]
	id := fmt.Sprintf("6b656467-6500-4000-%s-%012d", variant, i+1)
	return arn.ARN{Partition: arn.PartitionOf(c.Region), Service: rolesService, Region: c.Region, Account: c.Account, Resource: kind + "/" + id}.String()
}

func (p Profile) validate() error {
	a, err := arn.Parse(p.ARN, "rolesanywhere", "profile")
	if err != nil {
		return err
	}
	if p.Duration < minDuration || p.Duration > maxDuration || p.Duration%time.Second != 0 {
		return fmt.Errorf("profile %s: duration %s is not between %s and %s in whole seconds", p.ARN, p.Duration, minDuration, maxDuration)
	}
	for _, role := range p.RoleARNs {
		r, err := arn.Parse(role, "iam", "role")
		if err != nil {
			return fmt.Errorf("profile %s: %w", p.ARN, err)
		}
		// Guide, "getting-started": a profile lists roles of its own account.
		if r.Account != a.Account || r.Partition != a.Partition {
			return fmt.Errorf("profile %s: role %s is of another account", p.ARN, role)
		}
	}
	return nil
}

func (r Role) validate() error {
	if _, err := arn.Parse(r.ARN, "iam", "role"); err != nil {
		return err
	}
	if r.MaxSessionDuration < minRoleMaxDuration || r.MaxSessionDuration > maxDuration {
		return fmt.Errorf("role %s: longest session %s is not between %s and %s", r.ARN, r.MaxSessionDuration, minRoleMaxDuration, maxDuration)
	}
	for _, source := range r.TrustAnchorARNs {
		if _, err := arn.Parse(source, "rolesanywhere", "trust-anchor"); err != nil {
			return fmt.Errorf("role %s: %w", r.ARN, err)
		}
	}
	return nil
}

func (u User) validate() error {
	if _, err := arn.Parse(u.ARN, "iam", "user"); err != nil {
		return err
	}
	// STS reference, Credentials, AccessKeyId: [\w]*
	if len(u.AccessKeyID) < 16 || len(u.AccessKeyID) > 128 || strings.ContainsFunc(u.AccessKeyID, outsideKeyAlphabet) || u.SecretAccessKey == "" {
		return fmt.Errorf("user %s: an access key has an id of 16 to 128 letters, digits and underscores, and a secret", u.ARN)
	}
	return nil
}

func outsideKeyAlphabet(r rune) bool {
	return outsideNameAlphabet(r) || strings.ContainsRune("+=,.@-", r)
}
