package main

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// check verifies the ledger and compares what it has with what hosts got.
func (r *rehearsal) check() error {
	if _, err := r.run(r.ca, "ledger", "verify", "--dir", r.path("ca")); err != nil {
		return err
	}
	table, err := r.run(r.ca, "list", "--kind", "leaf", "--limit", "0", "--csv", "--dir", r.path("ca"))
	if err != nil {
		return err
	}
	recorded, err := readTable(table)
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
	hosts, err := r.run(r.ca, "hosts", "--json", "--dir", r.path("ca"))
	if err == nil && bytes.Contains(hosts, []byte(`"clones"`)) {
		err = fmt.Errorf("a host was taken for a copy:\n%s", hosts)
	}
	return err
}

// readTable returns the serial numbers of leaves by name, in the order in which they were issued.
func readTable(table []byte) (map[string][]string, error) {
	rows, err := csv.NewReader(bytes.NewReader(table)).ReadAll()
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, errors.New("the table of certificates has no header")
	}
	serial, name := slices.Index(rows[0], "serial"), slices.Index(rows[0], "common_name")
	if min(serial, name) < 0 {
		return nil, fmt.Errorf("the table of certificates has the columns %q", rows[0])
	}
	recorded := map[string][]string{}
	for _, row := range rows[1:] {
		recorded[row[name]] = append(recorded[row[name]], row[serial])
	}
	return recorded, nil
}
