package doctor

import (
	"context"
	"strings"

	"kedge/internal/cli"
	"kedge/internal/processline"
)

// State is what came of a check.
type State string

// The states.
const (
	OK      State = "ok"
	Warning State = "warning"
	Failed  State = "failed"
	Blocked State = "not possible" // because of another check
)

// Check is one question about a host. Its result is made by Run, which has to return when ctx ends.
type Check struct {
	ID    string   // for programs: it never changes its meaning
	Title string   // for people: a few words
	Needs []string // the IDs of earlier checks; if one of them failed or was not possible, neither is this one
	Run   func(ctx context.Context) *Finding
}

// Finding is what a check came to.
type Finding struct {
	State   State
	Seen    string // what was seen, in one line
	Advice  string // what to do: one sentence; empty if there is nothing to do
	Command string // the same as lines to paste; empty if there is none
	Code    int    // the exit code of kedge if this is the first check that failed
	Because string // the ID of an earlier check, without which a Blocked one is not possible
}

// ok is for a check that found nothing wrong. Not inlined, this and the next two spare kedge 12 kB.
//
//go:noinline
func ok(seen string) *Finding { return &Finding{State: OK, Seen: seen} }

// warning is for what does not keep credentials away, or not yet.
//
//go:noinline
func warning(seen, advice string) *Finding {
	return &Finding{State: Warning, Seen: seen, Advice: advice}
}

// failed is for why there are none.
//
//go:noinline
func failed(code int, seen, advice string) *Finding {
	return &Finding{State: Failed, Seen: seen, Advice: advice, Code: code}
}

// blocked is for a check that turns out not to be possible when it runs.
func blocked(because string) *Finding { return &Finding{State: Blocked, Because: because} }

// run adds the command to paste: a line in which %s stands for each of the values, which are quoted for a shell.
// If a value cannot be, there is no command.
func (f *Finding) run(line string, values ...string) *Finding {
	command := ""
	for _, value := range values {
		quoted, err := processline.Join([]string{value})
		if err != nil {
			return f
		}
		before, after, _ := strings.Cut(line, "%s")
		command, line = command+before+quoted, after
	}
	f.Command = command + line
	return f
}

// Adviser returns the exit code and the hint of an error, as the commands of kedge have them.
type Adviser func(err error) cli.Advice

// failure is the finding for an error of the library, in the words of the commands.
func (a Adviser) failure(err error) *Finding {
	advice := a(err)
	return failed(advice.Code, err.Error(), advice.Hint)
}
