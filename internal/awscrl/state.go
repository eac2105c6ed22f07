package awscrl

import (
	"context"
	"errors"
	"time"
)

// State is the list of an authority that a trust anchor has.
type State struct {
	ARN        string
	Number     int64
	NextUpdate time.Time
	Enabled    bool
}

// State returns the list of the authority at AWS; nil: there is none. Errors are those of Push about what is at AWS.
func (p *Pusher) State(ctx context.Context) (*State, error) {
	there, err := p.look(ctx)
	if err != nil || len(there.ours) == 0 {
		return nil, err
	}
	l := there.ours[0]
	parsed, err := p.compare(ctx, l)
	if err != nil {
		return nil, err
	}
	return &State{ARN: l.arn, Number: parsed.Number.Int64(), NextUpdate: parsed.NextUpdate, Enabled: l.enabled}, nil
}

// Taken is what was taken from a list at AWS into the ledger.
type Taken struct {
	ARN     string   `json:"crl_arn"`
	Number  int64    `json:"number"`
	Serials []string `json:"serials"` // in hex; may be empty, if the ledger lacked only the number
}

// Take records in the ledger what the lists of the authority at the trust anchor have and the ledger lacks: see
// issuance.Service.TakeList. Nothing is changed at AWS. why is recorded.
func (p *Pusher) Take(ctx context.Context, why string) (all []Taken, err error) {
	lists, err := p.lists(ctx)
	if err != nil {
		return nil, err
	}
	for _, l := range lists {
		_, err := p.compare(ctx, l)
		behind, ok := errors.AsType[*BehindError](err)
		if !ok {
			if _, foreign := errors.AsType[*ForeignError](err); err != nil && !foreign {
				return all, err
			}
			continue
		}
		serials, err := p.Service.TakeList(ctx, p.Authority, l.data, l.arn, why)
		if err != nil {
			return all, err
		}
		all = append(all, Taken{ARN: l.arn, Number: behind.Err.Number, Serials: serials})
	}
	return all, nil
}
