package emulator

import (
	"cmp"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"kedge/internal/emulator/policy"
	"kedge/internal/emulator/wire"
)

// Refusal is a refused request with the reasons, which the client was not told.
type Refusal struct {
	Call
	Decisions wire.Reasons `json:"decisions,omitzero"`        // of policies, if they refused it
	LeftOut   int          `json:"decisionsLeftOut,omitzero"` // how many of them have too much of the request to be kept
	details   []string     // the lines of the log
}

// The limits of the refusals that are kept: of the newest so many, and of each so many bytes of lines, and of what its
// decisions have of the request.
const (
	maxRefusals         = 500
	maxRefusalDetails   = 16 << 10
	maxRefusalDecisions = 64 << 10
)

// refusals are the newest refusals, by request id. The zero value is ready.
type refusals struct {
	mu   sync.Mutex
	byID map[string]Refusal
	ids  []string // the oldest first
}

// add keeps a refusal, and drops the oldest one when there are too many.
func (s *refusals) add(r Refusal) {
	r.details = bounded(r.details)
	if all, ok := r.Decisions.(decisions); ok {
		r.keep(all)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.byID == nil {
		s.byID = map[string]Refusal{}
	}
	if len(s.ids) >= maxRefusals {
		delete(s.byID, s.ids[0])
		s.ids = slices.Delete(s.ids, 0, 1)
	}
	s.byID[r.ID] = r
	s.ids = append(s.ids, r.ID)
}

// keep keeps the first decisions, up to the limit.
func (r *Refusal) keep(all decisions) {
	kept := all.within(maxRefusalDecisions)
	r.LeftOut = len(all) - len(kept)
	if r.LeftOut == 0 {
		return
	}
	r.Decisions = kept
	r.details = append(r.details, fmt.Sprintf("… the condition keys of %d of %d decisions are left out, and these decisions in JSON: more than %d bytes", r.LeftOut, len(all), maxRefusalDecisions))
}

// bounded returns the lines of details, as the log has them, up to the limit.
func bounded(details []string) []string {
	var lines []string
	size := 0
	for _, detail := range details {
		for line := range strings.SplitSeq(detail, "\n") {
			line = strings.Clone(printable(shorten(line))) // a part of a detail would keep all of it
			if size += len(line); size > maxRefusalDetails {
				return append(lines, "…")
			}
			lines = append(lines, line)
		}
	}
	return lines
}

// within returns the first decisions that have so many bytes of a request together.
func (all decisions) within(most int) decisions {
	n := 0
	for i, d := range all {
		if n += d.size(); n > most {
			return append(decisions{}, all[:i]...) // a part of all would keep it whole
		}
	}
	return all
}

// size returns how many bytes a decision has of a request. The policies are those of the store.
func (d decision) size() int {
	n := 0
	for key, values := range d.Context {
		n += sizeOf(key) + sizeOf(values...)
	}
	for _, l := range d.Policies {
		for _, r := range l.Results {
			n += requestSize(r.Statements)
		}
	}
	return n
}

func requestSize(statements []policy.StatementResult) int {
	n := 0
	for _, s := range statements {
		for _, e := range s.Elements {
			n += sizeOf(e.Request)
		}
		for _, c := range s.Conditions {
			n += sizeOf(c.Expanded...)
		}
	}
	return n
}

// sizeOf counts what a string itself takes, too: many may be empty.
func sizeOf(texts ...string) int {
	const header = 16
	n := 0
	for _, text := range texts {
		n += len(text) + header
	}
	return n
}

// Refusal returns a refused request by the request id that its client got. Only the newest are kept.
func (e *Emulator) Refusal(id string) (Refusal, bool) {
	e.refusals.mu.Lock()
	defer e.refusals.mu.Unlock()
	r, ok := e.refusals.byID[id]
	return r, ok
}

// Text returns the refusal for people: the answer, why, each policy statement by statement, and the condition
// keys that the request had.
func (r Refusal) Text() string {
	lines := []string{
		printable(fmt.Sprintf("%s %d %s: %s", r.Operation, r.Status, r.Code, r.Message)),
		"request " + r.ID + ", " + r.Time.UTC().Format("2006-01-02 15:04:05 MST"),
	}
	lines = append(lines, r.details...)
	if all, ok := r.Decisions.(decisions); ok {
		for _, d := range all {
			lines = append(lines, "condition keys of "+d.Action+":")
			for _, key := range slices.Sorted(maps.Keys(d.Context)) {
				lines = append(lines, printable("  "+key+": "+quoted(d.Context[key])))
			}
		}
	}
	return strings.Join(lines, "\n") + "\n"
}

// explainPath is the path below the control interface of refusals.
const explainPath = "explain/"

// serveExplain answers why a request was refused: with JSON for those that accept it, and otherwise text.
func (e *Emulator) serveExplain(w http.ResponseWriter, r *http.Request, id string) {
	refusal, ok := e.Refusal(id)
	w.Header().Set("Vary", "Accept")
	switch {
	case !ok:
		http.Error(w, fmt.Sprintf("no request with this id was refused, of the last %d refusals; GET %scalls has the ids", maxRefusals, controlPrefix), http.StatusNotFound)
	case wantsJSON(r.Header.Values("Accept")):
		wire.WriteJSON(w, http.StatusOK, refusal)
	default:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("X-Content-Type-Options", "nosniff") // it has what a client sent
		_, _ = w.Write([]byte(refusal.Text()))
	}
}

// wantsJSON reports whether a client prefers application/json to text (RFC 9110 12.5.1).
func wantsJSON(accept []string) bool {
	weights := map[string]float64{}
	for part := range strings.SplitSeq(strings.Join(accept, ","), ",") {
		kind, parameters, err := mime.ParseMediaType(part)
		if err != nil {
			continue
		}
		weight, err := strconv.ParseFloat(cmp.Or(parameters["q"], "1"), 64)
		if err == nil {
			weights[kind] = weight
		}
	}
	return weights["application/json"] > max(weights["text/plain"], weights["text/*"])
}
