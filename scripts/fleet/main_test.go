package main

import (
	"os"
	"os/exec"
	"testing"

	"kedge/internal/testenv"
)

// TestFleet: the short form of "make fleet" holds, on both kinds of ledger.
func TestFleet(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes most of a minute")
	}
	testenv.Postgres(t) // it is there
	cmd := exec.Command("../fleet.sh", "short")
	cmd.Stdout, cmd.Stderr = os.Stderr, os.Stderr
	if err := cmd.Run(); err != nil {
		t.Error(err)
	}
}
