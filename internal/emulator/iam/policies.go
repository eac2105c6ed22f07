package iam

import "kedge/internal/emulator/policy"

// Policies returns the policies that limit a caller: those of the user or of the session's role, its boundary,
// and the session policies. A caller that no longer exists has no rights.
func (s *Store) Policies(c Caller) policy.Policies {
	return s.policiesOf(s.effective(s.current.Load()), c)
}

// AssumePolicies returns the policies that limit a caller of sts:AssumeRole. A role or user that the
// configuration gives no policies counts as if it were allowed everything until a call gives it one, so that chains of
// roles can be tried without policies; this is ours.
func (s *Store) AssumePolicies(c Caller) policy.Policies {
	d := s.effective(s.current.Load())
	all := s.policiesOf(d, c)
	if h := d.byARN(c.entity()); h != nil && h.base().Unlimited && len(all.Identity) == 0 {
		all.Identity = []*policy.Document{s.managedPolicy(d, awsARN(c.partition(), AdministratorAccess))}
	}
	return all
}

// ManagedPolicy returns the default version of a managed policy; a document that allows nothing if there is
// none.
func (s *Store) ManagedPolicy(arn string) *policy.Document {
	return s.managedPolicy(s.effective(s.current.Load()), arn)
}

func (s *Store) managedPolicy(d *data, arn string) *policy.Document {
	if p := s.policy(d, arn); p != nil {
		return p.current().parsed
	}
	return &policy.Document{}
}

func (s *Store) policiesOf(d *data, c Caller) policy.Policies {
	all := policy.Policies{Session: c.Session}
	h := d.byARN(c.entity())
	if h == nil {
		return all
	}
	e := h.base()
	for _, name := range sortedKeys(e.Inline) {
		all.Identity = append(all.Identity, e.Inline[name].parsed)
	}
	for _, arn := range e.Attached {
		all.Identity = append(all.Identity, s.managedPolicy(d, arn))
	}
	if e.Boundary != "" {
		all.Boundary = s.managedPolicy(d, e.Boundary)
	}
	return all
}
