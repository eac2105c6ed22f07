package iam

import (
	"fmt"
	"net/http"
	"strings"

	"kedge/internal/emulator/policy"
)

// authorize asks the policies of the sender for the operation, and with tags of a new entity for tagging as
// well (IAMG id_tags_roles, "Permissions required for tagging IAM roles").
func (s *Store) authorize(o operation, r *request) error {
	t := o.target(r)
	actions := []string{o.name}
	if kind, ok := strings.CutPrefix(o.name, "Create"); ok && len(r.tags) > 0 {
		actions = append(actions, "Tag"+kind)
	}
	policies := s.policiesOf(s.effective(r.data), r.call.Caller)
	for _, action := range actions {
		request := policy.Request{
			Principal: r.call.Caller.principal(), Action: "iam:" + action, Resource: t.resource, Context: policy.NewContext(t.keys),
		}
		if err := check(policies, request, t.shown); err != nil {
			return err
		}
	}
	return nil
}

func (c Caller) principal() policy.Principal { return policy.Principal{ARN: c.ARN, Role: c.Role} }

// Authorize asks the policies of a caller about an action of any service, and returns AccessDenied with IAM's
// text unless they allow it. shown is how the message names the resource.
func (s *Store) Authorize(c Caller, request policy.Request, shown string) error {
	request.Principal = c.principal()
	return check(s.Policies(c), request, shown)
}

func check(policies policy.Policies, request policy.Request, shown string) error {
	d := policies.Authorize(&request)
	if d.Outcome == policy.Allowed {
		return nil
	}
	e := accessDenied(request.Principal.ARN, request.Action, shown)
	e.Message += DenialReason(d, request.Action)
	e.Decision, e.Request = &d, &request
	return e
}

// accessDenied: field reports, and IAMG troubleshoot_access-denied.
func accessDenied(principal, action, shown string) *Error {
	return &Error{
		Status: http.StatusForbidden, Code: "AccessDenied",
		Message: fmt.Sprintf("User: %s is not authorized to perform: %s on resource: %s", principal, action, shown),
	}
}

// DenialReason returns the end of the message of AccessDenied, which names the kind of policy that decided (IAMG
// troubleshoot_access-denied).
func DenialReason(d policy.Decision, action string) string {
	names := map[policy.Layer]string{
		policy.IdentityLayer: "identity-based policy", policy.BoundaryLayer: "permissions boundary", policy.SessionLayer: "session policy",
	}
	for _, l := range d.Layers {
		if l.Outcome == policy.ExplicitDeny {
			article := "a"
			if l.Layer == policy.IdentityLayer {
				article = "an"
			}
			return fmt.Sprintf(" with an explicit deny in %s %s", article, names[l.Layer])
		}
	}
	for _, l := range d.Layers {
		if l.Outcome == policy.ImplicitDeny {
			return fmt.Sprintf(" because no %s allows the %s action", names[l.Layer], action)
		}
	}
	return ""
}

// denied refuses what belongs to another account.
func (r *request) denied(operation, shown string) *Error {
	e := accessDenied(r.call.Caller.ARN, "iam:"+operation, shown)
	e.Why = "it belongs to AWS"
	return e
}
