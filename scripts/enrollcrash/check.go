package main

import (
	"bytes"
	"fmt"
	"maps"
	"slices"
	"strings"

	"kedge/scripts/runca"
)

// check verifies the ledger and compares what it has with what hosts got.
func (r *rehearsal) check() error {
	if _, err := runca.Output(r.ca, "ledger", "verify", "--dir", r.path("ca")); err != nil {
		return err
	}
	recorded, err := runca.Leaves(r.ca, r.path("ca"))
	if err != nil {
		return err
	}
	for name, got := range r.serials {
		if !slices.Equal(got, recorded[name]) {
			return fmt.Errorf("%s got %s, and the ledger has %s", name, strings.Join(got, " "), strings.Join(recorded[name], " "))
		}
	}
	if len(recorded) != len(r.serials) {
		return fmt.Errorf("the ledger has hosts that got nothing: %s", strings.Join(slices.Sorted(maps.Keys(recorded)), " "))
	}
	hosts, err := runca.Output(r.ca, "hosts", "--json", "--dir", r.path("ca"))
	if err == nil && bytes.Contains(hosts, []byte(`"clones"`)) {
		err = fmt.Errorf("a host was taken for a copy:\n%s", hosts)
	}
	return err
}
