package policy

// Policies are what limits a principal's own rights.
type Policies struct {
	Identity []*Document // of the user or role, inline and managed
	Boundary *Document   // nil: none
	Session  []*Document // of the session, inline and managed; empty: none
}

// Layer is a group of policies that must allow a request together.
type Layer string

// The layers. That of a trust policy stands alone.
const (
	TrustLayer    Layer = "trust policy"
	IdentityLayer Layer = "identity policies"
	BoundaryLayer Layer = "permissions boundary"
	SessionLayer  Layer = "session policies"
)

// Decision is the outcome of all layers.
type Decision struct {
	Outcome Outcome
	Layers  []LayerResult // in the order of evaluation
}

// LayerResult is what one layer decides: its documents are alternatives.
type LayerResult struct {
	Layer   Layer    `json:"layer"`
	Outcome Outcome  `json:"outcome"`
	Results []Result `json:"documents"` // one for each document
}

// Authorize decides about a request by the policies of its principal. What is allowed is the
// intersection of the layers that there are, and a deny in one of them is final (IAMG
// reference_policies_evaluation-logic; access_policies_boundaries, "Evaluating effective permissions
// with boundaries"). Several session policies are alternatives, as identity policies are.
func (p Policies) Authorize(request *Request) Decision {
	d := Decision{Outcome: Allowed}
	d.add(IdentityLayer, p.Identity, request)
	if p.Boundary != nil {
		d.add(BoundaryLayer, []*Document{p.Boundary}, request)
	}
	if len(p.Session) > 0 {
		d.add(SessionLayer, p.Session, request)
	}
	return d
}

func (d *Decision) add(layer Layer, documents []*Document, request *Request) {
	l := LayerResult{Layer: layer, Outcome: ImplicitDeny}
	for _, document := range documents {
		r := document.Evaluate(request)
		l.Results = append(l.Results, r)
		l.Outcome = strongest(l.Outcome, r.Outcome, Allowed)
	}
	d.Layers = append(d.Layers, l)
	d.Outcome = strongest(d.Outcome, l.Outcome, ImplicitDeny)
}

// strongest joins two outcomes: an explicit deny outweighs all, and then what is named does.
func strongest(a, b, then Outcome) Outcome {
	for _, outcome := range []Outcome{ExplicitDeny, then} {
		if a == outcome || b == outcome {
			return outcome
		}
	}
	return a
}
