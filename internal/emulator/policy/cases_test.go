package policy

import (
	"encoding/json/jsontext"
	"encoding/json/v2"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// The tables of cases are in testdata, with the source of each group: README.md there describes them.
// scripts/policy-peer gives the same files to another evaluator.

// group is a list of cases that come from one page of the guide, or from one decision of ours.
type group[Case any] struct {
	Source string `json:"source"`
	Cases  []Case `json:"cases"`
}

// readCases reads a file, and checks that no case lacks its source or name.
func readCases[Case interface{ title() string }](t *testing.T, file string) []group[Case] {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", file))
	if err != nil {
		t.Fatal(err)
	}
	var groups []group[Case]
	if err := json.Unmarshal(data, &groups, json.RejectUnknownMembers(true)); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		if g.Source == "" || len(g.Cases) == 0 {
			t.Fatalf("a group without source or cases: %+v", g)
		}
		for _, c := range g.Cases {
			if c.title() == "" {
				t.Fatalf("a case without name: %+v", c)
			}
		}
	}
	return groups
}

// forEach runs a test for every case of a file.
func forEach[Case interface{ title() string }](t *testing.T, file string, test func(*testing.T, Case)) {
	t.Helper()
	for _, g := range readCases[Case](t, file) {
		for _, c := range g.Cases {
			t.Run(g.Source+"/"+c.title(), func(t *testing.T) { test(t, c) })
		}
	}
}

// names a case.
type name struct {
	Name string `json:"name"`
}

func (n name) title() string { return n.Name }

// oneOrMany is a value or a list.
type oneOrMany []string

func (o *oneOrMany) UnmarshalJSON(data []byte) error {
	if jsontext.Value(data).Kind() == '[' {
		return json.Unmarshal(data, (*[]string)(o))
	}
	*o = make([]string, 1)
	return json.Unmarshal(data, &(*o)[0])
}

// keys is the context of a case.
type keys map[string]oneOrMany

func (k keys) context() Context {
	var c Context
	for key, values := range k {
		c.Set(key, values...)
	}
	return c
}

func mustParse(t testing.TB, kind Kind, document string) *Document {
	t.Helper()
	doc, err := Parse(kind, []byte(document))
	if err != nil {
		t.Fatalf("%v\n%s", err, document)
	}
	return doc
}

type conditionCase struct {
	name
	Version   string         `json:"version"`
	Condition jsontext.Value `json:"condition"`
	Context   keys           `json:"context"`
	Met       bool           `json:"met"`
}

func TestConditions(t *testing.T) {
	t.Parallel()
	forEach(t, "conditions.json", func(t *testing.T, c conditionCase) {
		version := c.Version
		if version == "" {
			version = version2012
		}
		// A trust policy, since it may have the older version.
		doc := mustParse(t, Trust, fmt.Sprintf(`{"Version":%q,"Statement":{"Effect":"Allow","Principal":"*","Action":"sts:*","Condition":%s}}`, version, c.Condition))
		r := doc.Evaluate(&Request{Principal: Principal{Service: RolesAnywhere}, Action: AssumeRole, Context: c.Context.context()})
		if got := r.Outcome == Allowed; got != c.Met {
			t.Errorf("%s with %v: met %t, want %t: %+v", c.Condition, c.Context, got, c.Met, r.Statements[0].Conditions)
		}
	})
}

type permissionCase struct {
	name
	Identity []jsontext.Value `json:"identity"`
	Boundary jsontext.Value   `json:"boundary"`
	Session  []jsontext.Value `json:"session"`
	Action   string           `json:"action"`
	Resource string           `json:"resource"`
	Context  keys             `json:"context"`
	Want     Outcome          `json:"want"`
}

func (c permissionCase) policies(t *testing.T) Policies {
	var p Policies
	for _, document := range c.Identity {
		p.Identity = append(p.Identity, mustParse(t, Identity, string(document)))
	}
	for _, document := range c.Session {
		p.Session = append(p.Session, mustParse(t, Session, string(document)))
	}
	if c.Boundary != nil {
		p.Boundary = mustParse(t, Boundary, string(c.Boundary))
	}
	return p
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	forEach(t, "permissions.json", func(t *testing.T, c permissionCase) {
		request := Request{Principal: Principal{ARN: "arn:aws:iam::111122223333:user/bob"}, Action: c.Action, Resource: c.Resource, Context: c.Context.context()}
		if d := c.policies(t).Authorize(&request); d.Outcome != c.Want {
			t.Errorf("%s, want %s: %+v", d.Outcome, c.Want, d)
		}
	})
}

type trustCase struct {
	name
	Policy         jsontext.Value     `json:"policy"`
	Tags           map[string]string  `json:"tags"` // default: those of certificate
	SourceIdentity *string            `json:"sourceIdentity"`
	SessionName    string             `json:"sessionName"`
	Want           map[string]Outcome `json:"want"` // by action; what is not there is not asked for
}

// certificate is the session of every case, as far as the case has nothing else.
func certificate() CertificateSession {
	return CertificateSession{
		Role:        "arn:aws:iam::111122223333:role/app",
		TrustAnchor: "arn:aws:rolesanywhere:eu-central-1:111122223333:trust-anchor/6b656467-6500-4000-8000-000000000001",
		Account:     "111122223333",
		Tags: map[string]string{
			"x509Subject/CN": "web-01", "x509Subject/OU": "batch/night", "x509Issuer/CN": "Example CA",
			"x509SAN/URI": "spiffe://ex.com/wl/web-01", "x509SAN/DNS": "web-01.example.com",
		},
		SourceIdentity: "CN=web-01",
		SessionName:    "6b656467",
		Now:            time.Date(2026, 11, 29, 12, 0, 0, 0, time.UTC),
	}
}

func (c trustCase) session() CertificateSession {
	s := certificate()
	if c.Tags != nil {
		s.Tags = c.Tags
	}
	if c.SourceIdentity != nil {
		s.SourceIdentity = *c.SourceIdentity
	}
	if c.SessionName != "" {
		s.SessionName = c.SessionName
	}
	return s
}

func TestTrust(t *testing.T) {
	t.Parallel()
	forEach(t, "trust.json", func(t *testing.T, c trustCase) {
		d := c.session().Authorize(mustParse(t, Trust, string(c.Policy)))
		want := Allowed
		for _, outcome := range c.Want {
			want = strongest(want, outcome, ImplicitDeny)
		}
		if d.Outcome != want || len(d.Actions) != len(c.Want) {
			t.Errorf("%s in %d actions, want %s in %d", d.Outcome, len(d.Actions), want, len(c.Want))
		}
		for _, a := range d.Actions {
			if want := c.Want[a.Request.Action]; a.Result.Outcome != want {
				t.Errorf("%s: %s, want %s: %+v", a.Request.Action, a.Result.Outcome, want, a.Result)
			}
		}
	})
}

type refusedCase struct {
	name
	Kind     string `json:"kind"`
	Document string `json:"document"`
	Message  string `json:"message"`
	Where    string `json:"where"` // not compared if it is empty
}

func TestParse_refused(t *testing.T) {
	t.Parallel()
	kinds := map[string]Kind{"identity": Identity, "trust": Trust, "session": Session, "boundary": Boundary}
	forEach(t, "refused.json", func(t *testing.T, c refusedCase) {
		doc, err := Parse(kinds[c.Kind], []byte(c.Document))
		wrong, ok := err.(*MalformedError)
		if !ok {
			t.Fatalf("%v, %+v", err, doc)
		}
		if wrong.Message != c.Message || c.Where != "" && wrong.Where != c.Where {
			t.Errorf("%q at %q, want %q at %q", wrong.Message, wrong.Where, c.Message, c.Where)
		}
	})
}
