package rolesanywhere

import (
	"slices"
	"strings"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// permission is an action that a caller must be allowed, and what its conditions see.
type permission struct {
	action, resource string
	context          policy.Context
}

// authorize asks the store's Authorize whether the caller may do this.
func (s *Store) authorize(op Operation, c *Call) *wire.Error {
	if s.Authorize == nil {
		return nil
	}
	for _, p := range s.permissions(op, c) {
		if refusal := s.Authorize(*c, p.action, p.resource, p.context); refusal != nil {
			return refusal
		}
	}
	return nil
}

// permissions returns the actions that an operation needs (Service Authorization Reference, "IAM Roles Anywhere", API
// operations): that of its own name; rolesanywhere:TagResource to create something with tags; iam:PassRole for each role
// that is given to a profile. For UpdateProfile this is the list of permissions of CloudFormation's
// AWS::RolesAnywhere::Profile. That ImportCrl is as the other creates is ours, as is the order.
func (s *Store) permissions(op Operation, c *Call) []permission {
	target := op.target(s, c)
	all := []permission{{Service + ":" + op.Name, target, s.context(c, target)}}
	if tags, _ := c.requestTags(); len(tags) > 0 && op.creates != "" {
		target := c.arnOf(op.creates, "*") // the ARN is not there yet; that it counts as this one is ours
		all = append(all, permission{Service + ":TagResource", target, s.context(c, target)})
	}
	for _, role := range c.passedRoles() {
		var k policy.Context
		k.Set("iam:PassedToService", passedTo)
		all = append(all, permission{"iam:PassRole", role, k})
	}
	return all
}

// passedTo is the service that gets the roles (Service Authorization Reference, "IAM Roles Anywhere", API operations).
const passedTo = "rolesanywhere.amazonaws.com"

// passedRoles returns the roles that a request gives to a profile, each once; none if there are more than an operation
// takes, which refuses them. Tags of a role are no conditions here: IAM's guide, "Pass a role", advises against them, as
// their result is not reliable.
func (c *Call) passedRoles() []string {
	if c.op.Name != "CreateProfile" && c.op.Name != "UpdateProfile" {
		return nil
	}
	in, _ := decode[struct {
		Roles []string `json:"roleArns"`
	}](c)
	if len(in.Roles) > maxRoles {
		return nil
	}
	return slices.Compact(slices.Sorted(slices.Values(in.Roles)))
}

// Targets (Service Authorization Reference, "IAM Roles Anywhere"): the resource's own ARN, and * for
// what has no resource. If it does not exist, the ARN that it would have.

func pathTarget(s *Store, c *Call) string {
	if !strings.Contains(c.op.Path, "{id}") {
		return "*"
	}
	return s.target(c, c.op.kind(), c.ID)
}

func queryTarget(_ *Store, c *Call) string {
	name, _ := c.only("resourceArn")
	if name == nil {
		return "*"
	}
	return *name
}

func anchorTarget(s *Store, c *Call) string {
	in, _ := decode[struct {
		ID string `json:"trustAnchorId"`
	}](c) // what cannot be read the operation refuses
	return s.target(c, KindTrustAnchor, in.ID)
}

func taggedTarget(_ *Store, c *Call) string {
	in, _ := decode[struct {
		ARN string `json:"resourceArn"`
	}](c)
	return in.ARN
}

func (s *Store) target(c *Call, kind Kind, id string) string {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.resources[kind][s.canonical(c, kind, id)]; r != nil {
		return r.base().ARN
	}
	return c.arnOf(kind, id)
}

// context returns the condition keys of a call (Service Authorization Reference): the tags that the
// request has, and those of the resource.
func (s *Store) context(c *Call, target string) policy.Context {
	var k policy.Context
	tags, keys := c.requestTags()
	for _, tag := range tags {
		k.Set("aws:RequestTag/"+tag.Key, tag.Value)
		keys = append(keys, tag.Key)
	}
	k.Set("aws:TagKeys", keys...)
	s.mu.RLock()
	defer s.mu.RUnlock()
	if r := s.find(target); r != nil {
		for _, tag := range r.base().Tags {
			k.Set("aws:ResourceTag/"+tag.Key, tag.Value)
		}
	}
	return k
}

// requestTags returns the tags that a request adds, or the keys of those that it removes. Members that the operation
// does not have do not count.
func (c *Call) requestTags() (add []Tag, remove []string) {
	switch c.op.Name {
	case "CreateTrustAnchor", "CreateProfile", "ImportCrl", "TagResource":
		in, _ := decode[struct {
			Tags []Tag `json:"tags"`
		}](c)
		return in.Tags, nil
	case "UntagResource":
		in, _ := decode[struct {
			Keys []string `json:"tagKeys"`
		}](c)
		return nil, in.Keys
	}
	return nil, nil
}
