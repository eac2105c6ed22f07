package doctor

import (
	"context"
	"strings"
	"testing"
	"time"
)

func always(f *Finding) func(context.Context) *Finding {
	return func(context.Context) *Finding { return f }
}

// TestRun: what depends on a check that failed is not run, and names the one at the root; the rest is.
func TestRun(t *testing.T) {
	t.Parallel()
	never := func(context.Context) *Finding {
		t.Error("a check that is not possible was run")
		return ok("")
	}
	results := Run(t.Context(), []Check{
		{ID: "a", Title: "first", Run: always(ok("fine"))},
		{ID: "b", Title: "second", Needs: []string{"a"}, Run: always(failed(4, "the secret is kedge1_x", "mend it").run("chmod 600 %s", "/a b"))},
		{ID: "c", Title: "third", Needs: []string{"a", "b"}, Run: never},
		{ID: "d", Title: "fourth", Needs: []string{"c"}, Run: never},
		{ID: "e", Title: "fifth", Run: always(&Finding{State: Warning, Seen: "late", Advice: "hurry", Command: "unset A\nexport B=kedge1_x"})},
		{ID: "f", Title: "sixth", Run: always(failed(0, "no code", ""))},
		{ID: "g", Title: "seventh", Needs: []string{"none"}, Run: always(ok(""))},
	})
	report := NewReport("1", time.Unix(0, 0), Subject{}, results)
	if report.State != Failed || report.Code != 4 || results[5].Code != 1 {
		t.Errorf("%s, exit code %d and %d", report.State, report.Code, results[5].Code)
	}
	const want = ` 1 ok       first    fine
 2 failed   second   the secret is (hidden)
            what to do: mend it
            run: chmod 600 "/a b"
 3 -        third    not possible because of 2
 4 -        fourth   not possible because of 2
 5 warning  fifth    late
            what to do: hurry
            run: unset A
            run: export B=(hidden)
 6 failed   sixth    no code
 7 ok       seventh

7 checks: 2 ok, 1 with a warning, 2 failed, 2 not possible; begin with 2 second
`
	if got := string(report.Text()); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	document, err := report.JSON()
	if err != nil || strings.Contains(string(document), "kedge1_") || !strings.Contains(string(document), `"because": 2`) {
		t.Errorf("%s, %v", document, err)
	}
}

// TestNewReport: warnings alone are no failure.
func TestNewReport(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		states []State
		want   State
		code   int
	}{
		{nil, OK, 0}, {[]State{OK, OK}, OK, 0}, {[]State{OK, Warning}, Warning, 0}, {[]State{Warning, Failed, OK}, Failed, 3},
	} {
		var results []Result
		for _, s := range tt.states {
			r := Result{State: s}
			if s == Failed {
				r.Code = 3
			}
			results = append(results, r)
		}
		if r := NewReport("", time.Time{}, Subject{}, results); r.State != tt.want || r.Code != tt.code {
			t.Errorf("%v: %s, exit code %d", tt.states, r.State, r.Code)
		}
	}
}
