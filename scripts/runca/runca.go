// Package runca runs kedge-ca for rehearsals: its commands, and servers that are killed and started
// again.
package runca

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Output runs a command to its end and returns its standard output. The error has its standard error.
func Output(program string, args ...string) ([]byte, error) {
	var stderr bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", filepath.Base(program), strings.Join(args, " "), err, &stderr)
	}
	return out, err
}

// Leaves returns the serial numbers of the leaves in a ledger, by name, in the order in which they were
// issued.
func Leaves(program, dir string) (map[string][]string, error) {
	table, err := Output(program, "list", "--kind", "leaf", "--limit", "0", "--csv", "--dir", dir)
	if err != nil {
		return nil, err
	}
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
