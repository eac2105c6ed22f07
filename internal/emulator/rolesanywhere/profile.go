package rolesanywhere

import (
	"fmt"
	"slices"
	"time"

	"kedge/internal/emulator/arn"
	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

const (
	maxRoles        = 250 // model; guide, "quotas"
	maxPolicies     = 50  // model
	minSeconds      = 900 // model
	maxSeconds      = 43200
	defaultDuration = 3600 // seconds (API reference, CreateProfile)
)

// Profile lists the roles that a session may have, and what it is made of.
type Profile struct {
	Base                      `json:",inline"`
	RoleARNs                  []string  `json:"roleArns"`
	ManagedPolicyARNs         []string  `json:"managedPolicyArns,omitzero"`
	SessionPolicy             *string   `json:"sessionPolicy,omitzero"`
	DurationSeconds           int64     `json:"durationSeconds"`
	AcceptRoleSessionName     bool      `json:"acceptRoleSessionName,omitzero"`
	RequireInstanceProperties bool      `json:"requireInstanceProperties,omitzero"`
	CreatedBy                 string    `json:"createdBy,omitzero"`
	TIP                       *TIP      `json:"tipConfiguration,omitzero"`
	Mappings                  []Mapping `json:"attributeMappings"`
	Defaults                  []string  `json:"defaultMappings,omitzero"` // certificate fields whose rules nobody put
}

// Duration returns how long a session lasts at most.
func (p *Profile) Duration() time.Duration { return time.Duration(p.DurationSeconds) * time.Second }

func (p *Profile) copy() resource {
	c := *p
	c.Base = p.copyBase()
	c.Mappings = cloneMappings(p.Mappings)
	c.Defaults = slices.Clone(p.Defaults)
	return &c
}

// check: guide, "getting-started": a profile lists roles of its own account. That a session policy is
// checked when it is put is ours.
func (p *Profile) check() error {
	if err := p.parse(KindProfile); err != nil {
		return err
	}
	if p.DurationSeconds < minSeconds || p.DurationSeconds > maxSeconds {
		return fmt.Errorf("profile %s: duration %s is not between 15m0s and 12h0m0s in whole seconds", p.ARN, p.Duration())
	}
	for _, role := range p.RoleARNs {
		r, err := arn.Parse(role, "iam", "role")
		if err != nil {
			return fmt.Errorf("profile %s: %w", p.ARN, err)
		}
		if r.Account != p.name.Account || r.Partition != p.name.Partition {
			return fmt.Errorf("profile %s: role %s is of another account", p.ARN, role)
		}
	}
	if p.SessionPolicy != nil {
		if _, err := policy.Parse(policy.Session, []byte(*p.SessionPolicy)); err != nil {
			return fmt.Errorf("the session policy: %w", err)
		}
	}
	return nil
}

// profileDetail is ProfileDetail of the model.
type profileDetail struct {
	ID                        string `json:"profileId"`
	ARN                       string `json:"profileArn"`
	Name                      string `json:"name"`
	aliases                   `json:",inline"`
	RequireInstanceProperties bool      `json:"requireInstanceProperties"`
	Enabled                   bool      `json:"enabled"`
	CreatedBy                 string    `json:"createdBy,omitzero"`
	SessionPolicy             *string   `json:"sessionPolicy,omitzero"`
	RoleARNs                  []string  `json:"roleArns"`
	ManagedPolicyARNs         []string  `json:"managedPolicyArns"`
	CreatedAt                 time.Time `json:"createdAt"`
	UpdatedAt                 time.Time `json:"updatedAt"`
	DurationSeconds           int64     `json:"durationSeconds"`
	AcceptRoleSessionName     bool      `json:"acceptRoleSessionName"`
	Mappings                  []Mapping `json:"attributeMappings"`
	TIP                       *TIP      `json:"tipConfiguration,omitzero"`
}

func (p *Profile) detail(previous string) any {
	return profileDetail{
		ID: p.id(), ARN: p.ARN, Name: p.Name, aliases: p.aliases(previous), RequireInstanceProperties: p.RequireInstanceProperties,
		Enabled: p.Enabled, CreatedBy: p.CreatedBy, SessionPolicy: p.SessionPolicy, RoleARNs: p.RoleARNs,
		ManagedPolicyARNs: p.ManagedPolicyARNs, CreatedAt: p.CreatedAt, UpdatedAt: p.UpdatedAt,
		DurationSeconds: p.DurationSeconds, AcceptRoleSessionName: p.AcceptRoleSessionName, Mappings: p.Mappings, TIP: p.TIP,
	}
}

// profileInput has the members that CreateProfile and UpdateProfile have in common.
type profileInput struct {
	Name                  *string   `json:"name"`
	RoleARNs              *[]string `json:"roleArns"`
	ManagedPolicyARNs     *[]string `json:"managedPolicyArns"`
	SessionPolicy         *string   `json:"sessionPolicy"`
	DurationSeconds       *int64    `json:"durationSeconds"`
	AcceptRoleSessionName *bool     `json:"acceptRoleSessionName"`
	Alias                 *string   `json:"aliasName"`
	TIP                   *tipInput `json:"tipConfiguration"`
}

// constraints checks the members that are there, by the model.
func (in *profileInput) constraints() *wire.Error {
	return first(
		nameText().optional("name", in.Name),
		checkTexts("roleArns", in.RoleARNs, maxRoles, roleARNText()),
		checkTexts("managedPolicyArns", in.ManagedPolicyARNs, maxPolicies, policyARNText()),
		policyText().optional("sessionPolicy", in.SessionPolicy),
		checkRange("durationSeconds", in.DurationSeconds, minSeconds, maxSeconds),
		in.TIP.constraints(),
	)
}

func checkTexts(field string, values *[]string, most int, each text) *wire.Error {
	if values == nil {
		return nil
	}
	if refusal := checkCount(field, len(*values), most); refusal != nil {
		return refusal
	}
	for i, value := range *values {
		if refusal := each.check(fmt.Sprintf("%s.%d.member", field, i+1), value); refusal != nil {
			return refusal
		}
	}
	return nil
}

// apply sets the members that are there.
func (in *profileInput) apply(p *Profile) {
	p.setName(in.Name)
	p.setAlias(in.Alias)
	if in.RoleARNs != nil {
		p.RoleARNs = *in.RoleARNs
	}
	if in.ManagedPolicyARNs != nil {
		p.ManagedPolicyARNs = *in.ManagedPolicyARNs
	}
	if in.SessionPolicy != nil {
		p.SessionPolicy = in.SessionPolicy
	}
	if in.DurationSeconds != nil {
		p.DurationSeconds = *in.DurationSeconds
	}
	if in.AcceptRoleSessionName != nil {
		p.AcceptRoleSessionName = *in.AcceptRoleSessionName
	}
	if in.TIP != nil {
		p.TIP = in.TIP.settings()
	}
}

// createProfile: without enabled, the profile is disabled (field reports).
func createProfile(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[struct {
		profileInput              `json:",inline"`
		Enabled                   bool  `json:"enabled"`
		RequireInstanceProperties bool  `json:"requireInstanceProperties"`
		Tags                      []Tag `json:"tags"`
	}](c)
	if refusal != nil {
		return nil, refusal
	}
	if in.RoleARNs == nil {
		return nil, missing("roleArns")
	}
	if refusal := first(nameText().required("name", in.Name), in.constraints(), checkTags(in.Tags)); refusal != nil {
		return nil, refusal
	}
	p := &Profile{
		Base: Base{Enabled: in.Enabled, Tags: in.Tags}, DurationSeconds: defaultDuration,
		RequireInstanceProperties: in.RequireInstanceProperties, CreatedBy: c.Caller.ARN,
	}
	p.SetDefaultMappings()
	in.apply(p)
	return s.create(c, KindProfile, p)
}

// updateProfile: enabled, requireInstanceProperties and tags are no members of it.
func updateProfile(s *Store, c *Call) (any, *wire.Error) {
	in, refusal := decode[profileInput](c)
	if refusal != nil {
		return nil, refusal
	}
	if refusal := in.constraints(); refusal != nil {
		return nil, refusal
	}
	return change(s, c, KindProfile, func(p *Profile) *wire.Error {
		in.apply(p)
		return nil
	})
}
