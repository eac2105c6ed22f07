package main

import (
	"errors"
	"testing"

	"kedge/internal/cli"
)

func TestConfirmFlag(t *testing.T) {
	t.Parallel()
	broken := errors.New("broken")
	tests := []struct {
		name   string
		yes    bool
		agreed bool
		err    error
		want   error
	}{
		{"the flag", true, false, broken, nil},
		{"agreed", false, true, nil, nil},
		{"declined", false, false, nil, errDeclined},
		{"no terminal", false, false, cli.ErrNoTerminal, cli.ErrNoTerminal},
		{"a broken one", false, false, broken, broken},
	}
	for _, tt := range tests {
		h := host{confirm: func(string) (bool, error) { return tt.agreed, tt.err }}
		if err := (confirmFlag{yes: tt.yes}).ask(h, "revoke it?"); !errors.Is(err, tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	advice := advise(&cli.UnconfirmedError{Question: "revoke it?", Err: cli.ErrNoTerminal})
	if advice.Code != cli.ExitUsage || advice.Hint != "repeat it with --yes if it is meant" {
		t.Errorf("advice: %+v", advice)
	}
}
