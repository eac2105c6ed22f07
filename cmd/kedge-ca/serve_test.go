package main

import (
	"errors"
	"testing"

	"kedge/internal/cli"
	"kedge/internal/config"
)

// TestServe_asking: a password is asked for until hosts are served, and not while they wait.
func TestServe_asking(t *testing.T) {
	t.Parallel()
	o := &serveOptions{host: host{inputs: config.Host{Ask: func(string) ([]byte, error) { return []byte("typed"), nil }}}}
	serving := o.stopAsking()
	if typed, err := o.inputs.Ask("Password: "); err != nil || string(typed) != "typed" {
		t.Errorf("%q, %v", typed, err)
	}
	serving()
	if _, err := o.inputs.Ask("Password: "); !errors.Is(err, cli.ErrNoTerminal) {
		t.Errorf("while serving: %v", err)
	}
}
