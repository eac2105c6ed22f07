package awsexplain

import (
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"kedge/internal/cli"
	"kedge/internal/report"
)

// Explanation is what all checks came to.
type Explanation struct {
	Time    time.Time `json:"time"`
	Host    string    `json:"host"`
	Account string    `json:"account,omitempty"`
	Region  string    `json:"region,omitempty"`
	Caller  string    `json:"caller,omitempty"` // ARN
	State   State     `json:"state"`            // failed, or warning if nothing failed, or ok
	Checks  []Result  `json:"checks"`
}

// Explain makes all checks.
func Explain(in *Input) *Explanation {
	e := &Explanation{Time: in.Now.UTC(), Host: in.Host.Name, Account: in.Account.ID, Region: in.Account.Region, Caller: in.Account.Caller, State: OK}
	e.Checks = runAll(in, checks())
	if in.Report != nil {
		e.Checks = append(e.Checks, in.answer(e.Checks))
	}
	for _, c := range e.Checks {
		switch {
		case c.State == Failed:
			e.State = Failed
		case c.State != OK && e.State == OK:
			e.State = Warning
		}
	}
	return e
}

// failures returns the checks that failed.
func failures(all []Result) (failed []Result) {
	for _, c := range all {
		if c.State == Failed {
			failed = append(failed, c)
		}
	}
	return failed
}

// CauseError reports that checks failed. They have been written.
type CauseError struct {
	Host   string
	Failed int
	First  string // its number and title
}

func (e *CauseError) Error() string {
	return fmt.Sprintf("%s: %s failed; begin with %s", e.Host, report.Count(e.Failed, "check"), e.First)
}

// Err returns a *CauseError if a check failed.
func (e *Explanation) Err() error {
	failed := failures(e.Checks)
	if len(failed) == 0 {
		return nil
	}
	return &CauseError{Host: e.Host, Failed: len(failed), First: fmt.Sprintf("%d %s", failed[0].Number, failed[0].Title)}
}

// String returns the checks for people: a line for each, with what to do below it, and a summary.
func (e *Explanation) String() string {
	width := 0
	for _, c := range e.Checks {
		width = max(width, utf8.RuneCountInString(c.Title))
	}
	var b strings.Builder
	for _, c := range e.Checks {
		state, seen := string(c.State), cli.Printable(c.Seen)
		if c.State == Blocked {
			state = "-"
		}
		if c.Because != 0 {
			seen = fmt.Sprintf("not possible because of %d", c.Because)
		}
		fmt.Fprintln(&b, strings.TrimRight(fmt.Sprintf("%2d %-7s  %-*s  %s", c.Number, state, width, c.Title, seen), " "))
		if c.Advice != "" {
			fmt.Fprintf(&b, "            what to do: %s\n", cli.Printable(c.Advice))
		}
		for line := range strings.Lines(c.Command) {
			fmt.Fprintf(&b, "            run: %s\n", cli.Printable(strings.TrimSuffix(line, "\n")))
		}
	}
	return b.String() + "\n" + cli.Printable(e.summary()) + "\n"
}

// summary counts the checks.
func (e *Explanation) summary() string {
	count := map[State]int{}
	for _, c := range e.Checks {
		count[c.State]++
	}
	return fmt.Sprintf("%s: %d checks: %d ok, %d with a warning, %d failed, %d not possible", e.Host, len(e.Checks), count[OK], count[Warning], count[Failed], count[Blocked])
}
