package doctor

import (
	"context"

	"kedge/internal/cli"
)

// Result is a check with its number and what it came to.
type Result struct {
	Number  int    `json:"number"`
	ID      string `json:"id"`
	Title   string `json:"title"`
	State   State  `json:"state"`
	Seen    string `json:"seen,omitempty"`
	Advice  string `json:"advice,omitempty"`
	Command string `json:"run,omitempty"`     // one or several lines
	Because int    `json:"because,omitempty"` // the number of the check that failed, if this one was not possible
	Code    int    `json:"exit_code,omitempty"`
}

// Run runs the checks in their order. One that needs another which failed is not possible, and not run.
func Run(ctx context.Context, checks []Check) []Result {
	results := make([]Result, 0, len(checks))
	byID := map[string]Result{}
	for i, c := range checks {
		r := Result{Number: i + 1, ID: c.ID, Title: c.Title}
		if r.Because = blockedBy(c.Needs, byID); r.Because != 0 {
			r.State = Blocked
		} else {
			f := c.Run(ctx)
			r.take(f)
			r.Because = byID[f.Because].Number
		}
		byID[c.ID] = r
		results = append(results, r)
	}
	return results
}

// take takes over a finding, without the secrets that may be in it.
func (r *Result) take(f *Finding) {
	r.State, r.Seen, r.Advice, r.Command = f.State, Redact(f.Seen), Redact(f.Advice), redactLines(f.Command)
	if f.State != Failed {
		return
	}
	r.Code = f.Code
	if r.Code == cli.ExitDone {
		r.Code = cli.ExitFailed
	}
}

// blockedBy returns the number of the check that failed, of those that are needed or that these need.
func blockedBy(needs []string, byID map[string]Result) int {
	for _, id := range needs {
		switch need := byID[id]; need.State {
		case Failed:
			return need.Number
		case Blocked:
			return need.Because
		}
	}
	return 0
}
