package hostcert

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestRenewals_Notes: few certificates are named, of many there is the number, and what was left or
// failed is told.
func TestRenewals_Notes(t *testing.T) {
	t.Parallel()
	c := newTestCA(t)
	c.issue("web-01", "web-02", "db-01")
	for _, tt := range []struct {
		words  []string
		change func(*Renewer)
		want   []string
	}{
		{[]string{"web-01"}, func(*Renewer) {}, []string{`done: renewed "web-01", serial `}},
		{[]string{"web-*"}, func(r *Renewer) { r.NewKey = newKey }, []string{`done: rekeyed "web-01", serial `, `done: rekeyed "web-02", serial `}},
		{[]string{"web-01", "none"}, func(*Renewer) {}, []string{`done: renewed "web-01", serial `, "warning: not done: "}},
		{[]string{"web-*"}, func(r *Renewer) { r.Within = time.Minute }, []string{"done: left 2 certificates, valid for longer than 1m0s"}},
		{[]string{"db-01"}, func(r *Renewer) { r.Within = time.Minute }, []string{"done: left 1 certificate, valid for longer than 1m0s"}},
		{nil, func(r *Renewer) { r.Out = t.TempDir() }, []string{"done: there is nothing to renew in "}},
	} {
		r := c.renewer()
		tt.change(r)
		w, err := r.Plan(t.Context(), Named{Words: tt.words, All: tt.words == nil})
		must(t, err)
		w.Run(t.Context(), c.issuer, func() {})
		n, err := w.Notes()
		lines := strings.Split(strings.TrimSpace(n.String()), "\n")
		if err != nil || len(lines) != len(tt.want) {
			t.Errorf("%q: %v\n%s", tt.words, err, n.String())
			continue
		}
		for i, line := range lines {
			if !strings.HasPrefix(line, tt.want[i]) {
				t.Errorf("%q: %s, want %s", tt.words, line, tt.want[i])
			}
		}
	}
}

func TestRenewals_Notes_many(t *testing.T) {
	t.Parallel()
	w := &Renewals{renewer: &Renewer{}, Named: 12}
	for i := range 12 {
		w.Done = append(w.Done, Result{Name: fmt.Sprint("web-", i)})
	}
	w.Done[3].Warnings, w.Done[5].Leftover = []string{"100% late"}, "web-5.key"
	n, err := w.Notes()
	lines := strings.Split(strings.TrimSpace(n.String()), "\n")
	if err != nil || len(lines) != 3 || lines[0] != "done: renewed 12 certificates" || lines[1] != `warning: "web-3": 100% late` || !strings.Contains(lines[2], "web-5.key") {
		t.Errorf("%v\n%s", err, n.String())
	}
}

func TestRenewals_FailedJSON(t *testing.T) {
	t.Parallel()
	w := &Renewals{}
	hint := func(err error) string { return strings.TrimPrefix(err.Error(), "unknown") }
	if head := w.FailedJSON(hint); head != nil {
		t.Error(head)
	}
	w.Failed = []Failure{{"web-01", fmt.Errorf("unknown")}, {"web-02", fmt.Errorf("late")}}
	got, err := json.Marshal(w.FailedJSON(hint))
	if want := `{"failed":[{"name":"web-01","error":"unknown"},{"name":"web-02","error":"late","hint":"late"}]}`; err != nil || string(got) != want {
		t.Errorf("%s, %v", got, err)
	}
}
