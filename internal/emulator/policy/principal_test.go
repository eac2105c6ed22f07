package policy

import (
	"fmt"
	"testing"
)

const (
	account = "111122223333"
	bob     = "arn:aws:iam::111122223333:user/bob"
	hub     = "arn:aws:iam::111122223333:role/hub"
	session = "arn:aws:sts::111122223333:assumed-role/hub/s1"
	spoke   = "arn:aws:iam::111122223333:role/spoke"
	distant = "arn:aws:iam::444455556666:role/spoke"
)

// TestPrincipal: IAMG reference_policies_elements_principal.
func TestPrincipal(t *testing.T) {
	t.Parallel()
	user, inSession, service := Principal{ARN: bob}, Principal{ARN: session, Role: hub}, Principal{Service: RolesAnywhere}
	for _, tt := range []struct {
		name      string
		principal string
		who       Principal
		want      PrincipalMatch
	}{
		{"everyone", `"*"`, user, Everyone},
		{"everyone, as AWS", `{"AWS":"*"}`, inSession, Everyone},
		{"an account", `{"AWS":"111122223333"}`, user, ByAccount},
		{"an account by its root", `{"AWS":"arn:aws:iam::111122223333:root"}`, inSession, ByAccount},
		{"another account", `{"AWS":"444455556666"}`, user, NotNamed},
		{"a user", `{"AWS":"` + bob + `"}`, user, ByName},
		{"another user", `{"AWS":"arn:aws:iam::111122223333:user/eve"}`, user, NotNamed},
		{"the case of a user", `{"AWS":"arn:aws:iam::111122223333:user/Bob"}`, user, NotNamed},
		{"a role", `{"AWS":"` + hub + `"}`, inSession, ByRole},
		{"another role", `{"AWS":"` + spoke + `"}`, inSession, NotNamed},
		{"a session", `{"AWS":"` + session + `"}`, inSession, ByName},
		{"another session", `{"AWS":"` + session + `0"}`, inSession, NotNamed},
		{"the most exact", `{"AWS":["*","111122223333","` + hub + `","` + session + `"]}`, inSession, ByName},
		{"a role before the account", `{"AWS":["111122223333","` + hub + `"]}`, inSession, ByRole},
		{"a service", `{"Service":"rolesanywhere.amazonaws.com"}`, service, ByName},
		{"a service is no user", `{"Service":"rolesanywhere.amazonaws.com"}`, user, NotNamed},
		{"a user is no service", `{"AWS":"` + account + `"}`, service, NotNamed},
	} {
		doc := mustParse(t, Trust, fmt.Sprintf(`{"Statement":{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"}}`, tt.principal))
		r := doc.Evaluate(&Request{Principal: tt.who, Action: AssumeRole})
		if got := r.Statements[0].Match; got != tt.want || (r.Outcome == Allowed) != (tt.want != NotNamed) {
			t.Errorf("%s: %q, %s, want %q", tt.name, got, r.Outcome, tt.want)
		}
	}
}

// TestNotPrincipal: IAMG reference_policies_elements_notprincipal; a deny excepts only who is named on
// each level.
func TestNotPrincipal(t *testing.T) {
	t.Parallel()
	user, inSession := Principal{ARN: bob}, Principal{ARN: session, Role: hub}
	for _, tt := range []struct {
		name, effect, principal string
		who                     Principal
		want                    Outcome
	}{
		{"deny but a user and the account", "Deny", `{"AWS":["` + bob + `","111122223333"]}`, user, ImplicitDeny},
		{"deny but a user, without the account", "Deny", `{"AWS":"` + bob + `"}`, user, ExplicitDeny},
		{"deny but the account, without the user", "Deny", `{"AWS":"111122223333"}`, user, ExplicitDeny},
		{"deny but a session, its role and account", "Deny", `{"AWS":["` + session + `","` + hub + `","111122223333"]}`, inSession, ImplicitDeny},
		{"deny but a session, without its role", "Deny", `{"AWS":["` + session + `","111122223333"]}`, inSession, ExplicitDeny},
		{"deny but another session", "Deny", `{"AWS":["` + session + `0","` + hub + `","111122223333"]}`, inSession, ExplicitDeny},
		{"deny but everyone", "Deny", `"*"`, inSession, ImplicitDeny},
		{"allow but a user", "Allow", `{"AWS":"` + bob + `"}`, user, ImplicitDeny},
		{"allow but the account", "Allow", `{"AWS":"111122223333"}`, user, ImplicitDeny},
		{"allow but another", "Allow", `{"AWS":"arn:aws:iam::444455556666:user/eve"}`, user, Allowed},
	} {
		doc := mustParse(t, Trust, fmt.Sprintf(`{"Statement":{"Effect":%q,"NotPrincipal":%s,"Action":"sts:AssumeRole"}}`, tt.effect, tt.principal))
		if r := doc.Evaluate(&Request{Principal: tt.who, Action: AssumeRole}); r.Outcome != tt.want {
			t.Errorf("%s: %s, want %s", tt.name, r.Outcome, tt.want)
		}
	}
}

// TestAssume: IAMG reference_policies_evaluation-logic, with the role in the same account and another.
func TestAssume(t *testing.T) {
	t.Parallel()
	statement := func(effect, action string) string {
		return fmt.Sprintf(`{"Version":"2012-10-17","Statement":{"Effect":%q,"Action":%q,"Resource":"*"}}`, effect, action)
	}
	allow, deny, other := statement("Allow", "sts:AssumeRole"), statement("Deny", "sts:AssumeRole"), statement("Allow", "s3:*")
	byAccount, byRole, bySession, everyone := `{"AWS":"111122223333"}`, `{"AWS":"`+hub+`"}`, `{"AWS":"`+session+`"}`, `"*"`
	for _, tt := range []struct {
		name, trust, role           string
		identity, boundary, session string
		want                        Outcome
	}{
		{"the account, and the identity policy", byAccount, spoke, allow, "", "", Allowed},
		{"the account alone", byAccount, spoke, other, "", "", ImplicitDeny},
		{"the identity policy alone", `{"AWS":"444455556666"}`, spoke, allow, "", "", ImplicitDeny},
		{"the role, of the same account", byRole, spoke, other, "", "", Allowed},
		{"the role, of another account", byRole, distant, other, "", "", ImplicitDeny},
		{"the role of another account, and the identity policy", byRole, distant, allow, "", "", Allowed},
		{"the role, and a boundary without it", byRole, spoke, other, other, "", ImplicitDeny},
		{"the role, and a boundary with it", byRole, spoke, other, allow, "", Allowed},
		{"the role, and a session policy without it", byRole, spoke, other, "", other, ImplicitDeny},
		{"the session, and a boundary without it", bySession, spoke, other, other, other, Allowed},
		{"the session, of another account", bySession, distant, other, "", "", ImplicitDeny},
		{"the session, and a deny", bySession, spoke, deny, "", "", ExplicitDeny},
		{"the session, and a deny in the boundary", bySession, spoke, allow, deny, "", ExplicitDeny},
		{"the session, and a deny in the session policy", bySession, spoke, allow, "", deny, ExplicitDeny},
		{"everyone, of the same account", everyone, spoke, other, "", "", Allowed},
		{"everyone, of another account", everyone, distant, other, "", "", ImplicitDeny},
		{"everyone, and a boundary without it", everyone, spoke, other, other, "", ImplicitDeny},
	} {
		trust := mustParse(t, Trust, fmt.Sprintf(`{"Statement":{"Effect":"Allow","Principal":%s,"Action":"sts:AssumeRole"}}`, tt.trust))
		p := Policies{Identity: []*Document{mustParse(t, Identity, tt.identity)}}
		if tt.boundary != "" {
			p.Boundary = mustParse(t, Boundary, tt.boundary)
		}
		if tt.session != "" {
			p.Session = []*Document{mustParse(t, Session, tt.session)}
		}
		d := p.Assume(trust, &Request{Principal: Principal{ARN: session, Role: hub}, Action: AssumeRole, Resource: tt.role})
		if d.Outcome != tt.want {
			t.Errorf("%s: %s, want %s: %+v", tt.name, d.Outcome, tt.want, d)
		}
	}
}

// TestAssume_trustDenies: an explicit deny of the trust policy is final.
func TestAssume_trustDenies(t *testing.T) {
	t.Parallel()
	trust := mustParse(t, Trust, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"},{"Effect":"Deny","Principal":"*","Action":"sts:*"}]}`)
	all := mustParse(t, Identity, `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)
	d := Policies{Identity: []*Document{all}}.Assume(trust, &Request{Principal: Principal{ARN: bob}, Action: AssumeRole, Resource: spoke})
	if d.Outcome != ExplicitDeny {
		t.Errorf("%s", d.Outcome)
	}
}
