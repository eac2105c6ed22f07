package awsup

import (
	"fmt"
	"strings"

	"kedge/internal/awsplan"
)

// Document is a plan as JSON.
type Document struct {
	Account string         `json:"account"`
	Region  string         `json:"region"`
	Caller  string         `json:"caller"` // ARN
	Steps   []StepDocument `json:"steps"`
	More    []awsplan.More `json:"more,omitempty"`
	Notes   []string       `json:"notes,omitempty"`

	TrustAnchor string   `json:"trust_anchor,omitempty"` // ARN
	Profile     string   `json:"profile,omitempty"`      // ARN
	Roles       []string `json:"roles"`                  // ARNs
}

// StepDocument is a step as JSON.
type StepDocument struct {
	Kind awsplan.Kind `json:"kind"`
	Name string       `json:"name"`
	ARN  string       `json:"arn,omitempty"` // absent: it is to be created
	Text string       `json:"text"`
	Diff []string     `json:"diff,omitempty"`
}

// Document returns the plan as JSON.
func (p *Planned) Document() Document {
	d := Document{
		Account: p.Found.Account, Region: p.Found.Region, Caller: p.Caller.ARN, More: p.More, Notes: p.Notes,
		TrustAnchor: p.Anchor, Profile: p.Profile, Roles: p.Roles, Steps: []StepDocument{},
	}
	for _, s := range p.Steps {
		d.Steps = append(d.Steps, StepDocument{s.Kind, s.Name, s.ARN, s.Text, s.Diff})
	}
	return d
}

// String returns the plan as text.
func (p *Planned) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "account %s, %s, as %s\n", p.Found.Account, p.Found.Region, p.Caller.ARN)
	if len(p.Steps) == 0 {
		b.WriteString("nothing to do: the account is as planned\n")
	}
	for i, s := range p.Steps {
		fmt.Fprintf(&b, "%d. %s\n", i+1, s.Text)
		for _, line := range s.Diff {
			fmt.Fprintf(&b, "     %s\n", line)
		}
	}
	return b.String()
}
