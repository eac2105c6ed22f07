package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kedge/scripts/runca"
)

// check verifies the ledger and compares it with what hosts got: nothing is lost, and nothing was
// given twice. It returns how many hosts have an alarm.
func (r *rehearsal) check() (alarms int, err error) {
	if _, err := runca.Output(r.programs.ca, "ledger", "verify", "--dir", r.dir); err != nil {
		return 0, err
	}
	recorded, err := runca.Leaves(r.programs.ca, r.dir)
	if err != nil {
		return 0, err
	}
	delete(recorded, "") // the servers' own
	got, unanswered := map[string][]string{}, map[string]int{}
	copied := map[string]bool{}
	for _, h := range r.hosts {
		unanswered[h.name] += h.unanswered
		if h.copy {
			copied[h.name] = true
		}
		if known := got[h.name]; len(known) > 1 && len(h.got) > 1 {
			return 0, fmt.Errorf("two hosts renewed as %s: %q and %q", h.name, known, h.got)
		}
		if len(h.got) > len(got[h.name]) {
			got[h.name] = h.got
		}
	}
	for name, serials := range got {
		if !accounted(serials, recorded[name], unanswered[name]) {
			return 0, fmt.Errorf("%s got %s, and the ledger has %s", name, strings.Join(serials, " "), strings.Join(recorded[name], " "))
		}
	}
	if len(recorded) != len(got) {
		return 0, fmt.Errorf("the ledger has %d names, and there are %d", len(recorded), len(got))
	}
	return r.checkAlarms(copied)
}

// accounted reports whether the ledger has what a host got, in order, and no more than answers that were
// lost: a host that asks again gets such a certificate, or its successor if that is due by then.
func accounted(got, recorded []string, unanswered int) bool {
	lost, newest := 0, false
	for _, serial := range recorded {
		if newest = len(got) != 0 && got[0] == serial; newest {
			got = got[1:]
		} else {
			lost++
		}
	}
	return len(got) == 0 && newest && lost <= unanswered
}

// checkAlarms checks that there is an alarm for each host that was copied, and for no other.
func (r *rehearsal) checkAlarms(copied map[string]bool) (int, error) {
	out, err := runca.Output(r.programs.ca, "hosts", "--json", "--dir", r.dir)
	if err != nil {
		return 0, err
	}
	var all struct {
		Hosts []struct {
			Name   string            `json:"name"`
			Clones []json.RawMessage `json:"clones"`
		} `json:"hosts"`
	}
	if err := json.Unmarshal(out, &all); err != nil {
		return 0, err
	}
	alarmed := map[string]bool{}
	for _, h := range all.Hosts {
		if len(h.Clones) > 0 {
			alarmed[h.Name] = true
		}
	}
	if !maps.Equal(alarmed, copied) {
		return 0, fmt.Errorf("%d hosts have an alarm, and %d were copied: %q", len(alarmed), len(copied), slices.Collect(maps.Keys(alarmed)))
	}
	return len(alarmed), nil
}
